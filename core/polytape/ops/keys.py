"""Keys of ``x[key]``: a hashable template, and the tensors in it; bool masks become positions.

A key is split into a hashable template (slices are not hashable before Python 3.12) and the tensors in it:
``("slice", start, stop, step)``, ``("int", i)``, ``("newaxis",)``, ``("ellipsis",)``, ``("array",)``.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from .. import dtypes
from ..errors import DTypeError, OutOfRangeError, ShapeError
from ..tensors.scope import current_scope
from ..tensors.tensor import Symbol, Tensor, describe
from .manipulation import reshape

__all__ = ["CONSUMING", "Key", "MaskedRegion", "masked_region", "split_key", "without_masks"]


class Key(tuple[tuple[Any, ...], ...]):
    """The template of a key. It prints as the user wrote it, with ``array`` for each tensor."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"[{', '.join([_part_text(part) for part in self])}]"


def _part_text(part: tuple[Any, ...]) -> str:
    if part[0] == "slice":
        bounds = ["" if bound is None else str(bound) for bound in part[1:]]
        return ":".join(bounds if bounds[2] else bounds[:2])
    if part[0] == "int":
        return str(part[1])
    return {"newaxis": "None", "ellipsis": "..."}.get(part[0], "array")


CONSUMING: Final = ("slice", "int", "array")  # the parts that consume an axis of the operand
_FULL: Final = ("slice", None, None, None)


def split_key(key: Any) -> tuple[Key, list[Any]]:
    """The template and the index operands of a key.

    Raises:
        DTypeError: an object that is not an index.
    """
    template: list[tuple[Any, ...]] = []
    arrays: list[Any] = []
    for part in key if isinstance(key, tuple) else (key,):
        if isinstance(part, slice):
            template.append(("slice", _bound(part.start), _bound(part.stop), _bound(part.step)))
        elif part is None:
            template.append(("newaxis",))
        elif part is Ellipsis:
            template.append(("ellipsis",))
        elif isinstance(part, (int, np.integer)) and not isinstance(part, (bool, np.bool_)):
            template.append(("int", int(part)))
        elif isinstance(part, (Tensor, np.ndarray, list, bool, np.bool_)):
            template.append(("array",))
            arrays.append(_index_operand(part))
        else:
            raise DTypeError(
                f"a tensor cannot be indexed by {describe(part)}.",
                expected="integers, slices, None, ..., and integer or bool tensors",
                got=type(part).__name__,
                fix="convert the index with polytape.asarray first",
            )
    return Key(template), arrays


def _index_operand(part: Any) -> Any:
    if isinstance(part, Tensor):
        return part
    try:
        # An empty list would become a float array; as an index it holds no positions.
        return np.asarray(part, "int64" if isinstance(part, list) and not part else None)
    except ValueError:  # it is ragged, or nested too deep: the conversion to a tensor says so
        return part


def _bound(value: Any) -> int | None:
    return None if value is None else int(value.__index__())


def without_masks(x: Tensor, template: Key, indices: list[Any]) -> tuple[Tensor, Key, list[Any]]:
    """``x`` and the key with each bool mask replaced by the positions where it is true, as in NumPy.

    The number of these positions determines the result's shape, so the mask is read on the host. Kernels receive
    integer indices only. A mask of rank 0 selects from a new axis of size 1, which ``x`` gets here.

    Raises:
        ShapeError: a mask inside a traced function, or one whose sizes differ from those of the axes it indexes.
    """
    if not any(_is_mask(index) for index in indices):
        return x, template, indices
    remaining = iter(indices)
    pairs = [(part, next(remaining) if part[0] == "array" else None) for part in template]
    masks = [_host_mask(x, index) if index is not None and _is_mask(index) else None for _, index in pairs]
    widths = [
        mask.ndim if mask is not None else part[0] in CONSUMING for (part, _), mask in zip(pairs, masks, strict=True)
    ]
    parts: list[tuple[Any, ...]] = []
    arrays: list[Any] = []
    shape = list(x.shape)
    axis = added = 0
    for (part, index), mask, width in zip(pairs, masks, widths, strict=True):
        if mask is not None and mask.ndim == 0:
            parts.append(part)
            arrays.append(np.asarray([0] * int(mask), "int64"))
            shape.insert(axis + added, 1)
            added += 1
        elif mask is not None:
            _check_mask(x, mask, axis)
            parts += [part] * width
            arrays += mask.nonzero()
        else:
            parts.append(part)
            arrays += [] if index is None else [index]
        axis += x.ndim - sum(widths) if part[0] == "ellipsis" else width
    return reshape(x, tuple(shape)) if added else x, Key(parts), arrays


class MaskedRegion(NamedTuple):
    """A key with one bool mask of a trace, as the region that the mask covers.

    Attributes:
        key: of the region: a full slice for each axis that the mask indexes.
        mask: bool[...].
        before: the number of the region's axes before those of the mask.
        whole: whether the region is all of the operand.
    """

    key: Key
    mask: Any
    before: int
    whole: bool


def masked_region(x: Tensor, template: Key, indices: list[Any]) -> MaskedRegion | None:
    """What a key covers whose only tensor is a bool mask that a trace computes; None for any other key.

    Raises:
        OutOfRangeError: sizes of the mask that differ from those of the axes it indexes.
    """
    if len(indices) != 1 or not _is_traced_mask(indices[0]):
        return None
    mask = indices[0]
    position = template.index(("array",))
    first, last = template[:position], template[position + 1 :]
    key = Key([*first, *[_FULL] * mask.ndim, *last])
    consumed = len([part for part in key if part[0] in CONSUMING])
    open_axes = x.ndim - consumed
    before = axis = 0
    for part in first:
        width = open_axes if part[0] == "ellipsis" else 1
        before += width if part[0] != "int" else 0
        axis += width if part[0] != "newaxis" else 0
    _check_mask(x, mask, axis)
    whole = open_axes >= 0 and all(part in (_FULL, ("ellipsis",)) for part in key) and key.count(("ellipsis",)) < 2
    return MaskedRegion(key, mask, before, whole)


def place() -> str:
    """What is open around the call, as errors name it."""
    name: str = getattr(current_scope.get().trace, "what", "a traced function")
    return name


def _host_mask(x: Tensor, mask: Any) -> Any:
    if _is_traced_mask(mask):
        raise ShapeError(
            f"{describe(x)} cannot be indexed by a bool mask inside {place()}.",
            expected="an index whose result has a known shape",
            got="a bool mask, whose result has one element per true element",
            fix="use polytape.where, or index outside the function",
        )
    return np.asarray(mask)


def _check_mask(x: Tensor, mask: Any, axis: int) -> None:
    expected = x.shape[axis : axis + mask.ndim]
    # The standard also allows sizes of 0, which select nothing.
    sizes = list(zip(mask.shape, expected, strict=False))
    if len(expected) != mask.ndim or any(size not in (actual, 0) for size, actual in sizes):
        raise OutOfRangeError(
            f"{describe(x)} cannot be indexed by a bool mask of shape {mask.shape}.",
            expected=f"a mask of shape {expected or x.shape}",
            got=f"shape {mask.shape}",
            fix="pass one bool per element of the axes that the mask indexes",
        )


def _is_traced_mask(index: Any) -> bool:
    return isinstance(index, Tensor) and isinstance(index.array, Symbol) and _is_mask(index)


def _is_mask(index: Any) -> bool:
    return not isinstance(index, list) and bool(index.dtype == dtypes.bool_)
