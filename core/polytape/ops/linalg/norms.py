"""Norms, ranks, condition numbers, eigenvalues and singular values alone."""

from __future__ import annotations

import math
from typing import Any

from ... import dtypes
from ...dispatch.convert import asarray
from ...errors import ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import abs
from ..declaration import converted, op
from ..exponential import sqrt
from ..logic import equal, greater, isfinite, logical_and, logical_not, where
from ..manipulation import astype_, reshape, stop_gradient
from ..reduction import count_nonzero, max, min, sum
from .eigen import eig, eigh
from .factorizations import matrices, rows, svd
from .functions import tolerance
from .solving import inv

__all__ = [
    "cond",
    "eigvals",
    "eigvalsh",
    "matrix_norm",
    "matrix_rank",
    "norm",
    "svdvals",
    "vector_norm",
]

Shape = tuple[int, ...]
Axis = int | tuple[int, ...] | None


@op(
    dtype=dtype_rules.floating_magnitude,
    shape=shape_rules.reduced,
    floating=True,
    internal="polytape.linalg.vector_norm",
)
def euclidean_norm(x: TensorLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The root of the sum of squares over axes, without overflow; its gradient is 0 where it is 0.

    Source:
        J. Blue (1978), ACM Transactions on Mathematical Software 4 (1), pp. 15-23, for the scaling.
    """
    size = abs(converted(x))
    if not size.size:
        return sum(size, axis, keepdims=keepdims)
    wide = size if size.dtype.itemsize > 2 else astype_(size, dtypes.float32)
    largest = max(wide, axis, keepdims=True)
    scale = where(equal(largest, 0) | equal(largest, math.inf), 1, largest)
    scaled = wide / scale
    root = sqrt(sum(scaled * scaled, axis, keepdims=True)) * scale
    y = root if keepdims else reshape(root, shape_rules.reduced(size.shape, axis=axis, keepdims=False))
    return astype_(y, size.dtype)


@euclidean_norm.gradient("x")
def _euclidean_back(g: Tensor, x: Tensor, y: Tensor, axis: Axis) -> Tensor:
    shape = shape_rules.reduced(x.shape, axis=axis, keepdims=True)
    y, g = reshape(y, shape), reshape(g, shape)
    zero = equal(y, 0)
    return where(zero, 0, g) * (x / where(zero, 1, y))


def vector_norm(x: TensorLike, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    """The norm of vectors: ``sum(|x| ** ord) ** (1 / ord)`` over axes.

    Args:
        x: floating[...].
        axis: the axes that a vector lies along; default: all.
        keepdims: whether to keep them, with size 1.
        ord: any number; infinity for the largest, -infinity for the smallest magnitude, 0 for the number of elements
            that are not 0.
    Returns:
        The reduced shape, the real dtype of the same precision.
    Raises:
        ShapeError: an axis that does not exist.
    Source:
        Array API standard 2025.12, ``linalg.vector_norm``.
    """
    x = asarray(x)
    if ord == 2 and axis is None and not keepdims:
        return euclidean_norm(x)  # without attributes, a call takes less time
    if ord == 2:
        return euclidean_norm(x, axis, keepdims=keepdims)
    size = abs(_floating(x))
    if ord == math.inf:
        return max(size, axis, keepdims=keepdims)
    if ord == -math.inf:
        return min(size, axis, keepdims=keepdims)
    if ord == 0:
        return astype_(count_nonzero(size, axis=axis, keepdims=keepdims), size.dtype)
    if ord == 1:
        return sum(size, axis, keepdims=keepdims)
    return _power_norm(size, axis, keepdims, float(ord))


def _floating(x: Tensor) -> Tensor:
    return x if dtypes.category(x.dtype) >= dtypes.FLOATING else astype_(x, dtypes.defaults.floating)


def _power_norm(size: Tensor, axis: Axis, keepdims: bool, ord: float) -> Tensor:
    """The norm for any other ``ord``, scaled by the term that decides it so that no power overflows."""
    wide = size if size.dtype.itemsize > 2 else astype_(size, dtypes.float32)
    shape = shape_rules.reduced(size.shape, axis=axis, keepdims=keepdims)
    if not size.size:
        return sum(size, axis, keepdims=keepdims) ** (1.0 / ord)
    leading = stop_gradient((max if ord > 0 else min)(wide, axis, keepdims=True))
    zero = equal(leading, 0)
    scale = where(logical_and(isfinite(leading), logical_not(zero)), leading, 1)
    # Where the norm is 0 its gradient is 0, and not the product of an infinite root's and a power's that is 0.
    total = sum(where(zero, 1, wide / scale) ** ord, axis, keepdims=True)
    y = where(zero, 0, total ** (1.0 / ord) * scale)
    return astype_(reshape(y, shape), size.dtype)


def matrix_norm(x: TensorLike, /, *, keepdims: bool = False, ord: float | str = "fro") -> Tensor:
    """The norm of matrices.

    Args:
        x: floating[..., m, n].
        keepdims: whether to keep the last two axes, with size 1.
        ord: ``"fro"``: the root of the sum of squares; ``"nuc"``: the sum of the singular values; 1, -1: the largest,
            smallest sum of a column; infinity, -infinity: of a row; 2, -2: the largest, smallest singular value.
    Returns:
        [...], the real dtype of the same precision.
    Raises:
        ShapeError: fewer than two axes, or another ``ord``.
    Source:
        Array API standard 2025.12, ``linalg.matrix_norm``.
    """
    x = _floating(asarray(x))
    matrices(x.shape)
    if ord == "fro":
        return euclidean_norm(x, (-2, -1), keepdims=keepdims)
    if ord in (1, -1, math.inf, -math.inf):
        assert not isinstance(ord, str)
        along = -2 if ord in (1, -1) else -1
        sums = sum(abs(x), axis=along, keepdims=True)
        return (max if ord > 0 else min)(sums, axis=(-2, -1), keepdims=keepdims)
    if ord in (2, -2, "nuc"):
        values = svdvals(x)
        y = {2: max, -2: min, "nuc": sum}[ord](values, axis=-1)
        return reshape(y, (*y.shape, 1, 1)) if keepdims else y
    raise ShapeError(
        f"matrix_norm: there is no norm {ord!r}.",
        expected="'fro', 'nuc', 1, -1, 2, -2, inf or -inf",
        got=repr(ord),
        fix="use polytape.linalg.vector_norm with axis=(-2, -1) for others",
    )


def norm(x: TensorLike, /, ord: Any = None, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The norm of vectors or matrices, as in NumPy.

    Args:
        x: floating[...].
        ord: as for `vector_norm` or `matrix_norm`; None for the root of the sum of squares.
        axis: one axis for vectors, two for matrices; default: all for None, otherwise those of a vector or matrix.
        keepdims: whether to keep these axes, with size 1.
    Raises:
        ShapeError: axes that do not exist, or are neither one nor two.
    Source:
        NumPy, ``linalg.norm``.
    """
    from ..rearranging import moveaxis

    x = asarray(x)
    if ord is None:
        return vector_norm(x, axis=axis, keepdims=keepdims)
    axes = tuple(range(x.ndim)) if axis is None else tuple(shape_rules.axes_of(axis))
    if len(axes) == 1:
        return vector_norm(x, axis=axes, keepdims=keepdims, ord=ord)
    if len(axes) != 2:
        raise ShapeError(
            f"norm of shape {x.shape}: neither vectors nor matrices.",
            expected="one axis or two",
            got=f"axes {axes}",
            fix="name them with axis=",
        )
    y = matrix_norm(moveaxis(x, axes, (-2, -1)), ord=ord)
    return reshape(y, shape_rules.reduced(x.shape, axis=axes, keepdims=True)) if keepdims else y


def svdvals(x: TensorLike, /) -> Tensor:
    """The singular values of matrices, in descending order.

    Args:
        x: floating[..., m, n].
    Returns:
        [..., min(m, n)], the real dtype of the same precision.
    Raises:
        ShapeError: fewer than two axes.
    Source:
        Array API standard 2025.12, ``linalg.svdvals``.
    """
    return svd(x, full_matrices=False).S


def eigvalsh(x: TensorLike, /) -> Tensor:
    """The eigenvalues of Hermitian matrices, in ascending order; the lower triangle is read.

    Args:
        x: floating[..., n, n].
    Returns:
        [..., n], the real dtype of the same precision.
    Raises:
        ShapeError: matrices that are not square.
    Source:
        Array API standard 2025.12, ``linalg.eigvalsh``.
    """
    return eigh(x).eigenvalues


def eigvals(x: TensorLike, /) -> Tensor:
    """The eigenvalues of matrices, in any order.

    Args:
        x: floating[..., n, n].
    Returns:
        complex[..., n].
    Raises:
        ShapeError: matrices that are not square.
    Source:
        Array API standard 2025.12, ``linalg.eigvals``.
    """
    return eig(x).eigenvalues


def matrix_rank(x: TensorLike, /, *, rtol: float | Tensor | None = None) -> Tensor:
    """The number of singular values that are not 0.

    Args:
        x: floating[..., m, n].
        rtol: singular values below this part of the largest count as 0, a number or one per matrix; default:
            max(m, n) eps.
    Returns:
        int64[...].
    Raises:
        ShapeError: fewer than two axes.
    Source:
        Array API standard 2025.12, ``linalg.matrix_rank``.
    """
    x = asarray(x)
    values = svdvals(x)
    if not values.shape[-1]:
        return count_nonzero(values, axis=-1)
    largest = max(values, axis=-1, keepdims=True)
    limit = largest * (rows(rtol) if isinstance(rtol, Tensor) else tolerance(x, rtol))
    return count_nonzero(greater(values, limit), axis=-1)


def cond(x: TensorLike, /, p: float | str | None = None) -> Tensor:
    """The condition number of matrices: the norm times that of the inverse.

    Args:
        x: floating[..., m, n], square unless ``p`` is None, 2 or -2.
        p: the norm, as ``ord`` for `matrix_norm`; None is 2.
    Returns:
        [...], the real dtype of the same precision; for None, 2 and -2 infinity where it would be a division by 0.
    Raises:
        ShapeError: matrices that are not square. LinAlgError: on the host, a singular matrix, for other norms.
    Source:
        NumPy, ``linalg.cond``.
    """
    if p is not None and p not in (2, -2):
        return matrix_norm(x, ord=p) * matrix_norm(inv(x), ord=p)
    values = svdvals(x)
    first, last = (values[..., -1], values[..., 0]) if p == -2 else (values[..., 0], values[..., -1])
    zero = equal(last, 0)
    return where(zero, math.inf, first / where(zero, 1, last))
