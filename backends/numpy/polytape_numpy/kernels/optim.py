"""Optimizer updates in place: one kernel per update rule, over chunks that stay in a core's cache.

setup.py compiles this module with the kernel ring. Then no Python code runs between a kernel's first and last write, so
core lets it overwrite a variable's own buffer (`polytape.backend.Kernel`, ``atomic``).
"""

from __future__ import annotations

from functools import partial
from math import sqrt
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any

COMPILED: Final = not __file__.endswith(".py")
# Elements. 10 million float32 parameters take 16.7 ms in such chunks and 25 ms in a single one; with chunks of 16,384
# the overhead of the calls is larger.
_CHUNK: Final = 65536


class _FloatingErrors:
    """Turns NumPy's floating-point warnings off while a kernel writes: a warning is Python code, or an exception.

    `numpy.errstate` is itself Python code, and takes 0.8 us. What it sets is a context variable, which has been private
    in NumPy since 2.0. In a NumPy without it, warnings stay on and the kernels are not atomic.
    """

    def __init__(self) -> None:
        umath: Any = getattr(getattr(np, "_core", None), "umath", None)
        self.variable: Any = getattr(umath, "_extobj_contextvar", None)
        make: Any = getattr(umath, "_make_extobj", None)
        self.known: bool = self.variable is not None and make is not None
        self.ignored: Any = make(all="ignore") if self.known else None

    def ignore(self) -> Any:
        """Turn the warnings off; returns what `restore` needs."""
        return self.variable.set(self.ignored) if self.known else None

    def restore(self, token: Any) -> None:
        """Turn the warnings on again."""
        if token is not None:
            self.variable.reset(token)


_errors: Final = _FloatingErrors()


def kernels(xp: Any) -> list[Kernel]:
    """The optimizer kernels on the arrays of ``xp``.

    They read the 0-d operands ``learning_rate`` and ``step`` as Python numbers, which synchronizes with a device.
    """
    atomic = xp is np and COMPILED and _errors.known
    # Not closures: mypyc compiles those to objects without a signature, which core and other plugins read.
    return [
        Kernel("sgd_update", partial(sgd_update, xp), writes=("x",), atomic=atomic),
        Kernel("momentum_update", partial(momentum_update, xp), writes=("x", "velocity"), atomic=atomic),
        Kernel("adam_update", partial(adam_update, xp), writes=("x", "m", "v"), atomic=atomic),
    ]


def _check_shapes(rate: Array, arrays: list[Array]) -> None:
    # Operations with out= would silently broadcast a smaller gradient, or a rate per element.
    shape = arrays[0].shape
    if rate.ndim:
        raise ValueError(f"the learning rate must have rank 0, not shape {rate.shape}")
    for array in arrays:
        if array.shape != shape:
            raise ValueError(f"the variable, its slots and its gradient differ in shape: {[a.shape for a in arrays]}")


def _chunks(arrays: list[Array]) -> list[list[Array]]:
    """The arrays in chunks of the same elements; the chunks are views, except possibly those of the last array."""
    size = arrays[0].size
    if size <= _CHUNK or not all([array.flags.c_contiguous for array in arrays[:-1]]):
        return [arrays]
    flat = [array.reshape(-1) for array in arrays]
    return [[array[start : start + _CHUNK] for array in flat] for start in range(0, size, _CHUNK)]


def _fitted(scratch: Array, chunk: Array) -> Array:
    """The part of the scratch array that is as large as a chunk."""
    return scratch if scratch.shape == chunk.shape else scratch[: chunk.size]


def sgd_update(xp: Any, x: Array, g: Array, learning_rate: Array) -> Array:
    multiply, subtract = xp.multiply, xp.subtract
    _check_shapes(learning_rate, [x, g])
    chunks = _chunks([x, g])
    scratch = xp.empty(chunks[0][0].shape, x.dtype)  # not empty_like, whose dispatch runs Python code
    token = _errors.ignore()
    try:
        for xs, gs in chunks:
            part = _fitted(scratch, xs)
            multiply(gs, learning_rate, out=part)
            subtract(xs, part, out=xs)
    finally:
        _errors.restore(token)
    return x


# `nesterov` is not annotated as bool: then mypyc's signature of the function would have no keywords.
def momentum_update(
    xp: Any,
    x: Array,
    velocity: Array,
    g: Array,
    learning_rate: Array,
    hyperparameters: Array,
    *,
    nesterov: Any = False,
) -> tuple[Array, Array]:
    _check_shapes(learning_rate, [x, velocity, g])
    momentum, weight_decay = hyperparameters.tolist()
    half = x.dtype.itemsize == 2
    arrays = [array.astype("float32") for array in (x, velocity, g)] if half else [x, velocity, g]
    token = _errors.ignore()
    try:
        _momentum_passes(xp, arrays, (momentum, weight_decay, float(learning_rate)), bool(nesterov))
        if half:
            x[...], velocity[...] = arrays[:2]
    finally:
        _errors.restore(token)
    return x, velocity


def _momentum_passes(xp: Any, arrays: list[Array], scalars: tuple[float, ...], nesterov: bool) -> None:
    multiply, add, subtract = xp.multiply, xp.add, xp.subtract
    dtype, asarray = arrays[0].dtype, xp.asarray
    momentum, decay, rate = [asarray(value, dtype=dtype) for value in scalars]
    decays = scalars[1] != 0.0
    chunks = _chunks(arrays)
    whole, sums = xp.empty(chunks[0][0].shape, dtype), xp.empty(chunks[0][0].shape, dtype)
    for xs, vs, gs in chunks:
        scratch = _fitted(whole, xs)
        if decays:
            total = _fitted(sums, xs)
            multiply(xs, decay, out=total)
            add(gs, total, out=total)
            gs = total
        multiply(vs, momentum, out=vs)
        add(vs, gs, out=vs)
        if nesterov:
            multiply(vs, momentum, out=scratch)
            add(scratch, gs, out=scratch)
            multiply(scratch, rate, out=scratch)
        else:
            multiply(vs, rate, out=scratch)
        subtract(xs, scratch, out=xs)


def adam_update(
    xp: Any,
    x: Array,
    m: Array,
    v: Array,
    g: Array,
    learning_rate: Array,
    step: Array,
    hyperparameters: Array,
) -> tuple[Array, Array, Array]:
    _check_shapes(learning_rate, [x, m, v, g])
    beta1, beta2, epsilon, weight_decay = hyperparameters.tolist()
    rate = float(learning_rate)
    scalars = _adam_scalars(rate, int(step.item()), beta1, beta2, epsilon, weight_decay)
    # In half precision, epsilon and the square of a small gradient would be 0.
    half = x.dtype.itemsize == 2
    arrays = [array.astype("float32") for array in (x, m, v, g)] if half else [x, m, v, g]
    token = _errors.ignore()
    try:
        _adam_passes(xp, arrays, scalars)
        if half:
            x[...], m[...], v[...] = arrays[:3]
    finally:
        _errors.restore(token)
    return x, m, v


def _adam_scalars(
    rate: float, step: int, beta1: float, beta2: float, epsilon: float, weight_decay: float
) -> tuple[float, ...]:
    # The bias corrections are folded into two scalars: rate * m / (sqrt(v) + epsilon_hat) equals
    # learning_rate * m_hat / (sqrt(v_hat) + epsilon) and takes 12 passes instead of 14.
    root = sqrt(1.0 - beta2**step)
    folded = rate * root / (1.0 - beta1**step)
    return beta1, 1.0 - beta1, beta2, sqrt(1.0 - beta2), epsilon * root, folded, 1.0 - rate * weight_decay


def _adam_passes(xp: Any, arrays: list[Array], scalars: tuple[float, ...]) -> None:
    multiply, add, divide, subtract, xp_sqrt = xp.multiply, xp.add, xp.divide, xp.subtract, xp.sqrt
    dtype, asarray = arrays[0].dtype, xp.asarray
    keep1, take1, keep2, take2, epsilon_hat, rate, kept = [asarray(value, dtype=dtype) for value in scalars]
    decays = scalars[6] != 1.0
    chunks = _chunks(arrays)
    whole = xp.empty(chunks[0][0].shape, dtype)
    for xs, ms, vs, gs in chunks:
        scratch = _fitted(whole, xs)
        multiply(ms, keep1, out=ms)
        multiply(gs, take1, out=scratch)
        add(ms, scratch, out=ms)
        multiply(gs, take2, out=scratch)
        multiply(scratch, scratch, out=scratch)
        multiply(vs, keep2, out=vs)
        add(vs, scratch, out=vs)
        xp_sqrt(vs, out=scratch)
        add(scratch, epsilon_hat, out=scratch)
        divide(ms, scratch, out=scratch)
        multiply(scratch, rate, out=scratch)
        if decays:
            multiply(xs, kept, out=xs)
        subtract(xs, scratch, out=xs)
