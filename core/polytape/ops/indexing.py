"""Indexing: ``x[key]``, its transpose, and the functional update behind ``x[key] = value``.

A key is split into a hashable template (slices are not hashable before Python 3.12) and the tensors in it:
``("slice", start, stop, step)``, ``("int", i)``, ``("newaxis",)``, ``("ellipsis",)``, ``("array",)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..dispatch.convert import asarray
from ..dtypes import DType
from ..errors import DTypeError, OutOfRangeError, ShapeError
from ..tensors.tensor import Symbol, Tensor, TensorLike, describe
from . import shape_rules
from .declaration import op, primitive
from .manipulation import astype

__all__: list[str] = []

Shape = tuple[int, ...]


class Key(tuple[tuple[Any, ...], ...]):
    """A key's template; prints as it was written, with ``array`` for each tensor."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"[{', '.join([_written(part) for part in self])}]"


def _written(part: tuple[Any, ...]) -> str:
    if part[0] == "slice":
        words = ["" if bound is None else str(bound) for bound in part[1:]]
        return ":".join(words if words[2] else words[:2])
    if part[0] == "int":
        return str(part[1])
    return {"newaxis": "None", "ellipsis": "..."}.get(part[0], "array")


_CONSUMING = ("slice", "int", "array")  # what takes an axis of the operand


def split_key(key: Any) -> tuple[Key, list[Any]]:
    """A key as template and index operands.

    Raises:
        DTypeError: something that is no index.
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
        elif isinstance(part, (Tensor, np.ndarray, list)):
            template.append(("array",))
            # An empty list has no dtype of its own: as an index it holds no positions.
            arrays.append(np.asarray(part, "int64") if isinstance(part, list) and not part else part)
        else:
            raise DTypeError(
                f"a tensor cannot be indexed by {describe(part)}.",
                expected="integers, slices, None, ..., and integer or bool tensors",
                got=type(part).__name__,
                fix="convert the index with polytape.asarray first",
            )
    return Key(template), arrays


def _bound(value: Any) -> int | None:
    return None if value is None else int(value.__index__())


def _element_dtype(x: DType, *indices: DType) -> DType:
    for index in indices:
        if dtypes.category(index) != dtypes.INTEGER:
            raise DTypeError(
                "indices must be integers.",
                expected="integer index tensors (x[mask] makes them of truth values)",
                got=str(index),
                fix="cast the index, for example with polytape.astype(index, 'int32')",
            )
    return x


def _assigned_dtype(x: DType, value: DType, *indices: DType) -> DType:
    if value is not x:
        raise DTypeError("the value has another dtype.", expected=str(x), got=str(value), fix="cast the value first")
    return _element_dtype(x, *indices)


def _indexed(x: Shape, *indices: Shape, key: Key) -> Shape:
    """The shape of ``x[key]``."""
    consumed = 0
    for part in key:
        if part[0] in _CONSUMING:
            consumed += 1
    if consumed > len(x):
        raise OutOfRangeError(
            "too many indices.", expected=f"at most {len(x)}", got=f"{consumed}", fix="index fewer axes"
        )
    parts = _spelled_out(key, len(x) - consumed)
    result: list[int] = []
    advanced: list[Shape] = []
    places: list[int] = []
    runs: set[int] = set()
    operands = iter(indices)
    axis = gap = 0
    for part in parts:
        if part[0] == "ellipsis":
            gap = 1  # it parts two index arrays even where it stands for no axis
            continue
        if part[0] == "newaxis":
            result.append(1)
            continue
        if part[0] == "slice":
            result.append(len(range(*slice(part[1], part[2], part[3]).indices(x[axis]))))
        else:
            if part[0] == "array":
                advanced.append(next(operands))
            else:
                _check_bound(part[1], x[axis], axis)
                if indices:
                    advanced.append(())  # NumPy: beside index arrays an integer broadcasts with them
            places.append(len(result))
            runs.add(len(result) + gap)
        axis += 1
    if not advanced:
        return tuple(result)
    place = places[0] if len(runs) == 1 else 0  # apart from each other, they come first
    return (*result[:place], *shape_rules.broadcast(*advanced), *result[place:])


def _check_bound(index: int, size: int, axis: int) -> None:
    if not -size <= index < size:
        raise OutOfRangeError(
            f"index {index} is out of range.",
            expected=f"an index from {-size} to {size - 1} in axis {axis}",
            got=str(index),
            fix="check the size of that axis",
        )


def _spelled_out(key: Key, open_axes: int) -> list[tuple[Any, ...]]:
    whole = ("slice", None, None, None)
    parts: list[tuple[Any, ...]] = []
    seen = False
    for part in key:
        if part[0] == "ellipsis" and not seen:
            parts += [part, *[whole] * open_axes]
            seen = True
        elif part[0] != "ellipsis":
            parts.append(part)
        else:
            raise ShapeError("two ellipses.", expected="at most one ...", got="two", fix="write the slices out")
    return parts if seen else [*parts, *[whole] * open_axes]


@op(dtype=_element_dtype, shape=_indexed, internal="x[key]")
def getitem(x: TensorLike, indices: Sequence[TensorLike] = (), /, *, key: Key) -> Tensor:
    """Elements chosen by a key; written ``x[key]``.

    Args:
        x: any dtype[...].
        indices: integer[...], the tensors of the key.
        key: template of the key.
    Returns:
        The shape that NumPy's indexing gives, dtype of ``x``.
    Raises:
        ShapeError: an index out of range, or too many. DTypeError: an index that is no integer.
    Source:
        Array API standard 2024.12, "Indexing"; NumPy's for several index arrays.
    """
    return primitive()


@getitem.gradient("x")
def _getitem_back(g: Tensor, indices: tuple[Tensor, ...], x_shape: Shape, key: Key) -> Tensor:
    return scatter_add(g, indices, key=key, shape=x_shape)


def _scattered(values: Shape, *indices: Shape, shape: Any, key: Key) -> Shape:
    wanted = shape_rules.as_shape(shape)
    found = _indexed(wanted, *indices, key=key)
    if found != values:
        raise ShapeError(
            "the values do not fit the key.",
            expected=f"values of shape {found}",
            got=f"shape {values}",
            fix="broadcast the values first",
        )
    return wanted


@op(dtype=_element_dtype, shape=_scattered, internal="the gradient of x[key]")
def scatter_add(values: TensorLike, indices: Sequence[TensorLike] = (), /, *, key: Key, shape: Shape) -> Tensor:
    """Zeros with values added where a key points; the transpose of `getitem`.

    Args:
        values: numeric[...], of the shape that the key gives.
        indices: integer[...], the tensors of the key.
        key: template of the key.
        shape: of the result.
    Returns:
        ``shape``, dtype of ``values``; places that are named several times get the sum.
    Raises:
        ShapeError: values that do not fit.
    Source:
        TensorFlow 1.7, ``tf.scatter_nd``.
    """
    return primitive()


scatter_add.gradient(values=lambda g, indices, key: getitem(g, indices, key=key))


def _updated(x: Shape, value: Shape, *indices: Shape, key: Key) -> Shape:
    shape_rules.broadcast_to_shape(value, shape=_indexed(x, *indices, key=key))
    return x


@op(dtype=_assigned_dtype, shape=_updated, promotes=(), internal="x[key] = value")
def setitem_(x: TensorLike, value: TensorLike, indices: Sequence[TensorLike] = (), /, *, key: Key) -> Tensor:
    """``x`` with other elements where a key points; behind ``x[key] = value``.

    Args:
        x: any dtype[...].
        value: dtype of ``x``, of a shape that broadcasts to what the key chooses.
        indices: integer[...], the tensors of the key.
        key: template of the key.
    Returns:
        Shape and dtype of ``x``.
    Raises:
        ShapeError: a value that does not fit.
    Source:
        Array API standard 2024.12, "In-place and array assignment".
    """
    return primitive()


@setitem_.gradient("x")
def _setitem_back(g: Tensor, indices: tuple[Tensor, ...], key: Key) -> Tensor:
    return setitem_(g, _zero_like(g), indices, key=key)


@setitem_.gradient("value")
def _setitem_value_back(g: Tensor, indices: tuple[Tensor, ...], value_shape: Shape, key: Key) -> Tensor:
    from ..autodiff.cotangent import unbroadcast  # loaded with the first tape

    chosen = getitem(g, indices, key=key)
    return unbroadcast(chosen, value_shape, chosen.shape)


def _zero_like(x: Tensor) -> Tensor:
    return Tensor(x.type.scalar(0.0), x.type, None)


def setitem(x: Tensor, key: Any, value: Any) -> Tensor:
    """The updated tensor behind ``x[key] = value``."""
    template, indices = without_masks(x, *split_key(key))
    if not isinstance(value, Tensor):
        value = asarray(value, dtype=x.dtype, device=x.device)
    elif value.dtype is not x.dtype:
        value = astype(value, x.dtype)
    return setitem_(x, value, indices, key=template)


def index(x: Tensor, key: Any) -> Tensor:
    """``x[key]``."""
    template, indices = without_masks(x, *split_key(key))
    return getitem(x, indices, key=template)


def without_masks(x: Tensor, template: Key, indices: list[Any]) -> tuple[Key, list[Any]]:
    """A key with each mask of truth values replaced by the positions where it is true, as NumPy defines it.

    How many these are decides the result's shape, so the host looks at the mask; kernels meet integers only.

    Raises:
        ShapeError: inside a traced function; a mask that does not have the sizes of the axes it stands for.
    """
    if not any(_is_mask(one) for one in indices):
        return template, indices
    given = iter(indices)
    pairs = [(part, next(given) if part[0] == "array" else None) for part in template]
    masks = [_host_mask(x, one) if one is not None and _is_mask(one) else None for _, one in pairs]
    widths = [
        mask.ndim if mask is not None else part[0] in _CONSUMING for (part, _), mask in zip(pairs, masks, strict=True)
    ]
    parts: list[tuple[Any, ...]] = []
    arrays: list[Any] = []
    axis = 0
    for (part, one), mask, width in zip(pairs, masks, widths, strict=True):
        if mask is not None:
            _check_mask(x, mask, axis)
            parts += [part] * width
            arrays += mask.nonzero()
        else:
            parts.append(part)
            arrays += [] if one is None else [one]
        axis += x.ndim - sum(widths) if part[0] == "ellipsis" else width
    return Key(parts), arrays


def _host_mask(x: Tensor, mask: Any) -> Any:
    if isinstance(mask, Tensor) and isinstance(mask.array, Symbol):
        raise ShapeError(
            f"{describe(x)} cannot be indexed by truth values inside a traced function.",
            expected="an index whose result has a known shape",
            got="a bool mask, whose result has as many elements as are true",
            fix="use polytape.where, or index outside the function",
        )
    return np.asarray(mask)


def _check_mask(x: Tensor, mask: Any, axis: int) -> None:
    wanted = x.shape[axis : axis + mask.ndim]
    if mask.ndim == 0 or mask.shape != wanted:
        raise ShapeError(
            f"{describe(x)} cannot be indexed by truth values of shape {mask.shape}.",
            expected=f"a mask of shape {wanted or x.shape}",
            got=f"shape {mask.shape}",
            fix="give a truth value per element of the axes that the mask stands for",
        )


def _is_mask(index: Any) -> bool:
    if isinstance(index, list):
        return bool(index) and np.asarray(index).dtype.kind == "b"
    return bool(index.dtype == dtypes.bool_)
