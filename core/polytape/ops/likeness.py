"""Tensors with the shape and dtype of another, and triangles of matrices."""

from __future__ import annotations

from typing import Any

from ..device import Device
from ..dispatch.convert import asarray
from ..errors import ShapeError
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules
from .creation import at_diagonal, full, ones, zeros
from .declaration import converted, op, states
from .logic import greater_equal, less_equal, where

__all__ = ["empty_like", "full_like", "ones_like", "tril", "triu", "zeros_like"]


def _like(x: TensorLike, dtype: Any, device: Any) -> tuple[tuple[int, ...], Any, Any]:
    """The shape, dtype and device of a tensor that is like ``x``."""
    if not isinstance(x, Tensor):
        x = asarray(x)
    return x.shape, x.dtype if dtype is None else dtype, x.device if device is None else device


def zeros_like(x: TensorLike, /, *, dtype: Any = None, device: Device | str | None = None) -> Tensor:
    """A tensor of zeros with the shape of another.

    Args:
        x: any dtype[...].
        dtype, device: default: those of ``x``.
    Returns:
        Shape of ``x``, ``dtype``.
    Source:
        Array API standard 2025.12, ``zeros_like``.
    """
    shape, dtype, device = _like(x, dtype, device)
    return zeros(shape, dtype=dtype, device=device)


def ones_like(x: TensorLike, /, *, dtype: Any = None, device: Device | str | None = None) -> Tensor:
    """A tensor of ones with the shape of another.

    Args:
        x: any dtype[...].
        dtype, device: default: those of ``x``.
    Returns:
        Shape of ``x``, ``dtype``.
    Source:
        Array API standard 2025.12, ``ones_like``.
    """
    shape, dtype, device = _like(x, dtype, device)
    return ones(shape, dtype=dtype, device=device)


def empty_like(x: TensorLike, /, *, dtype: Any = None, device: Device | str | None = None) -> Tensor:
    """A tensor with the shape of another, whose elements have any value; here, zeros.

    Args:
        x: any dtype[...].
        dtype, device: default: those of ``x``.
    Returns:
        Shape of ``x``, ``dtype``.
    Source:
        Array API standard 2025.12, ``empty_like``.
    """
    return zeros_like(x, dtype=dtype, device=device)


def full_like(
    x: TensorLike, /, fill_value: TensorLike, *, dtype: Any = None, device: Device | str | None = None
) -> Tensor:
    """A tensor filled with one number, with the shape of another.

    Args:
        x: any dtype[...].
        fill_value: a Python number, or a tensor without axes; differentiable.
        dtype, device: default: those of ``x``.
    Returns:
        Shape of ``x``, ``dtype``.
    Raises:
        DTypeError: ``fill_value`` is not a number.
    Source:
        Array API standard 2025.12, ``full_like``.
    """
    shape, dtype, device = _like(x, dtype, device)
    return full(shape, fill_value, dtype=dtype, device=device)


@states(
    takes="[..., m, n]",
    returns="same",
    rejects="an operand with fewer than two axes",
    k="the diagonal: 0 the main one, above 0 one to the right of it, below 0 one to the left.",
)
def _matrices(x: tuple[int, ...], *, k: int) -> tuple[int, ...]:
    if len(x) < 2:
        raise ShapeError(
            "the operand is no matrix.", expected="two axes or more", got=f"shape {x}", fix="reshape it first"
        )
    return x


@op(dtype=dtype_rules.same_dtype, shape=_matrices)
def tril(x: TensorLike, /, *, k: int = 0) -> Tensor:
    """The lower triangle of matrices, up to a diagonal; the elements above it are 0."""
    x = converted(x)
    row, column = at_diagonal(x.shape, k, x.device)
    return where(greater_equal(row, column), x, zeros_like(x))


tril.gradient(x=lambda g, k: tril(g, k=k))


@op(dtype=dtype_rules.same_dtype, shape=_matrices)
def triu(x: TensorLike, /, *, k: int = 0) -> Tensor:
    """The upper triangle of matrices, from a diagonal on; the elements below it are 0."""
    x = converted(x)
    row, column = at_diagonal(x.shape, k, x.device)
    return where(less_equal(row, column), x, zeros_like(x))


triu.gradient(x=lambda g, k: triu(g, k=k))
