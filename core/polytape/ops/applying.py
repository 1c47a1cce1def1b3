"""Functions that apply a function of the caller to parts of a tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from ..dispatch.convert import asarray
from ..errors import ShapeError
from ..tensors.tensor import Tensor, TensorLike
from . import shape_rules
from .joining import stack
from .logic import where
from .manipulation import astype, broadcast_to, reshape
from .rearranging import expand_dims, moveaxis, together

__all__ = ["apply_along_axis", "apply_over_axes", "piecewise"]


def apply_along_axis(function: Callable[..., Any], axis: int, x: TensorLike, /, *args: Any, **kwargs: Any) -> Tensor:
    """The results of a function of each vector of ``x`` along an axis, in place of the vectors.

    The function is called once for each vector; a function that takes an axis, such as ``polytape.sort``, is faster.

    Args:
        function: takes a tensor of rank 1 and the further arguments; returns tensors of one shape.
        axis: the axis of the vectors.
        x: any dtype[...], with an element or more.
    Returns:
        The shape of ``x`` with the axis replaced by the axes of the results.
    Raises:
        ShapeError: an axis that does not exist, or no vectors.
    Source:
        NumPy 2.4, ``numpy.apply_along_axis``.
    """
    x = asarray(x)
    shape_rules.along_axis(x.shape, axis=axis)
    axis = axis % x.ndim
    rows = moveaxis(x, axis, -1)
    lead = rows.shape[:-1]
    results = [asarray(function(rows[place], *args, **kwargs)) for place in product(*map(range, lead))]
    if not results:
        raise ShapeError(
            "there is no vector.", expected="axes that are not empty", got=f"shape {x.shape}", fix="test x.size first"
        )
    inner = results[0].shape
    y = reshape(stack(results, axis=0), (*lead, *inner))
    for k in range(len(inner)):
        y = moveaxis(y, len(lead) + k, axis + k)
    return y


def apply_over_axes(function: Callable[[Tensor, int], Any], x: TensorLike, axes: int | Sequence[int], /) -> Tensor:
    """The result of a function of ``x`` and one axis, then of that result and the next axis, and so on.

    Args:
        function: such as ``polytape.sum``; a result with one axis less gets it back, with size 1.
        x: any dtype[...].
        axes: the axes.
    Returns:
        Rank of ``x``.
    Raises:
        ShapeError: an axis that does not exist, or a result with another rank.
    Source:
        NumPy 2.4, ``numpy.apply_over_axes``.
    """
    y = asarray(x)
    for axis in shape_rules.normalise((axes,) if isinstance(axes, int) else tuple(axes), y.ndim):
        rank = y.ndim
        result = asarray(function(y, axis))
        y = result if result.ndim == rank else expand_dims(result, axis)
        if y.ndim != rank:
            raise ShapeError(
                "the function changed the rank.",
                expected=f"a result of rank {rank}, or one less",
                got=f"shape {result.shape}",
                fix="reduce one axis",
            )
    return y


def piecewise(
    x: TensorLike, conditions: Sequence[TensorLike], functions: Sequence[Any], /, *args: Any, **kwargs: Any
) -> Tensor:
    """A function with one definition per condition; the last condition that holds chooses.

    Every function gets the whole ``x``, so that shapes are static: it must be finite, also in its derivative, where
    another one is chosen, or its gradient is NaN there.

    Args:
        x: any dtype[...].
        conditions: bool, of shapes that broadcast to that of ``x``.
        functions: for each condition a number, or a function of ``x`` and the further arguments; one more is for the
            elements where no condition holds, which are 0 otherwise.
    Returns:
        Shape and dtype of ``x``.
    Raises:
        ShapeError: a number of functions that does not fit.
    Source:
        NumPy 2.4, ``numpy.piecewise``.
    """
    x = asarray(x)
    if len(functions) - len(conditions) not in (0, 1):
        raise ShapeError(
            "piecewise needs a function for each condition.",
            expected=f"{len(conditions)} functions, or one more",
            got=f"{len(functions)}",
            fix="add the missing ones",
        )
    values = [f(x, *args, **kwargs) if callable(f) else f for f in functions]
    y = together(x, values[-1] if len(values) > len(conditions) else 0)[1]
    for condition, value in zip(conditions, values, strict=False):
        y = where(condition, value, y)
    return astype(broadcast_to(y, x.shape), x.dtype)
