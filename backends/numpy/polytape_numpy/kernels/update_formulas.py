"""Optimizer updates by formulas, in place: the ops of the bodies in the same order, so the same bits.

setup.py compiles this module with the kernel ring, see `optim`.
"""

from __future__ import annotations

from functools import partial
from inspect import Parameter, Signature
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from .updating import COMPILED, check_shapes, chunks_of, errors

__all__ = ["by_formulas", "update_by_formula"]

Array = Any

# Elements. Formulas make temporary arrays: smaller than 128 KB, above which C libraries map memory anew each time.
_CHUNK: Final = 8192


def by_formulas(xp: Any, rows: list[tuple[str, Any, tuple[str, ...], tuple[str, ...]]]) -> list[Kernel]:
    """Kernels that compute a formula chunk by chunk; none for a device, where each chunk would be several launches.

    Args:
        xp: the module of the arrays.
        rows: per kernel its op, the formula, the names of the slots, and the scalars, see `update_by_formula`.
    """
    if xp is not np:
        return []
    atomic = COMPILED and errors.known
    kernels = []
    for op, formula, slots, scalars in rows:
        fn: Any = partial(update_by_formula, formula, len(slots) + 1, scalars)
        # Plugins that wrap kernels read the names of the operands.
        names = ["x", *slots, "g", "learning_rate", *(["step"] if "c0" in scalars else []), "hyperparameters"]
        fn.__signature__ = Signature([Parameter(name, Parameter.POSITIONAL_ONLY) for name in names])
        kernels.append(Kernel(op, fn, writes=("x", *slots), atomic=atomic))
    return kernels


def update_by_formula(formula: Any, count: int, scalars: tuple[str, ...], *operands: Array) -> Any:
    """Overwrite arrays by what a formula computes from them, the gradient and scalars.

    Args:
        formula: ``(*arrays, *scalars) -> new values of the first ``count`` arrays``.
        count: how many arrays it overwrites.
        scalars: the formula's: ``rate``; ``h0`` for the first hyperparameter; ``1-h0``; ``c0`` for one minus its power,
            a bias correction.
        operands: of the op.
    """
    own = list(operands[: count + 1])
    rate, step = operands[count + 1], operands[-2]
    check_shapes(rate, own)
    dtype = _computed_in(own[0])
    wide = _precise(operands[-1], 1 + max([int(name[-1]) for name in scalars[1:]]), dtype)
    token = errors.ignore()
    try:
        values = [(rate if name == "rate" else _scalar(name, wide, step)).astype(dtype) for name in scalars]
        _overwrite(formula, own, count, values)
    finally:
        errors.restore(token)
    return own[0] if count == 1 else tuple(own[:count])


def _computed_in(x: Array) -> Any:
    """The dtype of the arithmetic: float32 in place of a 16-bit dtype."""
    return np.dtype("float32") if x.dtype.itemsize == 2 else x.dtype


def _precise(hyperparameters: Array, count: int, dtype: Any) -> Array:
    """The hyperparameters, in ``dtype`` if that has more digits."""
    if hyperparameters.shape != (count,):
        raise ValueError(f"the vector of hyperparameters has shape {hyperparameters.shape}")
    return hyperparameters.astype(dtype) if hyperparameters.dtype.itemsize < dtype.itemsize else hyperparameters


def _overwrite(formula: Any, own: list[Array], count: int, values: list[Array]) -> None:
    """Overwrite the first ``count`` arrays, chunk by chunk."""
    half = own[0].dtype.itemsize == 2
    arrays = [array.astype("float32") for array in own] if half else own
    for chunk in chunks_of(arrays, _CHUNK):
        results = formula(*chunk, *values)
        for position in range(count):
            chunk[position][...] = results[position]
    if half:
        for position in range(count):
            own[position][...] = arrays[position]


def _scalar(name: str, hyperparameters: Array, step: Array) -> Array:
    value = hyperparameters[int(name[-1])]
    if name[0] == "1":
        return 1.0 - value
    return 1.0 - np.power(value, step.astype(hyperparameters.dtype)) if name[0] == "c" else value


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
    own = [x, m, v, g]
    check_shapes(learning_rate, own)
    if product.ndim:
        raise ValueError(f"the product of the momenta must have rank 0, not shape {product.shape}")
    dtype = _computed_in(x)
    wide = _precise(hyperparameters, 4, dtype)
    token = errors.ignore()
    try:
        t = step.astype(dtype)
        names = ("h0", "1-h0", "h1", "1-h1", "h2", "h3", "c1")
        beta1, take1, beta2, take2, epsilon, decay, second = [_scalar(name, wide, step).astype(dtype) for name in names]
        one, half, base = np.asarray([1.0, 0.5, 0.96], dtype)
        mu = beta1 * (one - half * np.power(base, decay * t))
        next_mu = beta1 * (one - half * np.power(base, decay * (t + one)))
        total = mu if t == 1 else product.astype(dtype) * mu
        of_g, of_m = (one - mu) / (one - total), next_mu / (one - total * next_mu)
        scalars = [learning_rate.astype(dtype), beta1, take1, beta2, take2, epsilon, second, of_g, of_m]
        _overwrite(nadam, own, 3, scalars)
        product[...] = total
    finally:
        errors.restore(token)
    return x, m, v, product


# --- formulas: the same operations in the same order as in the ops' bodies, so the same bits --------------------------


def nadam(
    x: Array, m: Array, v: Array, g: Array,
    a: Array, k1: Array, t1: Array, k2: Array, t2: Array, e: Array, second: Array, of_g: Array, of_m: Array,
) -> tuple[Array, ...]:  # fmt: skip
    m, v = m * k1 + g * t1, v * k2 + g * g * t2
    return x - a * (of_g * g + of_m * m) / (np.sqrt(v / second) + e), m, v


def amsgrad(
    x: Array, m: Array, v: Array, v_max: Array, g: Array,
    a: Array, k1: Array, t1: Array, k2: Array, t2: Array, e: Array, d: Array, first: Array, second: Array,
) -> tuple[Array, ...]:  # fmt: skip
    m, v = m * k1 + g * t1, v * k2 + g * g * t2
    v_max = np.maximum(v_max, v)
    return (x - a * d * x) - a * (m / first) / (np.sqrt(v_max / second) + e), m, v, v_max


def adamax(
    x: Array, m: Array, u: Array, g: Array, a: Array, k1: Array, t1: Array, k2: Array, e: Array, first: Array
) -> tuple[Array, ...]:
    m, u = m * k1 + g * t1, np.maximum(u * k2, abs(g) + e)
    return x - a * (m / first) / u, m, u


def adagrad(x: Array, total: Array, g: Array, a: Array, e: Array) -> tuple[Array, ...]:
    total = total + g * g
    return x - a * g / (np.sqrt(total) + e), total


def rmsprop(
    x: Array, square: Array, velocity: Array, g: Array, a: Array, k: Array, t: Array, w: Array, e: Array
) -> tuple[Array, ...]:
    square = k * square + t * (g * g)
    velocity = w * velocity + g / (np.sqrt(square) + e)
    return x - a * velocity, square, velocity


def centered_rmsprop(
    x: Array, square: Array, mean: Array, velocity: Array, g: Array, a: Array, k: Array, t: Array, w: Array, e: Array
) -> tuple[Array, ...]:
    square, mean = k * square + t * (g * g), k * mean + t * g
    zero = square.dtype.type(0.0)
    velocity = w * velocity + g / (np.sqrt(np.maximum(square - mean * mean, zero)) + e)
    return x - a * velocity, square, mean, velocity


def adadelta(
    x: Array, square: Array, moved: Array, g: Array, a: Array, k: Array, t: Array, e: Array
) -> tuple[Array, ...]:
    square = k * square + t * (g * g)
    step = np.sqrt(moved + e) / np.sqrt(square + e) * g
    return x - a * step, square, k * moved + t * (step * step)


def ftrl(
    x: Array, before: Array, linear: Array, g: Array, a: Array, p: Array, l1: Array, l2: Array
) -> tuple[Array, ...]:
    after = before + g * g
    if p == -0.5:
        root, old = np.sqrt(after), np.sqrt(before)
    else:  # the op's body computes some of these powers otherwise, so last bits may differ
        root, old = np.power(after, -p), np.power(before, -p)
    linear = linear + g - (root - old) / a * x
    two, zero = x.dtype.type(2.0), x.dtype.type(0.0)
    y = (np.sign(linear) * l1 - linear) / (root / a + two * l2)
    return np.where(abs(linear) > l1, y, zero), after, linear


def shrunk(x: Array, a: Array, l1: Array, l2: Array) -> Array:
    one, zero = x.dtype.type(1.0), x.dtype.type(0.0)
    return np.sign(x) * np.maximum(abs(x) - a * l1, zero) / (one + a * l2)


def proximal_sgd(x: Array, g: Array, a: Array, l1: Array, l2: Array) -> tuple[Array, ...]:
    return (shrunk(x - a * g, a, l1, l2),)


def proximal_adagrad(x: Array, total: Array, g: Array, a: Array, l1: Array, l2: Array) -> tuple[Array, ...]:
    total = total + g * g
    rates = a / np.sqrt(total)
    return shrunk(x - rates * g, rates, l1, l2), total


def lion(
    x: Array, m: Array, g: Array, a: Array, k1: Array, t1: Array, k2: Array, t2: Array, d: Array
) -> tuple[Array, ...]:
    return x - a * (np.sign(m * k1 + g * t1) + d * x), m * k2 + g * t2
