"""Comparisons, truth values, and the choice between two tensors."""

from __future__ import annotations

from ..tensors.tensor import Tensor, TensorLike
from . import rules
from .declaration import op, primitive

__all__ = [
    "equal",
    "greater",
    "greater_equal",
    "isfinite",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "not_equal",
    "where",
]

_PIECEWISE = "its result is constant between jumps"


@op(dtype=rules.second_dtype, shape=rules.broadcast, elementwise=True, promotes=("x1", "x2"))
def where(condition: TensorLike, x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1`` where ``condition`` is true, ``x2`` elsewhere.

    Args:
        condition: bool[...].
        x1, x2: any dtype[...], promoted together; all three broadcast.
    Returns:
        The broadcast shape, the promoted dtype of ``x1`` and ``x2``.
    Raises:
        ShapeError: shapes that do not broadcast.
    Source:
        Array API standard 2024.12, ``where``.
    """
    return primitive()


where.gradient(
    x1=lambda g, condition: where(condition, g, 0),
    x2=lambda g, condition: where(condition, 0, g),
)


@op(dtype=rules.truth, shape=rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 == x2``, elementwise.

    Args:
        x1, x2: any dtype[...], broadcast and promoted together.
    Returns:
        The broadcast shape, bool.
    Raises:
        ShapeError: shapes that do not broadcast.
    Source:
        Array API standard 2024.12, ``equal``.
    """
    return primitive()


@op(dtype=rules.truth, shape=rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def not_equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 != x2``, elementwise.

    Args:
        x1, x2: any dtype[...], broadcast and promoted together.
    Returns:
        The broadcast shape, bool.
    Raises:
        ShapeError: shapes that do not broadcast.
    Source:
        Array API standard 2024.12, ``not_equal``.
    """
    return primitive()


@op(dtype=rules.ordered_truth, shape=rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def less(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 < x2``, elementwise.

    Args:
        x1, x2: real[...], broadcast and promoted together.
    Returns:
        The broadcast shape, bool.
    Raises:
        ShapeError: shapes that do not broadcast. DTypeError: complex operands.
    Source:
        Array API standard 2024.12, ``less``.
    """
    return primitive()


@op(dtype=rules.ordered_truth, shape=rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def less_equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 <= x2``, elementwise.

    Args:
        x1, x2: real[...], broadcast and promoted together.
    Returns:
        The broadcast shape, bool.
    Raises:
        ShapeError: shapes that do not broadcast. DTypeError: complex operands.
    Source:
        Array API standard 2024.12, ``less_equal``.
    """
    return primitive()


@op(dtype=rules.ordered_truth, shape=rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def greater(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 > x2``, elementwise.

    Args:
        x1, x2: real[...], broadcast and promoted together.
    Returns:
        The broadcast shape, bool.
    Raises:
        ShapeError: shapes that do not broadcast. DTypeError: complex operands.
    Source:
        Array API standard 2024.12, ``greater``.
    """
    return primitive()


@op(dtype=rules.ordered_truth, shape=rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def greater_equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 >= x2``, elementwise.

    Args:
        x1, x2: real[...], broadcast and promoted together.
    Returns:
        The broadcast shape, bool.
    Raises:
        ShapeError: shapes that do not broadcast. DTypeError: complex operands.
    Source:
        Array API standard 2024.12, ``greater_equal``.
    """
    return primitive()


@op(dtype=rules.logical, shape=rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def logical_and(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Both of ``x1`` and ``x2``, elementwise.

    Args:
        x1, x2: bool[...], broadcast together.
    Returns:
        The broadcast shape, bool.
    Raises:
        ShapeError: shapes that do not broadcast. DTypeError: operands that are not bool.
    Source:
        Array API standard 2024.12, ``logical_and``.
    """
    return primitive()


@op(dtype=rules.logical, shape=rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def logical_or(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Either of ``x1`` and ``x2``, elementwise.

    Args:
        x1, x2: bool[...], broadcast together.
    Returns:
        The broadcast shape, bool.
    Raises:
        ShapeError: shapes that do not broadcast. DTypeError: operands that are not bool.
    Source:
        Array API standard 2024.12, ``logical_or``.
    """
    return primitive()


@op(dtype=rules.logical, shape=rules.same_shape, elementwise=True, no_gradient=_PIECEWISE)
def logical_not(x: TensorLike, /) -> Tensor:
    """Not ``x``, elementwise.

    Args:
        x: bool[...].
    Returns:
        Shape of ``x``, bool.
    Raises:
        DTypeError: ``x`` is not bool.
    Source:
        Array API standard 2024.12, ``logical_not``.
    """
    return primitive()


@op(dtype=rules.truth, shape=rules.same_shape, elementwise=True, no_gradient=_PIECEWISE)
def isfinite(x: TensorLike, /) -> Tensor:
    """Whether ``x`` is neither infinite nor NaN, elementwise.

    Args:
        x: numeric[...].
    Returns:
        Shape of ``x``, bool.
    Raises:
        Nothing of its own.
    Source:
        Array API standard 2024.12, ``isfinite``.
    """
    return primitive()
