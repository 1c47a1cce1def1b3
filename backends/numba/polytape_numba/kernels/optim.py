"""Optimizers in one pass over memory; the NumPy kernel of Adam makes twelve passes over chunks, a body many more."""

from __future__ import annotations

from functools import partial
from math import sqrt
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from .compiled import FEW, LARGE, loops

__all__ = ["by_scalars", "kernels"]

Array = Any


COMPILED: Final = not __file__.endswith(".py")  # setup.py compiles this module: see `atomic` in polytape.backend.Kernel


def kernels() -> list[Kernel]:
    """The optimizer kernels."""
    moments = ("rate", "h0", "1-h0", "h1", "1-h1", "h2")
    return [
        _kernel("sgd_update", sgd_update, (), least=LARGE),
        _kernel("momentum_update", momentum_update, ("velocity",)),
        _kernel("adam_update", adam_update, ("m", "v")),
        _kernel("nadam_update", nadam_update, ("m", "v", "product"), scalar=True),
        by_scalars("amsgrad_update", ("m", "v", "v_max"), (*moments, "h3", "c0", "c1")),
        by_scalars("adamax_update", ("m", "u"), ("rate", "h0", "1-h0", "h1", "h2", "c0")),
    ]


def _kernel(
    op: str, fn: Any, slots: tuple[str, ...], *, least: int = FEW, scalar: bool = False, power: float | None = None
) -> Kernel:
    count = len(slots) + 1
    # x, the slots and the gradient, which follows a slot of shape () if there is one
    positions = (*range(count - 1), count) if scalar else tuple(range(count + 1))
    return Kernel(
        op,
        fn,
        dtypes=("float32", "float64"),
        when=partial(contiguous, positions, least) if power is None else partial(with_power, positions, least, power),
        writes=("x", *slots),
        atomic=COMPILED,
    )


def by_scalars(op: str, slots: tuple[str, ...], scalars: tuple[str, ...], *, power: float | None = None) -> Kernel:
    """A kernel that is one loop, for one value of the first hyperparameter if given; see `update_by_scalars`."""
    fn = partial(update_by_scalars, op.removesuffix("_update"), len(slots) + 1, scalars)
    return _kernel(op, fn, slots, power=power)


# `attributes` are those of momentum_update, which do not matter here.
def contiguous(positions: tuple[int, ...], least: int, *operands: Array, **attributes: Any) -> bool:
    """Whether the variable is large, and it, its slots and its gradient are in C order, aligned and writable.

    The gradient need not be writable. But a read-only array has another type for Numba, which would compile the loop
    again, in the middle of an update; the NumPy kernel takes such gradients.
    """
    return bool(operands[0].size >= least and all([operands[position].flags.carray for position in positions]))


def with_power(positions: tuple[int, ...], least: int, power: float, *operands: Array, **attributes: Any) -> bool:
    """As `contiguous`, and whether the first hyperparameter is this one."""
    first = operands[-1]
    return contiguous(positions, least, *operands) and bool(first.size) and float(first.item(0)) == power


def _check_shapes(rate: Array, arrays: list[Array]) -> None:
    shape = arrays[0].shape
    if rate.ndim or not all([array.shape == shape for array in arrays]):
        raise ValueError("the variable, its slots and its gradient differ in shape, or the learning rate has an axis")


def _flat(arrays: list[Array]) -> list[Array]:
    return [array.reshape(-1) for array in arrays]


def update_by_scalars(loop: str, count: int, scalars: tuple[str, ...], *operands: Array) -> Any:
    """Run a loop whose last operand is a vector of scalars.

    Args:
        loop: its name.
        count: how many arrays it overwrites.
        scalars: what is in the vector: ``rate``; ``h0`` for the first hyperparameter; ``1-h0``; ``c0`` for one minus
            its power, a bias correction.
        operands: of the op.
    """
    arrays = list(operands[: count + 1])
    rate, step = operands[count + 1], operands[-2]
    _check_shapes(rate, arrays)
    dtype = arrays[0].dtype
    hyperparameters = _precise(operands[-1], dtype)
    if hyperparameters.shape != (1 + max([int(name[-1]) for name in scalars[1:]]),):
        raise ValueError(f"the vector of hyperparameters has shape {hyperparameters.shape}")
    values = np.empty(len(scalars), dtype)
    for position, name in enumerate(scalars):
        values[position] = rate if name == "rate" else _scalar(name, hyperparameters, step)
    getattr(loops(), loop)(*_flat(arrays), values)
    return operands[0] if count == 1 else tuple(operands[:count])


def _precise(hyperparameters: Array, dtype: Any) -> Array:
    return hyperparameters.astype(dtype) if hyperparameters.dtype.itemsize < dtype.itemsize else hyperparameters


def _scalar(name: str, hyperparameters: Array, step: Array) -> Any:
    """A hyperparameter, one minus it, or its bias correction, as the ops' bodies compute them."""
    value = hyperparameters[int(name[-1])]
    if name[0] == "1":
        return 1.0 - float(value)
    # The ufunc, which the body calls too: Python's own power may round differently.
    return 1.0 - np.power(np.asarray(value), step.astype(hyperparameters.dtype)) if name[0] == "c" else value


def sgd_update(x: Array, g: Array, learning_rate: Array) -> Array:
    _check_shapes(learning_rate, [x, g])
    loops().sgd(x.reshape(-1), g.reshape(-1), float(learning_rate))
    return x


# `nesterov` is not annotated as bool: then mypyc's signature of the function would have no keywords.
def momentum_update(
    x: Array, velocity: Array, g: Array, learning_rate: Array, hyperparameters: Array, *, nesterov: Any = False
) -> tuple[Array, Array]:
    _check_shapes(learning_rate, [x, velocity, g])
    momentum, decay = hyperparameters.tolist()
    loops().momentum(*_flat([x, velocity, g]), float(learning_rate), momentum, decay, bool(nesterov))
    return x, velocity


def adam_update(
    x: Array,
    m: Array,
    v: Array,
    g: Array,
    learning_rate: Array,
    step: Array,
    hyperparameters: Array,
) -> tuple[Array, Array, Array]:
    _check_shapes(learning_rate, [x, m, v, g])
    t, base = int(step.item()), float(learning_rate)
    beta1, beta2, epsilon, weight_decay = hyperparameters.tolist()
    # As in the NumPy kernel, the bias corrections are folded into epsilon and the learning rate.
    root = sqrt(1.0 - beta2**t)
    rate = base * root / (1.0 - beta1**t)
    loops().adam(
        *_flat([x, m, v, g]),
        beta1, 1.0 - beta1, beta2, sqrt(1.0 - beta2), epsilon * root, rate, 1.0 - base * weight_decay,
    )  # fmt: skip
    return x, m, v


def nadam_update(
    x: Array,
    m: Array,
    v: Array,
    product: Array,
    g: Array,
    learning_rate: Array,
    step: Array,
    hyperparameters: Array,
) -> tuple[Array, Array, Array, Array]:
    _check_shapes(learning_rate, [x, m, v, g])
    dtype = x.dtype
    hyperparameters = _precise(hyperparameters, dtype)
    beta1, _, _, decay = hyperparameters.astype(dtype)
    t = step.astype(dtype)
    one, half, base = np.asarray([1.0, 0.5, 0.96], dtype)
    mu = beta1 * (one - half * np.power(base, np.asarray(decay * t)))
    after = beta1 * (one - half * np.power(base, np.asarray(decay * (t + one))))
    new_product = mu if t == 1 else product * mu
    names = ("h0", "1-h0", "h1", "1-h1", "h2", "c1")
    scalars = [learning_rate, *(_scalar(name, hyperparameters, step) for name in names)]
    scalars += [(one - mu) / (one - new_product), after / (one - new_product * after)]
    loops().nadam(*_flat([x, m, v, g]), np.asarray(scalars, dtype))
    product[()] = new_product
    return x, m, v, product
