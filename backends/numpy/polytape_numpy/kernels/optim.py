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

from .update_formulas import adamax, amsgrad, by_formulas, nadam_update
from .updating import COMPILED, check_shapes, chunks_of, errors, fitted

__all__ = ["kernels"]

Array = Any

_MOMENTS: Final = ("rate", "h0", "1-h0", "h1", "1-h1", "h2")


def kernels(xp: Any) -> list[Kernel]:
    """The optimizer kernels on the arrays of ``xp``.

    They read the 0-d operands ``learning_rate`` and ``step`` as Python numbers, which synchronizes with a device.
    """
    atomic = xp is np and COMPILED and errors.known
    # Not closures: mypyc compiles those to objects without a signature, which core and other plugins read.
    kernels = [
        Kernel("sgd_update", partial(sgd_update, xp), writes=("x",), atomic=atomic),
        Kernel("momentum_update", partial(momentum_update, xp), writes=("x", "velocity"), atomic=atomic),
        Kernel("adam_update", partial(adam_update, xp), writes=("x", "m", "v"), atomic=atomic),
        Kernel("flat_part", flat_part),
        Kernel("set_rows", partial(set_rows, xp), writes=("x",), atomic=atomic),
        *by_formulas(
            xp,
            [
                ("amsgrad_update", amsgrad, ("m", "v", "v_max"), (*_MOMENTS, "h3", "c0", "c1")),
                ("adamax_update", adamax, ("m", "u"), ("rate", "h0", "1-h0", "h1", "h2", "c0")),
            ],
        ),
    ]
    if xp is np:
        kernels.append(Kernel("nadam_update", nadam_update, writes=("x", "m", "v", "product"), atomic=atomic))
    return kernels


def sgd_update(xp: Any, x: Array, g: Array, learning_rate: Array) -> Array:
    multiply, subtract = xp.multiply, xp.subtract
    check_shapes(learning_rate, [x, g])
    chunks = chunks_of([x, g])
    scratch = xp.empty(chunks[0][0].shape, x.dtype)  # not empty_like, whose dispatch runs Python code
    token = errors.ignore()
    try:
        for xs, gs in chunks:
            part = fitted(scratch, xs)
            multiply(gs, learning_rate, out=part)
            subtract(xs, part, out=xs)
    finally:
        errors.restore(token)
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
    check_shapes(learning_rate, [x, velocity, g])
    momentum, weight_decay = hyperparameters.tolist()
    half = x.dtype.itemsize == 2
    arrays = [array.astype("float32") for array in (x, velocity, g)] if half else [x, velocity, g]
    token = errors.ignore()
    try:
        _momentum_passes(xp, arrays, (momentum, weight_decay, float(learning_rate)), bool(nesterov))
        if half:
            x[...], velocity[...] = arrays[:2]
    finally:
        errors.restore(token)
    return x, velocity


def _momentum_passes(xp: Any, arrays: list[Array], scalars: tuple[float, ...], nesterov: bool) -> None:
    multiply, add, subtract = xp.multiply, xp.add, xp.subtract
    dtype, asarray = arrays[0].dtype, xp.asarray
    momentum, decay, rate = [asarray(value, dtype=dtype) for value in scalars]
    decays = scalars[1] != 0.0
    chunks = chunks_of(arrays)
    whole, sums = xp.empty(chunks[0][0].shape, dtype), xp.empty(chunks[0][0].shape, dtype)
    for xs, vs, gs in chunks:
        scratch = fitted(whole, xs)
        if decays:
            total = fitted(sums, xs)
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
    check_shapes(learning_rate, [x, m, v, g])
    beta1, beta2, epsilon, weight_decay = hyperparameters.tolist()
    rate = float(learning_rate)
    scalars = _adam_scalars(rate, int(step.item()), beta1, beta2, epsilon, weight_decay)
    # In half precision, epsilon and the square of a small gradient would be 0.
    half = x.dtype.itemsize == 2
    arrays = [array.astype("float32") for array in (x, m, v, g)] if half else [x, m, v, g]
    token = errors.ignore()
    try:
        _adam_passes(xp, arrays, scalars)
        if half:
            x[...], m[...], v[...] = arrays[:3]
    finally:
        errors.restore(token)
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
    chunks = chunks_of(arrays)
    whole = xp.empty(chunks[0][0].shape, dtype)
    for xs, ms, vs, gs in chunks:
        scratch = fitted(whole, xs)
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


# The attributes are not annotated: see momentum_update.
def flat_part(x: Array, *, start: Any, shape: Any) -> Array:
    size = 1
    for extent in shape:
        size *= extent
    part = x[start : start + size]
    return part if part.shape == shape else part.reshape(shape)  # an error if the part is not inside the operand


def set_rows(xp: Any, x: Array, indices: Array, rows: Array) -> Array:
    if rows.shape != (*indices.shape, *x.shape[1:]):
        raise ValueError(f"rows of shape {rows.shape} do not fit an array of shape {x.shape}")
    x[indices] = rows  # the positions are checked before anything is written
    return x
