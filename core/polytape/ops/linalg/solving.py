"""Linear systems, inverses, determinants and functions of matrices."""

from __future__ import annotations

from typing import NamedTuple

from ... import dtypes
from ...dispatch.convert import asarray
from ...dtypes import DType
from ...errors import ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import abs, sign
from ..complex_parts import complex_, conj, imag, is_complex
from ..contractions import diagonal
from ..creation import eye
from ..declaration import converted, op, primitive, states
from ..exponential import log
from ..gathering import take_along_axis
from ..logic import greater, where
from ..manipulation import astype_, broadcast_to, reshape
from ..products import matmul, matrix_transpose
from ..reduction import prod, sum
from .factorizations import (
    LUFactors,
    adjoint,
    as_diagonal,
    columns,
    full_precision,
    lu_factor,
    matrices,
    on_diagonal,
    rows,
    square_matrices,
    svd,
)

__all__ = ["SlogdetResult", "det", "inv", "lu_solve", "slogdet", "solve", "solve_triangular"]

Shape = tuple[int, ...]


@states(
    returns="the shape of the solutions",
    rejects="matrices that are not square, or sizes that do not fit",
    upper="whether the upper triangle of ``x1`` is read.",
    unit_diagonal="whether the diagonal counts as ones.",
)
def _triangular_shape(x1: Shape, x2: Shape, *, upper: bool, unit_diagonal: bool) -> Shape:
    square_matrices(x1)
    if len(x2) == 1:
        raise ShapeError(
            "x2 is a vector.",
            expected="x2[..., n, k]",
            got=f"shape {x2}",
            fix="pass x2[:, None], and take [:, 0] after",
        )
    matrices(x2)
    if x1[-1] != x2[-2]:
        raise ShapeError(
            "the sizes do not fit.",
            expected=f"x2 with {x1[-1]} rows",
            got=f"{x2[-2]}",
            fix="transpose one operand, or select rows",
        )
    return (*shape_rules.broadcast(x1[:-2], x2[:-2]), *x2[-2:])


@op(dtype=full_precision, shape=_triangular_shape, floating=True)
def solve_triangular(x1: TensorLike, x2: TensorLike, /, *, upper: bool = False, unit_diagonal: bool = False) -> Tensor:
    """The solution of ``x1 y = x2`` for triangular ``x1``; the other triangle is not read.

    Args:
        x1: floating[..., n, n].
        x2: floating[..., n, k]; leading axes broadcast.
    Raises:
        ShapeError: sizes that do not fit. LinAlgError: on the host, a zero on the diagonal.
    Source:
        G. Golub, C. Van Loan (2013), Matrix Computations, section 3.1; PyTorch, ``linalg.solve_triangular``.
    """
    return primitive()


@solve_triangular.gradient("x1", "x2")
def _triangular_back(
    g: Tensor, y: Tensor, x1: Tensor, x1_shape: Shape, x2_shape: Shape, upper: bool, unit_diagonal: bool
) -> tuple[Tensor, Tensor]:
    from ...autodiff.cotangent import unbroadcast  # loaded with the first tape
    from ..likeness import tril, triu

    second = solve_triangular(adjoint(x1), g, upper=not upper, unit_diagonal=unit_diagonal)
    first = -matmul(second, adjoint(y))
    distance = 1 if unit_diagonal else 0
    first = triu(first, k=distance) if upper else tril(first, k=-distance)
    return unbroadcast(first, x1_shape, first.shape), unbroadcast(second, x2_shape, second.shape)


def _solved(x1: Shape, x2: Shape) -> Shape:
    square_matrices(x1)
    sides = (*x2, 1) if len(x2) == 1 else x2
    result = _triangular_shape(x1, matrices(sides), upper=False, unit_diagonal=False)
    return result[:-1] if len(x2) == 1 else result


_solved.facts = {  # type: ignore[attr-defined]  # functions take attributes
    "returns": "the shape of ``x2``, with leading axes broadcast",
    "rejects": "matrices that are not square, or sizes that do not fit",
}


@op(dtype=full_precision, shape=_solved, floating=True)
def solve(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The solution of ``x1 y = x2``.

    Args:
        x1: floating[..., n, n].
        x2: floating[n] for one vector, or floating[..., n, k]; leading axes broadcast.
    Raises:
        ShapeError: sizes that do not fit. LinAlgError: on the host, a singular matrix.
    Source:
        Array API standard 2025.12, ``linalg.solve``.
    """
    return lu_solve(lu_factor(x1), x2)


def lu_solve(factors: LUFactors, x2: TensorLike, /) -> Tensor:
    """The solution of ``x1 y = x2`` by the factors that `lu_factor` returned for ``x1``.

    Args:
        factors: of floating[..., n, n].
        x2: floating[n] for one vector, or floating[..., n, k]; leading axes broadcast.
    Returns:
        The shape of ``x2``, with leading axes broadcast; the promoted dtype.
    Raises:
        ShapeError: sizes that do not fit. LinAlgError: on the host, a singular matrix.
    Source:
        G. Golub, C. Van Loan (2013), Matrix Computations, section 3.4.
    """
    packed, order = factors
    x2 = asarray(x2)
    _solved(packed.shape, x2.shape)
    vector = x2.ndim == 1
    sides = rows(x2) if vector else x2
    lead = shape_rules.broadcast(packed.shape[:-2], sides.shape[:-2])
    sides = broadcast_to(sides, (*lead, *sides.shape[-2:]))
    numbers = broadcast_to(rows(order), (*lead, order.shape[-1], 1))
    y = solve_triangular(packed, take_along_axis(sides, numbers, axis=-2), unit_diagonal=True)
    y = solve_triangular(packed, y, upper=True)
    return reshape(y, y.shape[:-1]) if vector else y


@solve.gradient("x1", "x2")
def _solve_back(g: Tensor, y: Tensor, x1: Tensor, x1_shape: Shape, x2_shape: Shape) -> tuple[Tensor, Tensor]:
    from ...autodiff.cotangent import unbroadcast  # loaded with the first tape

    vector = len(x2_shape) == 1
    column_g, column_y = (rows(g), rows(y)) if vector else (g, y)
    second = solve(adjoint(x1), column_g)
    first = -matmul(second, adjoint(column_y))
    second = unbroadcast(second, (*x2_shape, 1) if vector else x2_shape, second.shape)
    return unbroadcast(first, x1_shape, first.shape), reshape(second, x2_shape) if vector else second


@op(dtype=full_precision, shape=square_matrices, floating=True)
def inv(x: TensorLike, /) -> Tensor:
    """The inverse of square matrices.

    Raises:
        ShapeError: matrices that are not square. LinAlgError: on the host, a singular matrix.
    Source:
        Array API standard 2025.12, ``linalg.inv``.
    """
    x = converted(x)
    return solve(x, eye(x.shape[-1], dtype=x.dtype, device=x.device))


@inv.gradient("x")
def _inv_back(g: Tensor, y: Tensor) -> Tensor:
    return -matmul(matmul(adjoint(y), g), adjoint(y))


def _parity(order: Tensor, dtype: DType) -> Tensor:
    """1 or -1 for an even or odd permutation: by the number of pairs that are out of order."""
    from .. import likeness
    from ..rounding import remainder

    pairs = greater(reshape(order, (*order.shape, 1)), reshape(order, (*order.shape[:-1], 1, order.shape[-1])))
    count = sum(likeness.triu(astype_(pairs, dtypes.int64), k=1), axis=(-2, -1))
    return astype_(1 - 2 * remainder(count, 2), dtype)


@states(takes="[..., n, n]", returns="[...]", rejects="matrices that are not square")
def _one_each(x: Shape) -> Shape:
    return square_matrices(x)[:-2]


@op(dtype=full_precision, shape=_one_each, floating=True)
def det(x: TensorLike, /) -> Tensor:
    """The determinant of square matrices; its gradient is exact for singular matrices too.

    Source:
        Array API standard 2025.12, ``linalg.det``.
    """
    packed, order = lu_factor(x)
    return prod(diagonal(packed), axis=-1) * _parity(order, packed.dtype)


@op(dtype=full_precision, shape=square_matrices, floating=True, internal="the gradient of det")
def cofactors(x: TensorLike, /) -> Tensor:
    """The derivative of the determinant by each element, ``det(x) inv(x)^T``, of singular matrices too.

    Source:
        G. Stewart (1998), On the adjugate matrix, Linear Algebra and its Applications 283, pp. 151-164, by the singular
        value decomposition.
    """
    u, s, vh = svd(x, full_matrices=False)
    return conj(matmul(u * columns(_products_of_others(s)), vh)) * _phase(u, vh)


def _phase(u: Tensor, vh: Tensor) -> Tensor:
    """The determinant of ``u vh``, beside a matrix."""
    phase = det(u) * det(vh)
    return reshape(phase, (*phase.shape, 1, 1))


def _products_of_others(x: Tensor) -> Tensor:
    """The products of the other elements along the last axis, without a division by the one, which may be 0."""
    from ..cumulative import exclusive_products

    return exclusive_products(x) * exclusive_products(x[..., ::-1])[..., ::-1]


@det.gradient("x")
def _det_back(g: Tensor, x: Tensor) -> Tensor:
    return conj(cofactors(x)) * reshape(g, (*g.shape, 1, 1))


@cofactors.gradient("x")
def _cofactors_back(g: Tensor, x: Tensor) -> Tensor:
    # In the bases of the singular vectors x is diagonal. There, a change of the element (j, j) changes the cofactor
    # (i, i) by the product of the singular values other than i and j; a change of (j, i) changes (i, j) by minus that.
    # Unlike the gradient through svd, this divides by no difference of singular values.
    u, s, vh = svd(x, full_matrices=False)
    inside = matmul(matmul(matrix_transpose(u), g), matrix_transpose(vh)) * conj(_phase(u, vh))
    same = on_diagonal(s.shape[-1], s)
    products = _products_of_others(where(same, 1, columns(s)))
    along = sum(where(same, 0, products * rows(diagonal(inside))), axis=-2)
    changes = where(same, as_diagonal(along), -(products * matrix_transpose(inside)))
    return matmul(matmul(u, changes), vh)


class SlogdetResult(NamedTuple):
    """The result of `slogdet`.

    Attributes:
        sign: of the determinant; a complex number of magnitude 1, or 0.
        logabsdet: the logarithm of its magnitude.
    """

    sign: Tensor
    logabsdet: Tensor


@states(takes="floating", returns="that of {x}, and the real dtype of the same precision", rejects="not floating")
def _slogdet_dtypes(x: DType) -> tuple[DType, DType]:
    dtype = full_precision(x)
    return dtype, dtype_rules.real_part(dtype)


@states(takes="[..., n, n]", returns="[...] and [...]", rejects="matrices that are not square")
def _two_each(x: Shape) -> tuple[Shape, Shape]:
    shape = _one_each(x)
    return shape, shape


@op(dtype=_slogdet_dtypes, shape=_two_each, floating=True, outputs=SlogdetResult)
def slogdet(x: TensorLike, /) -> SlogdetResult:
    """The sign and the logarithm of the magnitude of the determinant, which may itself overflow.

    Source:
        Array API standard 2025.12, ``linalg.slogdet``.
    """
    packed, order = lu_factor(x)
    elements = diagonal(packed)
    return SlogdetResult(prod(sign(elements), axis=-1) * _parity(order, packed.dtype), sum(log(abs(elements)), axis=-1))


@slogdet.gradient("x")
def _slogdet_back(g: SlogdetResult, y: SlogdetResult, x: Tensor) -> Tensor | None:
    scale: Tensor | None = g.logabsdet
    if g.sign is not None and is_complex(x):  # the phase of the determinant turns; a real sign is constant
        turning = imag(conj(g.sign) * y.sign)
        scale = complex_(turning * 0.0 if scale is None else scale, -turning)
    return None if scale is None else adjoint(inv(x)) * reshape(scale, (*scale.shape, 1, 1))
