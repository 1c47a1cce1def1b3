"""Bitwise operations on integers, elementwise; on bools they are the logical operations."""

from __future__ import annotations

from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .declaration import op, primitive

__all__ = [
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
]

_INTEGERS = "integers and bools have no gradient"


@op(dtype=dtype_rules.same_bits, shape=shape_rules.broadcast, elementwise=True, no_gradient=_INTEGERS)
def bitwise_and(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 & x2``, elementwise."""
    return primitive()


@op(dtype=dtype_rules.same_bits, shape=shape_rules.broadcast, elementwise=True, no_gradient=_INTEGERS)
def bitwise_or(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 | x2``, elementwise."""
    return primitive()


@op(dtype=dtype_rules.same_bits, shape=shape_rules.broadcast, elementwise=True, no_gradient=_INTEGERS)
def bitwise_xor(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 ^ x2``, elementwise."""
    return primitive()


@op(dtype=dtype_rules.same_bits, shape=shape_rules.same_shape, elementwise=True, no_gradient=_INTEGERS)
def bitwise_invert(x: TensorLike, /) -> Tensor:
    """``~x``, elementwise."""
    return primitive()


@op(dtype=dtype_rules.same_integer, shape=shape_rules.broadcast, elementwise=True, no_gradient=_INTEGERS)
def bitwise_left_shift(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 << x2``, elementwise; bits that leave the dtype are lost.

    For a shift below 0, or of at least the number of bits, the result is 0.
    """
    return primitive()


@op(dtype=dtype_rules.same_integer, shape=shape_rules.broadcast, elementwise=True, no_gradient=_INTEGERS)
def bitwise_right_shift(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 >> x2``, elementwise: ``floor(x1 / 2 ** x2)``.

    For a shift below 0, or of at least the number of bits, the result is 0, or -1 for a negative ``x1``.
    """
    return primitive()
