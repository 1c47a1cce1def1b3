"""Indexing: ``x[key]``, its transpose, and the functional update behind ``x[key] = value``.

A key is split into a hashable template (slices are not hashable before Python 3.12) and the tensors in it:
``("slice", start, stop, step)``, ``("int", i)``, ``("newaxis",)``, ``("ellipsis",)``, ``("array",)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..dispatch.convert import asarray
from ..dtypes import DType
from ..errors import DTypeError, OutOfRangeError, ShapeError
from ..tensors.tensor import Tensor, TensorLike, describe
from . import shape_rules
from .declaration import converted, op
from .keys import CONSUMING, Key, MaskedRegion, masked_region, place, split_key, without_masks
from .logic import equal, where
from .manipulation import astype, reshape

if TYPE_CHECKING:
    from .key_lowering import Lowered

__all__: list[str] = []

Shape = tuple[int, ...]


def _element_dtype(x: DType, *indices: DType) -> DType:
    for index in indices:
        if dtypes.category(index) != dtypes.INTEGER:
            raise DTypeError(
                "indices must be integers.",
                expected="integer index tensors (x[mask] converts a bool mask to them)",
                got=str(index),
                fix="cast the index, for example with polytape.astype(index, 'int32')",
            )
    return x


def _assigned_dtype(x: DType, value: DType, *indices: DType) -> DType:
    if value is not x:
        raise DTypeError(
            "the value has a different dtype.", expected=str(x), got=str(value), fix="cast the value first"
        )
    return _element_dtype(x, *indices)


def _indexed(x: Shape, *indices: Shape, key: Key) -> Shape:
    """The shape of ``x[key]``, by NumPy's rules for basic and advanced indexing."""
    before, common, after, _ = _layout(x, *indices, key=key)
    return (*before, *common, *after)


def _layout(x: Shape, *indices: Shape, key: Key) -> tuple[Shape, Shape, Shape, Shape]:
    """The shape of ``x[key]`` in three parts, of which the second is the common shape of the index arrays.

    Returns:
        The three parts, and the sizes of the axes that index arrays index.
    """
    consumed = 0
    for part in key:
        if part[0] in CONSUMING:
            consumed += 1
    if consumed > len(x):
        raise OutOfRangeError(
            "too many indices.", expected=f"at most {len(x)}", got=f"{consumed}", fix="index fewer axes"
        )
    parts = _expanded(key, len(x) - consumed)
    result: list[int] = []
    advanced: list[Shape] = []
    positions: list[int] = []
    indexed: list[int] = []
    runs: set[int] = set()  # one entry if all index arrays are adjacent
    operands = iter(indices)
    axis = gap = 0
    for part in parts:
        if part[0] == "ellipsis":
            gap = 1  # it separates two index arrays even if it stands for no axis
            continue
        if part[0] == "newaxis":
            result.append(1)
            continue
        if part[0] == "slice":
            result.append(len(range(*slice(part[1], part[2], part[3]).indices(x[axis]))))
        else:
            if part[0] == "array":
                advanced.append(next(operands))
                indexed.append(x[axis])
            else:
                _check_bound(part[1], x[axis], axis)
                if indices:
                    advanced.append(())  # as in NumPy, an integer broadcasts with the index arrays
            positions.append(len(result))
            runs.add(len(result) + gap)
        axis += 1
    if not advanced:
        return tuple(result), (), (), ()
    position = positions[0] if len(runs) == 1 else 0  # axes of separated index arrays come first
    return tuple(result[:position]), shape_rules.broadcast(*advanced), tuple(result[position:]), tuple(indexed)


def _check_bound(index: int, size: int, axis: int) -> None:
    if not -size <= index < size:
        raise OutOfRangeError(
            f"index {index} is out of range.",
            expected=f"an index from {-size} to {size - 1} in axis {axis}",
            got=str(index),
            fix="check the size of that axis",
        )


def _expanded(key: Key, open_axes: int) -> list[tuple[Any, ...]]:
    """The parts of a key with a full slice for each axis that no part consumes."""
    full_slice = ("slice", None, None, None)
    parts: list[tuple[Any, ...]] = []
    has_ellipsis = False
    for part in key:
        if part[0] == "ellipsis" and not has_ellipsis:
            parts += [part, *[full_slice] * open_axes]
            has_ellipsis = True
        elif part[0] != "ellipsis":
            parts.append(part)
        else:
            raise ShapeError(
                "the key has two ellipses.", expected="at most one ...", got="two", fix="write full slices instead"
            )
    return parts if has_ellipsis else [*parts, *[full_slice] * open_axes]


@op(dtype=_element_dtype, shape=_indexed, internal="x[key]")
def getitem(x: TensorLike, indices: Sequence[TensorLike] = (), /, *, key: Key) -> Tensor:
    """The elements that a key selects; written ``x[key]``.

    Args:
        x: any dtype[...].
        indices: integer[...], the index tensors in the key.
        key: template of the key.
    Returns:
        The shape as in NumPy, dtype of ``x``.
    Raises:
        ShapeError: an index out of range, or too many indices. DTypeError: an index that is not an integer.
    Source:
        Array API standard 2025.12, "Indexing"; NumPy, "Advanced indexing", for several index arrays.
    """
    return _lowered(x, indices, key).select(converted(x), tuple(map(converted, indices)))


def _lowered(x: Any, indices: Sequence[Any], key: Key, shape: Shape | None = None) -> Lowered:
    """What a key does on an operand of this shape; see `polytape.ops.key_lowering`."""
    from .key_lowering import Lowered  # loaded only where a backend has no kernel for keys

    shape = x.shape if shape is None else shape
    layout = _layout(shape, *[index.shape for index in indices], key=key)
    consumed = len([part for part in key if part[0] in CONSUMING])
    return Lowered(shape, _expanded(key, len(shape) - consumed), layout)


@getitem.gradient("x")
def _getitem_back(g: Tensor, indices: tuple[Tensor, ...], x_shape: Shape, key: Key) -> Tensor:
    return scatter_add(g, indices, key=key, shape=x_shape)


def _scattered(values: Shape, *indices: Shape, shape: Any, key: Key) -> Shape:
    result = shape_rules.as_shape(shape)
    expected = _indexed(result, *indices, key=key)
    if expected != values:
        raise ShapeError(
            "the values do not match the key.",
            expected=f"values of shape {expected}",
            got=f"shape {values}",
            fix="broadcast the values first",
        )
    return result


@op(dtype=_element_dtype, shape=_scattered, internal="the gradient of x[key]")
def scatter_add(values: TensorLike, indices: Sequence[TensorLike] = (), /, *, key: Key, shape: Shape) -> Tensor:
    """Zeros with ``values`` added at the elements that a key selects; the transpose of `getitem`.

    Args:
        values: numeric[...], of the shape that the key selects.
        indices: integer[...], the index tensors in the key.
        key: template of the key.
        shape: of the result.
    Returns:
        ``shape``, dtype of ``values``; elements that are selected several times receive the sum.
    Raises:
        ShapeError: values of another shape than the key selects.
    Source:
        TensorFlow 1.7, ``tf.scatter_nd``.
    """
    lowered = _lowered(values, indices, key, shape_rules.as_shape(shape))
    return lowered.add(converted(values), tuple(map(converted, indices)))


scatter_add.gradient(values=lambda g, indices, key: getitem(g, indices, key=key))


def _updated(x: Shape, value: Shape, *indices: Shape, key: Key) -> Shape:
    shape_rules.broadcast_to_shape(value, shape=_indexed(x, *indices, key=key))
    return x


@op(dtype=_assigned_dtype, shape=_updated, promotes=(), internal="x[key] = value")
def setitem_(x: TensorLike, value: TensorLike, indices: Sequence[TensorLike] = (), /, *, key: Key) -> Tensor:
    """``x`` with the elements that a key selects replaced; the op behind ``x[key] = value``.

    Args:
        x: any dtype[...].
        value: dtype of ``x``, of a shape that broadcasts to the selected one.
        indices: integer[...], the index tensors in the key.
        key: template of the key.
    Returns:
        Shape and dtype of ``x``. An element that index tensors select several times gets the last value, in row-major
        order of the indices.
    Raises:
        ShapeError: a value that does not broadcast to the selected shape.
    Source:
        Array API standard 2025.12, "In-place and array assignment".
    """
    lowered = _lowered(x, indices, key)
    return lowered.replace(converted(x), converted(value), tuple(map(converted, indices)))


@setitem_.gradient("x")
def _setitem_back(g: Tensor, indices: tuple[Tensor, ...], key: Key) -> Tensor:
    return setitem_(g, _zero_like(g), indices, key=key)


@setitem_.gradient("value")
def _setitem_value_back(g: Tensor, indices: tuple[Tensor, ...], value_shape: Shape, key: Key) -> Tensor:
    from ..autodiff.cotangent import unbroadcast  # loaded with the first tape

    selected = getitem(g, indices, key=key)
    if indices:
        selected = where(_is_last(g, indices, key), selected, 0)
    return unbroadcast(selected, value_shape, selected.shape)


def _is_last(x: Tensor, indices: tuple[Tensor, ...], key: Key) -> Tensor:
    """Whether each index is the last one that selects its element; bool, and broadcasts to the shape of ``x[key]``."""
    from .creation import arange_, zeros  # this family is loaded only when it is used

    _, common, after, sizes = _layout(x.shape, *[index.shape for index in indices], key=key)
    count = shape_rules.count(common)
    dtype = dtypes.int32 if count < 2**31 else dtypes.int64
    order = reshape(arange_(0, count, 1, dtype=dtype, device=x.device), common)
    arrays = Key([("array",)] * len(indices))
    # Each index writes its number to a table, and then looks whether it is still there.
    table = setitem_(zeros(sizes, dtype=dtype, device=x.device), order, indices, key=arrays)
    last = equal(getitem(table, indices, key=arrays), order)
    return reshape(last, (*common, *(1,) * len(after)))


def _zero_like(x: Tensor) -> Tensor:
    return Tensor(x.type.scalar(0.0), x.type, None)


def setitem(x: Tensor, key: Any, value: Any) -> Tensor:
    """The new value of ``x`` after ``x[key] = value``."""
    template, indices = split_key(key)
    masked = masked_region(x, template, indices) if indices else None
    if masked is None:
        expanded, template, indices = without_masks(x, template, indices)
    if x.dtype.kind in "iu":
        _check_integers(x, value)
    if not isinstance(value, Tensor):
        value = asarray(value, dtype=x.dtype, device=x.device)
    elif value.dtype is not x.dtype:
        value = astype(value, x.dtype)
    if masked is not None:
        return _where_masked(x, value, masked)
    updated = setitem_(expanded, value, indices, key=template)
    return updated if expanded is x else reshape(updated, x.shape)


def _where_masked(x: Tensor, value: Tensor, masked: MaskedRegion) -> Tensor:
    """``x`` with the elements that a mask of a trace selects replaced, if the value is the same for all of them.

    How many elements the mask selects is not known in a trace, so there is no key of positions.
    """
    region = x if masked.whole else getitem(x, (), key=masked.key)
    after = region.shape[masked.before + masked.mask.ndim :]
    _check_repeated(x, value, after)
    if 0 in masked.mask.shape:
        return x  # it selects nothing, and may be smaller than the axes it indexes
    mask = reshape(masked.mask, (*masked.mask.shape, *(1,) * len(after))) if after else masked.mask
    updated = where(mask, value, region)
    return updated if masked.whole else setitem_(x, updated, (), key=masked.key)


def _check_repeated(x: Tensor, value: Tensor, shape: Shape) -> None:
    pairs = zip(reversed(value.shape), reversed(shape), strict=False)
    if value.ndim > len(shape) or any(size not in (1, expected) for size, expected in pairs):
        raise ShapeError(
            f"{describe(x)} cannot be assigned {describe(value)} through a bool mask inside {place()}.",
            expected=f"one value for all elements of the mask, of a shape that broadcasts to {shape}",
            got=f"shape {value.shape}",
            fix="use polytape.where with values of the whole shape, or assign outside the function",
        )


def _check_integers(x: Tensor, value: Any) -> None:
    """Reject values with a fraction: ``x[k] += 1.5`` would add 1 to integers. A float such as 2.0 is an integer."""
    if isinstance(value, float):
        loses = not value.is_integer()
    elif isinstance(value, (bool, int)):
        return
    else:
        dtype = value.dtype if isinstance(value, Tensor) else asarray(value).dtype
        loses = dtypes.category(dtype) == dtypes.FLOATING
    if loses:
        raise DTypeError(
            f"item assignment to {describe(x)} would drop the fractions of {describe(value)}.",
            expected="integers",
            got=repr(value) if isinstance(value, float) else f"a floating-point value, {describe(value)}",
            fix="cast the value to an integer dtype, or assign to a tensor of a floating dtype",
        )


def index(x: Tensor, key: Any) -> Tensor:
    """``x[key]``."""
    x, template, indices = without_masks(x, *split_key(key))
    return getitem(x, indices, key=template)
