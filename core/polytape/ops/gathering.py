"""Elements taken from, or put at, positions along an axis. `polytape.take` is in `polytape.ops.movement`."""

from __future__ import annotations

from .. import dtypes
from ..dispatch.convert import asarray
from ..dtypes import DType
from ..errors import DTypeError, SettingError, ShapeError
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .creation import arange_, zeros
from .declaration import converted, op, states
from .logic import less, where
from .manipulation import astype_, broadcast_to, concat, reshape
from .movement import scatter, take
from .rearranging import together

__all__ = ["diag", "index_add", "masked_fill", "put_along_axis", "reverse_sequence", "take_along_axis"]

Shape = tuple[int, ...]


def _element_dtype(x: DType, indices: DType) -> DType:
    if dtypes.category(indices) != dtypes.INTEGER:
        raise DTypeError("indices must be integers.", expected="integers", got=str(indices), fix="cast them to 'int64'")
    return x


def _aligned(x: Shape, indices: Shape, *, axis: int) -> tuple[int, Shape]:
    """The axis from 0, and the shape that all other axes broadcast to.

    Raises:
        ShapeError: another number of axes, or sizes that do not broadcast.
    """
    if len(x) != len(indices):
        raise ShapeError(
            "the indices have another number of axes.",
            expected=f"indices with {len(x)} axes",
            got=f"shape {indices}",
            fix="insert axes of size 1, or use polytape.take for a list of positions",
        )
    shape_rules.along_axis(x, axis=axis)
    place = axis % len(x)
    others = shape_rules.broadcast((*x[:place], 1, *x[place + 1 :]), (*indices[:place], 1, *indices[place + 1 :]))
    return place, others


@states(
    takes="[...]",
    returns="the broadcast shape, with the size of ``indices`` along the axis",
    rejects="another number of axes, sizes that do not broadcast, or an axis that does not exist",
    axis="the axis that ``indices`` gives positions along.",
)
def _along(x: Shape, indices: Shape, *, axis: int) -> Shape:
    place, others = _aligned(x, indices, axis=axis)
    return (*others[:place], indices[place], *others[place + 1 :])


def _row_positions(indices: Tensor, shape: Shape, place: int, size: int) -> Tensor:
    """The positions in the flattened operand of ``shape``, whose axis ``place`` has ``size`` elements: int64.

    A position that does not exist leads to one outside the operand, so that it is not taken for another.
    """
    index = astype_(indices, dtypes.int64)
    index = where(index < 0, index + size, index)
    stride = shape_rules.count(shape[place + 1 :])
    positions = index * stride
    for axis, extent in enumerate(shape):
        if axis != place:
            step = shape_rules.count(shape[axis + 1 :])
            along = arange_(0, extent, 1, dtype=dtypes.int64, device=indices.device) * step
            positions = positions + reshape(along, (extent, *(1,) * (len(shape) - 1 - axis)))
    valid = less(-1, index) & less(index, size)
    return where(valid, positions, shape_rules.count(shape))


@op(dtype=_element_dtype, shape=_along)
def take_along_axis(x: TensorLike, indices: TensorLike, /, *, axis: int = -1) -> Tensor:
    """The elements of ``x`` at positions that differ from row to row.

    Args:
        x: any dtype[...].
        indices: integer[...], with as many axes as ``x``; negative ones count from the end.
    Raises:
        ShapeError: shapes that do not fit. DTypeError: indices that are not integers. On the host also OutOfRangeError,
            for a position that does not exist.
    """
    x, indices = converted(x), converted(indices)
    place, others = _aligned(x.shape, indices.shape, axis=axis)
    shape = (*others[:place], x.shape[place], *others[place + 1 :])
    result = (*others[:place], indices.shape[place], *others[place + 1 :])
    x = x if x.shape == shape else broadcast_to(x, shape)
    if not shape_rules.count(result):
        return zeros(result, dtype=x.dtype, device=x.device)
    positions = broadcast_to(_row_positions(indices, shape, place, shape[place]), result)
    return take(reshape(x, x.size), positions)


@take_along_axis.gradient("x")
def _along_back(g: Tensor, indices: Tensor, x_shape: Shape, axis: int) -> Tensor:
    from ..autodiff.cotangent import unbroadcast  # loaded with the first tape

    place, others = _aligned(x_shape, indices.shape, axis=axis)
    shape = (*others[:place], x_shape[place], *others[place + 1 :])
    if indices.shape != g.shape:
        indices = broadcast_to(indices, g.shape)
    return unbroadcast(add_along_axis(g, indices, size=x_shape[place], axis=axis), x_shape, shape)


@states(takes="numeric", returns="dtype of ``values``")
def _added_dtype(values: DType, indices: DType) -> DType:
    return dtype_rules.same_numeric(_element_dtype(values, indices))


@states(
    takes="[...]",
    returns="shape of ``values`` with ``size`` elements along ``axis``",
    rejects="shapes that differ, or an axis that does not exist",
    size="the number of elements of the result along the axis.",
    axis="the axis that ``indices`` gives positions along.",
)
def _added(values: Shape, indices: Shape, *, size: int, axis: int) -> Shape:
    if values != indices:
        raise ShapeError(
            "the indices do not match the values.",
            expected=f"indices of shape {values}",
            got=f"shape {indices}",
            fix="broadcast them first",
        )
    shape_rules.along_axis(values, axis=axis)
    place = axis % len(values)
    return (*values[:place], *shape_rules.as_shape((size,)), *values[place + 1 :])


@op(dtype=_added_dtype, shape=_added, internal="the gradient of polytape.take_along_axis")
def add_along_axis(values: TensorLike, indices: TensorLike, /, *, size: int, axis: int = -1) -> Tensor:
    """The sums of the values with the same position along an axis; 0 at a position without values.

    Args:
        values: numeric[...].
        indices: integer[...], of the shape of ``values``; negative ones count from the end.
    Raises:
        ShapeError: shapes that differ. DTypeError: bool values, or indices that are not integers. On the host also
            OutOfRangeError, for a position that does not exist.
    Source:
        The transpose of `take_along_axis`; PyTorch 2.13, ``torch.scatter_add`` on zeros.
    """
    values, indices = converted(values), converted(indices)
    place = axis % values.ndim
    shape = (*values.shape[:place], size, *values.shape[place + 1 :])
    # In half precision, each addition would be rounded.
    half = dtypes.category(values.dtype) >= dtypes.FLOATING and values.dtype.itemsize == 2
    wide = astype_(values, dtypes.float32) if half else values
    flat = zeros(shape_rules.count(shape), dtype=wide.dtype, device=values.device)
    if values.size:
        positions = reshape(_row_positions(indices, shape, place, size), values.size)
        flat = scatter(flat, positions, reshape(wide, values.size))
    return astype_(reshape(flat, shape), values.dtype)


add_along_axis.gradient(values=lambda g, indices, axis: take_along_axis(g, indices, axis=axis))


_MODES = {
    "set": "", "add": "segment_sum", "multiply": "segment_prod", "max": "segment_max", "min": "segment_min"
}  # fmt: skip


def put_along_axis(
    x: TensorLike, indices: TensorLike, values: TensorLike, /, *, axis: int = -1, mode: str = "set"
) -> Tensor:
    """``x`` with the elements at positions that differ from row to row replaced; the inverse of `take_along_axis`.

    Args:
        x: any dtype[...]; it is not changed. Numeric for a ``mode`` other than ``"set"``, and real for ``"max"`` and
            ``"min"``.
        indices: integer[...], with as many axes as ``x``, and its sizes except along ``axis``; negative ones count from
            the end.
        values: broadcast to the shape of ``indices``, cast to the dtype of ``x``.
        axis: the axis that ``indices`` gives positions along.
        mode: what becomes of an element: ``"set"``: the value; ``"add"``, ``"multiply"``, ``"max"``, ``"min"``: its sum
            or product with all values at its position, or the largest or smallest of them.
    Returns:
        Shape and dtype of ``x``. If a position occurs several times, ``"set"`` takes the last value.
    Raises:
        ShapeError: shapes that do not fit. DTypeError: indices that are not integers. SettingError: another ``mode``.
            On the host also OutOfRangeError, for a position that does not exist.
    Source:
        NumPy, ``put_along_axis``, which changes its operand; PyTorch 2.13, ``scatter_reduce``.

    Example:
        >>> import polytape as pt
        >>> pt.put_along_axis(pt.zeros(3), pt.asarray([0, 2, 0]), pt.asarray([1.0, 5.0, 2.0]), mode="add").tolist()
        [3.0, 0.0, 5.0]
    """
    if mode not in _MODES:
        raise SettingError(
            f"there is no mode {mode!r}.", expected=", ".join(_MODES), got=repr(mode), fix="name one of these"
        )
    x, indices = together(x, indices)
    place, others = _aligned(x.shape, indices.shape, axis=axis)
    if mode != "set":
        shape = (*others[:place], indices.shape[place], *others[place + 1 :])
        positions = broadcast_to(_row_positions(indices, x.shape, place, x.shape[place]), shape)
        return _combined(x, positions, values, _MODES[mode])
    key = tuple(
        indices
        if k == place
        else reshape(
            arange_(0, x.shape[k], 1, dtype=dtypes.int64, device=x.device), (x.shape[k], *(1,) * (x.ndim - 1 - k))
        )
        for k in range(x.ndim)
    )
    y = x.copy()
    y[key] = values
    return y


def _combined(x: Tensor, positions: Tensor, values: TensorLike, reduction: str) -> Tensor:
    """``x`` combined with values at positions in its flattened form: each element and its values are a segment."""
    from . import segment  # this family is loaded only when it is used

    (_, rows) = together(x, values)
    rows = broadcast_to(rows if rows.dtype == x.dtype else astype_(rows, x.dtype), positions.shape)
    own = arange_(0, x.size, 1, dtype=dtypes.int64, device=x.device)
    data = concat([reshape(x, (x.size,)), reshape(rows, (rows.size,))], 0)
    places = concat([own, reshape(positions, (rows.size,))], 0)
    return reshape(getattr(segment, reduction)(data, places, num_segments=x.size), x.shape)


def reverse_sequence(x: TensorLike, lengths: TensorLike, /, *, axis: int = 1, batch_axis: int = 0) -> Tensor:
    """The first elements of each sequence in the opposite order, and those behind them where they are.

    Args:
        x: any dtype[...].
        lengths: integer[batch]: how many elements of each sequence change places.
        axis: the axis along which a sequence extends.
        batch_axis: the axis that counts the sequences.
    Returns:
        Shape and dtype of ``x``.
    Raises:
        ShapeError: another number of lengths than of sequences, an axis that does not exist, or one axis for both.
            DTypeError: lengths that are not integers. On the host also OutOfRangeError, for a length beyond the axis.
    Source:
        TensorFlow 1.7, ``tf.reverse_sequence``.

    Example:
        >>> import polytape as pt
        >>> pt.reverse_sequence(pt.asarray([[1, 2, 3], [4, 5, 6]]), pt.asarray([2, 3])).tolist()
        [[2, 1, 3], [6, 5, 4]]
    """
    x, lengths = together(x, lengths)
    for name in (axis, batch_axis):
        shape_rules.along_axis(x.shape, axis=name)
    place, batch = axis % x.ndim, batch_axis % x.ndim
    if place == batch or lengths.shape != (x.shape[batch],):
        raise ShapeError(
            f"reverse_sequence cannot find the sequences of shape {x.shape}.",
            expected=f"two different axes, and {x.shape[batch]} lengths, one for each element of the batch axis",
            got=f"axis {axis}, batch_axis {batch_axis}, and lengths of shape {lengths.shape}",
            fix="name the axis of a sequence and the one that counts the sequences",
        )
    _element_dtype(x.dtype, lengths.dtype)

    def across(t: Tensor, k: int) -> Tensor:
        return reshape(t, tuple(t.size if i == k else 1 for i in range(x.ndim)))

    step = across(arange_(0, x.shape[place], 1, dtype=dtypes.int64, device=x.device), place)
    lengths = across(astype_(lengths, dtypes.int64), batch)
    # A length beyond the axis gives a position that does not exist, and a negative one changes nothing.
    return take_along_axis(x, where(step < lengths, lengths - 1 - step, step), axis=place)


def index_add(x: TensorLike, indices: TensorLike, values: TensorLike, /, *, axis: int = 0) -> Tensor:
    """``x`` with ``values`` added at positions along an axis; repeated positions receive all of theirs.

    Args:
        x: numeric[...]; it is not changed.
        indices: integer[n]; negative ones count from the end.
        values: of the shape of ``x``, with n elements along the axis; cast to the dtype of ``x``.
        axis: the axis that ``indices`` gives positions along.
    Returns:
        Shape and dtype of ``x``.
    Raises:
        ShapeError: values that do not fit. DTypeError: indices that are not integers.
    Source:
        PyTorch, ``index_add``.
    """
    x = asarray(x)
    added = asarray(values, device=x.device)
    return scatter(x, indices, added if added.dtype == x.dtype else astype_(added, x.dtype), axis=axis)


def masked_fill(x: TensorLike, mask: TensorLike, value: TensorLike, /) -> Tensor:
    """``x`` with the elements where ``mask`` is true replaced.

    Args:
        x: any dtype[...]; it is not changed.
        mask: bool[...], which broadcasts with ``x``.
        value: the number in their place.
    Source:
        PyTorch, ``masked_fill``.
    """
    return where(mask, value, x)


def diag(x: TensorLike, /, *, k: int = 0) -> Tensor:
    """A matrix with a vector on its diagonal, or the diagonal of a matrix.

    Args:
        x: any dtype[n], or [m, n].
        k: how many columns to the right the diagonal begins; rows down if it is negative.
    Raises:
        ShapeError: neither a vector nor a matrix.
    Source:
        NumPy, ``diag``.
    """
    x = asarray(x)
    if x.ndim == 2:
        from .contractions import diagonal

        return diagonal(x, offset=k)
    if x.ndim != 1:
        raise ShapeError(
            f"diag takes a vector or a matrix, not shape {x.shape}.",
            expected="one or two axes",
            got=f"{x.ndim}",
            fix="use polytape.diagonal for a stack of matrices",
        )
    size = x.size + abs(k)
    y = zeros((size, size), dtype=x.dtype, device=x.device)
    rows = arange_(max(-k, 0), max(-k, 0) + x.size, 1, dtype=dtypes.int64, device=x.device)
    columns = arange_(max(k, 0), max(k, 0) + x.size, 1, dtype=dtypes.int64, device=x.device)
    y[rows, columns] = x
    return y
