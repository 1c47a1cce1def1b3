"""NumPy's functions that join tensors along the axis that their name says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ShapeError
from ..tensors.tensor import Tensor, TensorLike
from .manipulation import concat, reshape
from .rearranging import atleast_1d, atleast_2d, atleast_3d, flatten, together

__all__ = ["append", "block", "column_stack", "dstack", "hstack", "vstack"]


def append(x: TensorLike, values: TensorLike, /, *, axis: int | None = None) -> Tensor:
    """``x`` with ``values`` behind it along an axis.

    Args:
        x, values: any dtype[...], promoted together; shapes that agree except along the axis.
        axis: the axis; None joins both flat.
    Raises:
        ShapeError: shapes that do not fit, or an axis that does not exist.
    Source:
        NumPy 2.4, ``numpy.append``.
    """
    first, second = together(x, values)
    if axis is None:
        first, second, axis = flatten(first), flatten(second), 0
    return concat([first, second], axis)


def hstack(arrays: Sequence[TensorLike], /) -> Tensor:
    """Join tensors along the second axis, or vectors along their only one.

    Args:
        arrays: any dtype[...], promoted together; shapes that agree except along the axis. Numbers become vectors.
    Raises:
        ShapeError: shapes that do not fit, or no operands.
    Source:
        NumPy 2.4, ``numpy.hstack``.
    """
    parts = [atleast_1d(x) for x in together(*arrays)]
    return concat(parts, 0 if parts and parts[0].ndim == 1 else 1)


def vstack(arrays: Sequence[TensorLike], /) -> Tensor:
    """Join tensors along the first axis; vectors become rows.

    Args:
        arrays: any dtype[...], promoted together; shapes that agree except along the axis.
    Raises:
        ShapeError: shapes that do not fit, or no operands.
    Source:
        NumPy 2.4, ``numpy.vstack``.
    """
    return concat([atleast_2d(x) for x in together(*arrays)], 0)


def dstack(arrays: Sequence[TensorLike], /) -> Tensor:
    """Join tensors along the third axis; ``[n]`` becomes ``[1, n, 1]`` and ``[m, n]`` becomes ``[m, n, 1]``.

    Args:
        arrays: any dtype[...], promoted together; shapes that agree except along the axis.
    Raises:
        ShapeError: shapes that do not fit, or no operands.
    Source:
        NumPy 2.4, ``numpy.dstack``.
    """
    return concat([atleast_3d(x) for x in together(*arrays)], 2)


def column_stack(arrays: Sequence[TensorLike], /) -> Tensor:
    """Join tensors along the second axis; vectors become columns.

    Args:
        arrays: any dtype[...], promoted together; shapes that agree except along the axis.
    Raises:
        ShapeError: shapes that do not fit, or no operands.
    Source:
        NumPy 2.4, ``numpy.column_stack``.
    """
    return concat([reshape(x, (-1, 1)) if x.ndim < 2 else x for x in together(*arrays)], 1)


def block(arrays: Any, /) -> Tensor:
    """Join nested lists of tensors: the innermost lists along the last axis, the next along the one before it.

    Args:
        arrays: a tensor, or lists of the same depth; promoted together. Operands get axes of size 1 in front, so that
            all have as many, and at least as many as the lists are deep.
    Raises:
        ShapeError: shapes that do not fit, lists of different depths, or an empty list.
    Source:
        NumPy 2.4, ``numpy.block``.
    """
    leaves: list[Any] = []
    depth = _depth(arrays, leaves)
    operands = iter(operands_ := together(*leaves))
    rank = max(depth, *(x.ndim for x in operands_))

    def joined(part: Any, level: int) -> Tensor:
        if isinstance(part, list):
            return concat([joined(inner, level - 1) for inner in part], rank - level)
        x = next(operands)
        return reshape(x, (*(1,) * (rank - x.ndim), *x.shape))

    return joined(arrays, depth)


def _depth(part: Any, leaves: list[Any]) -> int:
    """How deep lists are nested; appends what is in them to ``leaves``."""
    if not isinstance(part, list):
        leaves.append(part)
        return 0
    depths = {_depth(inner, leaves) for inner in part}
    if len(depths) != 1:
        raise ShapeError(
            "block needs lists of the same depth.",
            expected="lists that are not empty, nested equally deep",
            got=f"depths {sorted(depths)}" if depths else "an empty list",
            fix="put single operands into lists too",
        )
    return depths.pop() + 1
