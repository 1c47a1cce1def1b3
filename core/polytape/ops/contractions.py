"""Products that contract axes: tensordot and its relatives. `polytape.ops.einsum` has einsum.

All are made of transposes, reshapes and matrix products, whose kernels and gradients they use.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index as as_int

from ..dispatch.convert import asarray
from ..errors import ShapeError
from ..tensors.tensor import Tensor, TensorLike
from . import shape_rules
from .arithmetic import multiply
from .complex_parts import conj
from .manipulation import permute_dims, reshape
from .products import matmul
from .rearranging import together
from .reduction import sum

__all__ = ["cross", "diagonal", "dot", "inner", "kron", "multi_dot", "outer", "tensordot", "trace", "vecdot"]

Axes = int | tuple[Sequence[int], Sequence[int]]


def _flat(x: Tensor, free: Sequence[int], contracted: Sequence[int], *, first: bool) -> Tensor:
    """A matrix whose rows are the free axes (``first``) or whose rows are the contracted ones."""
    shape = x.shape
    order = (*free, *contracted) if first else (*contracted, *free)
    free_size = shape_rules.count(tuple(shape[axis] for axis in free))
    size = shape_rules.count(tuple(shape[axis] for axis in contracted))
    x = x if order == tuple(range(x.ndim)) else permute_dims(x, order)
    return reshape(x, (free_size, size) if first else (size, free_size))


def _contracted_axes(x1: Tensor, x2: Tensor, axes: Axes) -> tuple[list[int], list[int]]:
    """The axes of both operands that are contracted, as numbers from 0.

    Raises:
        ShapeError: they do not exist, or their sizes differ.
    """
    if isinstance(axes, (tuple, list)):
        first, second = shape_rules.axes_of(axes[0]), shape_rules.axes_of(axes[1])
    else:
        count = as_int(axes)
        if not 0 <= count <= min(x1.ndim, x2.ndim):
            raise ShapeError(
                f"tensordot cannot contract {count} axes.",
                expected=f"from 0 to {min(x1.ndim, x2.ndim)} axes for shapes {x1.shape} and {x2.shape}",
                got=str(count),
                fix="name the axes of each operand: axes=([...], [...])",
            )
        first, second = list(range(x1.ndim - count, x1.ndim)), list(range(count))
    for x, own in ((x1, first), (x2, second)):
        shape_rules.normalise(tuple(own), x.ndim)  # raises for an axis that does not exist
    first, second = [axis % x1.ndim for axis in first], [axis % x2.ndim for axis in second]
    sizes1, sizes2 = [x1.shape[axis] for axis in first], [x2.shape[axis] for axis in second]
    if sizes1 != sizes2:
        raise ShapeError(
            f"tensordot cannot contract shapes {x1.shape} and {x2.shape}.",
            expected="contracted axes of the same sizes",
            got=f"sizes {sizes1} and {sizes2}",
            fix="name the axes of each operand in the same order: axes=([...], [...])",
        )
    return first, second


def tensordot(x1: TensorLike, x2: TensorLike, /, *, axes: Axes = 2) -> Tensor:
    """The sum of products over axes of both operands.

    Args:
        x1, x2: numeric[...], promoted together; they are not conjugated.
        axes: how many of the last axes of ``x1`` and of the first of ``x2``; or the axes of each, as two sequences.
    Returns:
        The free axes of ``x1``, then those of ``x2``; the promoted dtype.
    Raises:
        ShapeError: axes that do not exist, or whose sizes differ.
    Source:
        Array API standard 2025.12, ``tensordot``.
    """
    x1, x2 = together(x1, x2)
    first, second = _contracted_axes(x1, x2, axes)
    free1 = [axis for axis in range(x1.ndim) if axis not in first]
    free2 = [axis for axis in range(x2.ndim) if axis not in second]
    y = matmul(_flat(x1, free1, first, first=True), _flat(x2, free2, second, first=False))
    return reshape(y, (*(x1.shape[axis] for axis in free1), *(x2.shape[axis] for axis in free2)))


def vecdot(x1: TensorLike, x2: TensorLike, /, *, axis: int = -1) -> Tensor:
    """The sum of ``conj(x1) * x2`` along an axis.

    Args:
        x1, x2: numeric[...], broadcast and promoted together, but of the same size along ``axis``.
        axis: counted from the end, so a negative number.
    Returns:
        The broadcast shape without the axis, the promoted dtype.
    Raises:
        ShapeError: sizes that differ, or an axis that does not exist.
    Source:
        Array API standard 2025.12, ``vecdot``.
    """
    x1, x2 = together(x1, x2)
    number = as_int(axis)
    lowest = min(x1.ndim, x2.ndim)
    if not -lowest <= number < 0 and not (x1.ndim == x2.ndim and 0 <= number < lowest):
        raise ShapeError(
            f"vecdot: there is no axis {number}.",
            expected=f"an axis from {-lowest} to -1" if lowest else "operands with at least one axis",
            got=f"shapes {x1.shape} and {x2.shape}",
            fix="count the axis from the end",
        )
    if x1.shape[number] != x2.shape[number]:
        raise ShapeError(
            "vecdot: the sizes along the axis differ.",
            expected="the same number of elements",
            got=f"{x1.shape[number]} and {x2.shape[number]}",
            fix="multiply and sum if one of them is to be repeated",
        )
    if x1.ndim == 1 == x2.ndim:
        return matmul(conj(x1), x2)
    products = multiply(conj(x1), x2)
    return sum(products, axis=number if number < 0 else number - lowest, dtype=products.dtype)


def inner(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The sum of products over the last axes.

    Args:
        x1, x2: numeric[...], promoted together; the product of two numbers if one has no axes.
    Returns:
        The other axes of ``x1``, then those of ``x2``; the promoted dtype.
    Raises:
        ShapeError: last axes of different sizes.
    Source:
        NumPy, ``inner``.
    """
    x1, x2 = together(x1, x2)
    return multiply(x1, x2) if not x1.ndim or not x2.ndim else tensordot(x1, x2, axes=([-1], [-1]))


def dot(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The sum of products over the last axis of ``x1`` and the last axis but one of ``x2``.

    Args:
        x1, x2: numeric[...], promoted together; for a vector its only axis, for numbers the product.
    Returns:
        The other axes of ``x1``, then those of ``x2``; the promoted dtype. For matrices it is `polytape.matmul`.
    Raises:
        ShapeError: axes of different sizes.
    Source:
        NumPy, ``dot``.
    """
    x1, x2 = together(x1, x2)
    if not x1.ndim or not x2.ndim:
        return multiply(x1, x2)
    if x1.ndim <= 2 and x2.ndim <= 2:
        return matmul(x1, x2)
    return tensordot(x1, x2, axes=([-1], [-1 if x2.ndim == 1 else -2]))


def outer(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The products of each element of a vector with each of another.

    Args:
        x1: numeric[m].
        x2: numeric[n].
    Returns:
        [m, n], the promoted dtype.
    Raises:
        ShapeError: an operand that is not a vector.
    Source:
        Array API standard 2025.12, ``linalg.outer``.
    """
    x1, x2 = together(x1, x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ShapeError(
            f"outer takes two vectors, not shapes {x1.shape} and {x2.shape}.",
            expected="operands with one axis",
            got=f"{x1.ndim} and {x2.ndim} axes",
            fix="flatten them first, or write polytape.tensordot(x1, x2, axes=0)",
        )
    return multiply(reshape(x1, (-1, 1)) if x1.size else reshape(x1, (0, 1)), x2)


def kron(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The Kronecker product: blocks of ``x2``, each multiplied by an element of ``x1``.

    Args:
        x1, x2: numeric[...], promoted together; axes of size 1 are added in front of the one with fewer axes.
    Returns:
        The products of the sizes of each axis, the promoted dtype.
    Source:
        NumPy, ``kron``.
    """
    x1, x2 = together(x1, x2)
    rank = max(x1.ndim, x2.ndim)
    shape1 = (1,) * (rank - x1.ndim) + x1.shape
    shape2 = (1,) * (rank - x2.ndim) + x2.shape
    left = reshape(x1, tuple(size for n in shape1 for size in (n, 1)))
    right = reshape(x2, tuple(size for n in shape2 for size in (1, n)))
    return reshape(multiply(left, right), tuple(a * b for a, b in zip(shape1, shape2, strict=True)))


def cross(x1: TensorLike, x2: TensorLike, /, *, axis: int = -1) -> Tensor:
    """The cross product of vectors of three elements along an axis.

    Args:
        x1, x2: numeric[...], with 3 elements along ``axis``; the other axes broadcast.
        axis: of the vectors, counted after broadcasting.
    Returns:
        The broadcast shape, the promoted dtype.
    Raises:
        ShapeError: vectors of another size, or an axis that does not exist.
    Source:
        Array API standard 2025.12, ``linalg.cross``.
    """
    from .joining import stack  # this family is loaded only when it is used

    x1, x2 = together(x1, x2)
    for x in (x1, x2):
        shape_rules.along_axis(x.shape, axis=axis)
        if x.shape[axis] != 3:
            raise ShapeError(
                f"cross takes vectors of three elements, not shapes {x1.shape} and {x2.shape}.",
                expected=f"size 3 along axis {axis}",
                got=f"size {x.shape[axis]}",
                fix="select the axis of the vectors with axis=",
            )
    a, b = [_components(x, axis) for x in (x1, x2)]
    parts = [a[i] * b[j] - a[j] * b[i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return stack(parts, axis=axis if axis < 0 else axis - max(x1.ndim, x2.ndim))


def _components(x: Tensor, axis: int) -> list[Tensor]:
    lead = (slice(None),) * (axis % x.ndim)
    return [x[(*lead, k)] for k in range(3)]


def diagonal(x: TensorLike, /, *, offset: int = 0) -> Tensor:
    """The diagonal of each matrix.

    Args:
        x: any dtype[..., m, n].
        offset: how many columns to the right the diagonal begins; rows down if it is negative.
    Returns:
        [..., length of the diagonal], dtype of ``x``.
    Raises:
        ShapeError: fewer than two axes.
    Source:
        Array API standard 2025.12, ``linalg.diagonal``.
    """
    x = asarray(x)
    if x.ndim < 2:
        raise ShapeError(
            f"diagonal takes matrices, not shape {x.shape}.",
            expected="at least two axes",
            got=f"{x.ndim}",
            fix="reshape it to a matrix first; polytape.diag makes one of a vector",
        )
    rows, columns = x.shape[-2:]
    offset = as_int(offset)
    first_row, first_column = max(-offset, 0), max(offset, 0)
    count = max(min(rows - first_row, columns - first_column), 0)
    # In the flattened matrix, the elements of a diagonal are columns + 1 apart.
    flat = reshape(x, (*x.shape[:-2], rows * columns))
    start = first_row * columns + first_column
    stop = start + max(count - 1, 0) * (columns + 1) + (1 if count else 0)
    return flat[..., start : stop : columns + 1] if count else flat[..., :0]


def trace(x: TensorLike, /, *, offset: int = 0, dtype: object = None) -> Tensor:
    """The sum of the diagonal of each matrix.

    Args:
        x: numeric[..., m, n].
        offset: as for `diagonal`.
        dtype: as for `polytape.sum`.
    Returns:
        [...], the dtype of a sum.
    Raises:
        ShapeError: fewer than two axes.
    Source:
        Array API standard 2025.12, ``linalg.trace``.
    """
    return sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def multi_dot(arrays: Sequence[TensorLike], /) -> Tensor:
    """The product of several matrices, in the order that takes the fewest multiplications.

    Args:
        arrays: numeric[..., m, n] each; the first and the last may be vectors.
    Raises:
        ShapeError: no matrices, or sizes that do not fit.
    Source:
        T. Cormen et al. (2009), Introduction to Algorithms, section 15.2; NumPy, ``linalg.multi_dot``.
    """
    tensors = together(*arrays)
    if not tensors:
        raise ShapeError(
            "multi_dot([]): nothing to multiply.", expected="at least one matrix", got="none", fix="pass the matrices"
        )
    sizes = [x.shape[-2] if x.ndim > 1 else (1 if k == 0 else x.shape[0]) for k, x in enumerate(tensors)]
    sizes.append(tensors[-1].shape[-1] if tensors[-1].ndim > 1 else 1)
    count = len(tensors)
    cost = {(k, k): 0 for k in range(count)}
    split: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for first in range(count - length):
            last = first + length
            choices = [
                (cost[first, k] + cost[k + 1, last] + sizes[first] * sizes[k + 1] * sizes[last + 1], k)
                for k in range(first, last)
            ]
            cost[first, last], split[first, last] = min(choices)

    def product(first: int, last: int) -> Tensor:
        if first == last:
            return tensors[first]
        middle = split[first, last]
        return matmul(product(first, middle), product(middle + 1, last))

    return product(0, count - 1)
