"""Optimizer updates in place: one kernel per update rule, over chunks that stay in a core's cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import sqrt
from typing import Any, Final

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any

# Elements. 10 million float32 parameters take 16.7 ms in such chunks and 25 ms in a single one; with chunks of 16,384
# the overhead of the calls is larger.
_CHUNK: Final = 65536


def kernels(xp: Any) -> list[Kernel]:
    """The optimizer kernels on the arrays of ``xp``.

    They read the 0-d operands ``learning_rate`` and ``step`` as Python numbers, which synchronizes with a device.
    """
    return [
        Kernel("sgd_update", _sgd_update(xp), writes=("x",)),
        Kernel("adam_update", _adam_update(xp), writes=("x", "m", "v")),
    ]


def _check_shapes(rate: Array, *arrays: Array) -> None:
    # Operations with out= would silently broadcast a smaller gradient, or a rate per element.
    shape = arrays[0].shape
    if rate.ndim:
        raise ValueError(f"the learning rate must have rank 0, not shape {rate.shape}")
    for array in arrays[1:]:
        if array.shape != shape:
            raise ValueError(f"the variable, its slots and its gradient differ in shape: {[a.shape for a in arrays]}")


def _chunks(*arrays: Array) -> Iterable[tuple[Array, ...]]:
    """The arrays in chunks of the same elements; the chunks are views, except possibly those of the last array."""
    size = arrays[0].size
    if size <= _CHUNK or not all(array.flags.c_contiguous for array in arrays[:-1]):
        return (arrays,)
    flat = [array.reshape(-1) for array in arrays]
    return [tuple(array[start : start + _CHUNK] for array in flat) for start in range(0, size, _CHUNK)]


def _sgd_update(xp: Any) -> Callable[..., Array]:
    multiply, subtract, empty_like = xp.multiply, xp.subtract, xp.empty_like

    def sgd_update(x: Array, g: Array, learning_rate: Array) -> Array:
        _check_shapes(learning_rate, x, g)
        scratch = None
        for xs, gs in _chunks(x, g):
            if scratch is None or scratch.shape != xs.shape:
                scratch = empty_like(xs)
            multiply(gs, learning_rate, out=scratch)
            subtract(xs, scratch, out=xs)
        return x

    return sgd_update


def _adam_scalars(rate: float, step: int, beta1: float, beta2: float, epsilon: float) -> tuple[float, ...]:
    # The bias corrections are folded into two scalars: rate * m / (sqrt(v) + epsilon_hat) equals
    # learning_rate * m_hat / (sqrt(v_hat) + epsilon) and takes 12 passes instead of 14.
    root = sqrt(1.0 - beta2**step)
    return beta1, 1.0 - beta1, beta2, sqrt(1.0 - beta2), epsilon * root, rate * root / (1.0 - beta1**step)


def _adam_update(xp: Any) -> Callable[..., tuple[Array, Array, Array]]:
    update = _adam_passes(xp)

    def adam_update(
        x: Array,
        m: Array,
        v: Array,
        g: Array,
        learning_rate: Array,
        step: Array,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-7,
    ) -> tuple[Array, Array, Array]:
        _check_shapes(learning_rate, x, m, v, g)
        scalars = _adam_scalars(float(learning_rate), int(step.item()), beta1, beta2, epsilon)
        if x.dtype.itemsize == 2:
            # In half precision, epsilon and the square of a small gradient would be 0.
            wide = [array.astype("float32") for array in (x, m, v, g)]
            update(*wide, scalars)
            for array, value in zip((x, m, v), wide, strict=False):
                array[...] = value
        else:
            update(x, m, v, g, scalars)
        return x, m, v

    return adam_update


def _adam_passes(xp: Any) -> Callable[..., None]:
    multiply, add, divide, subtract, xp_sqrt = xp.multiply, xp.add, xp.divide, xp.subtract, xp.sqrt
    asarray, empty_like = xp.asarray, xp.empty_like

    def update(x: Array, m: Array, v: Array, g: Array, scalars: tuple[float, ...]) -> None:
        keep1, take1, keep2, take2, epsilon_hat, rate = [asarray(value, dtype=x.dtype) for value in scalars]
        scratch = None
        for xs, ms, vs, gs in _chunks(x, m, v, g):
            if scratch is None or scratch.shape != xs.shape:
                scratch = empty_like(xs)
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
            subtract(xs, scratch, out=xs)

    return update
