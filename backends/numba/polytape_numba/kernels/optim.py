"""Adam in one pass over memory; the NumPy kernel makes twelve passes over chunks."""

from __future__ import annotations

from math import sqrt
from typing import Any, Final

from polytape.backend import Kernel

from .compiled import LARGE, loops

__all__ = ["kernels"]

Array = Any

COMPILED: Final = not __file__.endswith(".py")  # setup.py compiles this module: see `atomic` in polytape.backend.Kernel


def kernels() -> list[Kernel]:
    """The optimizer kernels."""
    return [
        Kernel(
            "adam_update",
            adam_update,
            dtypes=("float32", "float64"),
            when=large_and_contiguous,
            writes=("x", "m", "v"),
            atomic=COMPILED,
        )
    ]


def large_and_contiguous(
    x: Array, m: Array, v: Array, g: Array, learning_rate: Array, step: Array, hyperparameters: Array
) -> bool:
    """Whether the variable is large, and all four arrays are in C order, aligned and writable.

    The gradient need not be writable. But a read-only array has another type for Numba, which would compile the loop
    again, in the middle of an update; the NumPy kernel takes such gradients.
    """
    return bool(x.size >= LARGE and x.flags.carray and m.flags.carray and v.flags.carray and g.flags.carray)


def adam_update(
    x: Array,
    m: Array,
    v: Array,
    g: Array,
    learning_rate: Array,
    step: Array,
    hyperparameters: Array,
) -> tuple[Array, Array, Array]:
    if learning_rate.ndim or not x.shape == m.shape == v.shape == g.shape:
        raise ValueError("the variable, its slots and its gradient differ in shape, or the learning rate has an axis")
    t, base = int(step.item()), float(learning_rate)
    beta1, beta2, epsilon, weight_decay = hyperparameters.tolist()
    # As in the NumPy kernel, the bias corrections are folded into epsilon and the learning rate.
    root = sqrt(1.0 - beta2**t)
    rate = base * root / (1.0 - beta1**t)
    loops().adam(
        x.reshape(-1), m.reshape(-1), v.reshape(-1), g.reshape(-1),
        beta1, 1.0 - beta1, beta2, sqrt(1.0 - beta2), epsilon * root, rate, 1.0 - base * weight_decay,
    )  # fmt: skip
    return x, m, v
