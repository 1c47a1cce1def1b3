"""Tensors extended along their axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..errors import ShapeError
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .arithmetic import maximum, minimum
from .creation import arange_, full
from .declaration import converted, op, states
from .logic import less, where
from .movement import slice_update, take

__all__ = ["pad"]

Shape = tuple[int, ...]
Widths = int | Sequence[int] | Sequence[Sequence[int]]

_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


def _pairs(pad_width: Any, rank: int) -> list[Shape]:
    """For each axis, how many elements come before it and how many behind it.

    Raises:
        ShapeError: no such numbers, or negative ones.
    """
    parts = pad_width if isinstance(pad_width, (tuple, list)) else (pad_width,)
    nested = any(isinstance(part, (tuple, list)) for part in parts)
    pairs = [shape_rules.as_shape(part) for part in (parts if nested else (parts,))]
    pairs = [pair * 2 if len(pair) == 1 else pair for pair in pairs]
    pairs = pairs * rank if len(pairs) == 1 else pairs
    if len(pairs) != rank or any(len(pair) != 2 for pair in pairs):
        raise ShapeError(
            "the widths do not match the axes.",
            expected=f"a number, (before, after), or {rank} such pairs",
            got=repr(pad_width),
            fix="give a pair of numbers for each axis",
        )
    return pairs


@states(
    takes="[...]",
    returns="{x} with its sizes increased",
    rejects="widths that do not match the axes, another ``mode``, or an empty axis to extend by its own elements",
    pad_width="how many elements to add: a number, (before, after), or such a pair for each axis.",
    mode='``"constant"``, ``"edge"``, ``"reflect"``, ``"symmetric"`` or ``"wrap"``, as in NumPy.',
)
def _padded(x: Shape, *, pad_width: Any, mode: str) -> Shape:
    if mode not in _MODES:
        raise ShapeError(f"there is no mode {mode!r}.", expected=", ".join(_MODES), got=repr(mode), fix="name one")
    pairs = _pairs(pad_width, len(x))
    for size, pair in zip(x, pairs, strict=True):
        if mode != "constant" and not size and any(pair):
            raise ShapeError(
                "an empty axis has no elements to repeat.",
                expected="axes with elements",
                got=f"shape {x}",
                fix='use mode="constant"',
            )
    return tuple(before + size + after for size, (before, after) in zip(x, pairs, strict=True))


@op(dtype=dtype_rules.same_dtype, shape=_padded)
def pad(x: TensorLike, pad_width: Widths, /, mode: str = "constant", *, constant_values: complex = 0) -> Tensor:
    """``x`` with elements added before and behind it along its axes.

    Args:
        mode: what they are: ``"constant"``: one number; ``"edge"``: the nearest element; ``"reflect"``: the elements
            mirrored at the first and the last one; ``"symmetric"``: mirrored at the edges, so that the first and the
            last one are repeated; ``"wrap"``: the elements from the other end.
        constant_values: the number.
    Source:
        NumPy, ``pad``.
    """
    x = converted(x)
    pairs = _pairs(pad_width, x.ndim)
    if mode == "constant":
        shape = _padded(x.shape, pad_width=pad_width, mode=mode)
        around = full(shape, constant_values, dtype=x.dtype, device=x.device)
        return slice_update(around, x, start=tuple(before for before, _ in pairs), step=(1,) * x.ndim)
    for axis, (before, after) in enumerate(pairs):
        if before or after:
            positions = arange_(-before, x.shape[axis] + after, 1, dtype=dtypes.int64, device=x.device)
            x = take(x, _folded(positions, x.shape[axis], mode), axis=axis)
    return x


def _folded(positions: Tensor, size: int, mode: str) -> Tensor:
    """Positions that may lie outside an axis as those of the elements that stand there."""
    from .rounding import remainder  # this family is loaded only when it is used

    if mode == "edge":
        return minimum(maximum(positions, 0), size - 1)
    if mode == "wrap":
        return remainder(positions, size)
    # The elements go up and down again: 0 1 2 1 0 1 ... for "reflect", 0 1 2 2 1 0 0 1 ... for "symmetric".
    period = max(2 * size - 2, 1) if mode == "reflect" else 2 * size
    folded = remainder(positions, period)
    return where(less(folded, size), folded, (period if mode == "reflect" else period - 1) - folded)
