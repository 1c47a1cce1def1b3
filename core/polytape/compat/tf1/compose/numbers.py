"""Compositions of elementwise ops, reductions and random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polytape as pt
from polytape import Tensor

from ....dtypes import FLOATING, category
from ...op_errors import invalid
from ..convert import generator, same, sizes, tensor, tensors

__all__ = [
    "complex_of",
    "counts",
    "cumulative",
    "gamma_numbers",
    "log_beta",
    "mean_of",
    "poisson_numbers",
    "polygamma_of",
    "quotient",
    "reduced",
    "saturated",
    "total",
    "truncated_quotient",
    "uniform_numbers",
]


def complex_of(real: Any, imag: Any) -> Tensor:
    """The complex numbers of these parts."""
    x, y = same(real, imag)
    dtype = "complex128" if x.dtype == pt.float64 else "complex64"
    return pt.astype(x, dtype) + pt.astype(y, dtype) * 1j


def quotient(x: Any, y: Any) -> Tensor:
    """`tf.div`: the quotient, of integers rounded down."""
    first, second = same(x, y)
    return first / second if category(first.dtype) >= FLOATING else first // second


def truncated_quotient(x: Tensor, y: Tensor) -> Tensor:
    """The quotient without its fraction; of integers an integer."""
    return pt.trunc(x / y) if category(x.dtype) >= FLOATING else (x - pt.fmod(x, y)) // y


def polygamma_of(a: Any, x: Any) -> Tensor:
    """The polygamma function of integer orders, elementwise: polytape's op has one order."""
    orders, points = same(a, x)
    orders, points = pt.broadcast_arrays(orders, points)
    result = pt.zeros_like(points)
    for order in sorted(set(pt.flatten(orders).tolist())):
        result = pt.where(orders == order, pt.special.polygamma(int(order), points), result)
    return result


def saturated(x: Tensor, dtype: Any) -> Tensor:
    """``x`` cast to ``dtype``, values out of its range replaced by the limits."""
    if dtype.kind in "iu":
        limits = pt.iinfo(dtype)
        # In float64 the limits of 32 bits are exact. Those of 64 bits round up, so the cast would overflow: stay below.
        high = float(limits.max) if limits.bits < 64 else float(limits.max) - 2.0**10
        if x.dtype.kind == "f":
            return pt.astype(pt.clip(pt.astype(x, "float64"), float(limits.min), high), dtype)
        own = pt.iinfo(x.dtype)
        x = pt.clip(x, max(int(limits.min), int(own.min)), min(int(limits.max), int(own.max)))
    return pt.astype(x, dtype)


def total(inputs: Any) -> Tensor:
    """`tf.add_n`: the sum of tensors of one shape.

    Raises:
        ValueError: there are none. InvalidArgumentError: their shapes differ.
    """
    if isinstance(inputs, Tensor) or not inputs:
        raise ValueError("inputs must be a list of at least one Tensor with the same dtype and shape")
    first, *rest = tensors(inputs)
    for other in rest:
        if other.shape != first.shape:
            raise invalid(
                f"add_n cannot add {first.shape} and {other.shape}.",
                expected="tensors of one shape; add_n does not broadcast",
                got=f"{first.shape} and {other.shape}",
                fix="tf.add broadcasts",
            )
    result = pt.identity(first)
    for other in rest:
        result = result + other
    return result


def cumulative(op: Callable[..., Tensor], x: Tensor, axis: int, exclusive: bool, reverse: bool) -> Tensor:
    """A cumulative sum or product.

    Args:
        op: `polytape.cumulative_sum` or `polytape.cumulative_prod`.
        x: the operand.
        axis: the axis along which to combine.
        exclusive: whether an element leaves out its own operand.
        reverse: whether to begin at the end.
    """
    operand = pt.flip(x, axis=axis) if reverse else x
    result = op(operand, axis=axis, dtype=x.dtype, include_initial=exclusive)
    if exclusive:
        keep = [slice(None)] * x.ndim
        keep[axis] = slice(0, x.shape[axis])
        result = result[tuple(keep)]
    return pt.flip(result, axis=axis) if reverse else result


def reduced(op: Callable[..., Tensor], x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    """A sum or product in the operand's dtype."""
    if x.dtype.kind in "fc" or x.dtype in (pt.int32, pt.int64):  # these dtypes stay
        return op(x, axis=axis, keepdims=keepdims)
    return op(x, axis=axis, keepdims=keepdims, dtype=x.dtype)


def mean_of(x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    """The mean in the operand's dtype; of integers without its fraction."""
    if category(x.dtype) >= FLOATING:
        return pt.mean(x, axis=axis, keepdims=keepdims)
    added = pt.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype)
    count = x.size // max(added.size, 1)
    return truncated_quotient(added, pt.full_like(added, max(count, 1)))


def log_beta(x: Tensor) -> Tensor:
    """The logarithm of the beta function of the last axis: ``sum(lgamma(x)) - lgamma(sum(x))``."""
    return pt.sum(pt.special.lgamma(x), axis=-1) - pt.special.lgamma(pt.sum(x, axis=-1))


def counts(values: Any, weights: Any, minlength: Any, maxlength: Any, dtype: Any) -> Tensor:
    """`tf.bincount`: how often each number occurs, or the sum of its weights."""
    numbers = pt.flatten(tensor(values))
    length = int(pt.max(numbers)) + 1 if numbers.size else 0
    length = length if minlength is None else max(length, int(minlength))
    length = length if maxlength is None else min(length, int(maxlength))
    if length == 0:
        return pt.zeros((0,), dtype=dtype if weights is None else tensor(weights).dtype)
    if weights is None:
        return pt.astype(pt.bincount(pt.minimum(numbers, length), length=length + 1)[:length], dtype)
    amounts = pt.flatten(tensor(weights))
    return pt.segment_sum(amounts, pt.minimum(numbers, length), num_segments=length + 1)[:length]


def gamma_numbers(shape: Any, alpha: Any, beta: Any, dtype: Any, seed: Any) -> Tensor:
    """`tf.random_gamma`: ``shape`` draws for each pair of alpha and beta."""
    a, b = pt.broadcast_arrays(tensor(alpha, dtype), tensor(1.0 if beta is None else beta, dtype))
    return pt.random.gamma(a, 1.0 / b, (*sizes(shape), *a.shape), dtype=dtype, generator=generator(seed))


def poisson_numbers(lam: Any, shape: Any, dtype: Any, seed: Any) -> Tensor:
    """`tf.random_poisson`: ``shape`` draws for each rate."""
    rate = tensor(lam, dtype)
    return pt.astype(pt.random.poisson(rate, (*sizes(shape), *rate.shape), generator=generator(seed)), dtype)


def uniform_numbers(shape: tuple[int, ...], low: Any, high: Any, dtype: Any, seed: Any) -> Tensor:
    """`tf.random_uniform`: numbers from ``low`` to ``high``, exclusive; integers for an integer dtype.

    Raises:
        ValueError: integers without ``high``.
    """
    if category(dtype) >= FLOATING:
        return pt.random.uniform(shape, low, 1.0 if high is None else high, dtype=dtype, generator=generator(seed))
    if high is None:
        raise ValueError(f"Must specify maxval for integer dtype {dtype}")
    return pt.random.integers(int(low), int(high), shape, dtype=dtype, generator=generator(seed))
