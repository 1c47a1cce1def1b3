"""Factorizations of matrices: the primitives of linear algebra beside the matrix product.

Leading axes count matrices. They are defined for float32, float64, complex64 and complex128; integers are cast to
float32. The gradients of eigenvectors and singular vectors are those of functions that do not depend on their phases,
and are NaN where eigenvalues or singular values are equal.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ... import dtypes
from ...dtypes import DType
from ...errors import DTypeError, ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules
from ..complex_parts import conj, is_complex, real
from ..declaration import converted, op, primitive, states
from ..likeness import tril, triu
from ..logic import where
from ..manipulation import astype_, reshape
from ..products import matmul, matrix_transpose

__all__ = ["LUFactors", "QRResult", "SVDResult", "cholesky", "lu_factor", "qr", "svd"]

Shape = tuple[int, ...]


@states(takes="floating", returns="same", rejects="not floating")
def full_precision(x: DType, *others: DType) -> DType:
    """The operand's dtype, which must be floating, and not of half precision."""
    dtype_rules.same_floating(x)
    if x.itemsize == 2:
        raise DTypeError(
            "is not defined in half precision.",
            expected="float32, float64, complex64 or complex128",
            fix="cast it first, for example to 'float32'",
        )
    return x


@states(takes="[..., m, n]", returns="same", rejects="fewer than two axes")
def matrices(x: Shape) -> Shape:
    """The shape of a stack of matrices."""
    if len(x) < 2:
        raise ShapeError("takes matrices.", expected="at least two axes", got=f"shape {x}", fix="reshape it first")
    return x


@states(takes="[..., n, n]", returns="same", rejects="matrices that are not square")
def square_matrices(x: Shape) -> Shape:
    """The shape of a stack of square matrices."""
    if len(x) < 2 or x[-1] != x[-2]:
        raise ShapeError(
            "takes square matrices.", expected="shape [..., n, n]", got=f"shape {x}", fix="select a square part first"
        )
    return x


def adjoint(x: Tensor) -> Tensor:
    """The conjugate transpose."""
    y = matrix_transpose(x)
    return conj(y) if is_complex(y) else y


def as_diagonal(x: Tensor) -> Tensor:
    """Diagonal matrices with the elements along the last axis."""
    return where(on_diagonal(x.shape[-1], x), reshape(x, (*x.shape, 1)), 0)


def on_diagonal(n: int, x: Tensor) -> Tensor:
    """Whether each element of square matrices of size n is on the diagonal: bool[n, n]."""
    from ..creation import eye

    return eye(n, dtype=dtypes.bool_, device=x.device)


def hermitian(x: Tensor) -> Tensor:
    """The Hermitian part of square matrices."""
    return (x + adjoint(x)) * 0.5


def columns(x: Tensor) -> Tensor:
    """A vector beside a matrix: as a row, so that it scales columns."""
    return reshape(x, (*x.shape[:-1], 1, x.shape[-1]))


def rows(x: Tensor) -> Tensor:
    """A vector beside a matrix: as a column, so that it scales rows."""
    return reshape(x, (*x.shape, 1))


@states(upper="whether the factor is the upper one, ``x = y^H y``, and the upper triangle is read.")
def _cholesky_shape(x: Shape, *, upper: bool) -> Shape:
    return square_matrices(x)


@op(dtype=full_precision, shape=_cholesky_shape, floating=True)
def cholesky(x: TensorLike, /, *, upper: bool = False) -> Tensor:
    """The lower triangular factor of positive definite matrices, ``x = y y^H``.

    Args:
        x: floating[..., n, n], Hermitian; only one triangle is read, and the gradient is Hermitian.
    Returns:
        Shape and dtype of ``x``; float32 for integers.
    Raises:
        ShapeError: matrices that are not square. LinAlgError: on the host, a matrix that is not positive definite;
            other devices return NaN.
    Source:
        Array API standard 2025.12, ``linalg.cholesky``; I. Murray (2016), arXiv:1602.07527, for the gradient.
    """
    return primitive()


@cholesky.gradient("x")
def _cholesky_back(g: Tensor, y: Tensor, upper: bool) -> Tensor:
    from .solving import solve_triangular

    factor, cotangent = (adjoint(y), adjoint(g)) if upper else (y, g)
    middle = tril(matmul(adjoint(factor), cotangent))
    diagonal = on_diagonal(middle.shape[-1], middle)
    middle = where(diagonal, _real_part(middle) * 0.5, middle)
    left = solve_triangular(adjoint(factor), middle, upper=True)
    return hermitian(adjoint(solve_triangular(adjoint(factor), adjoint(left), upper=True)))


def _real_part(x: Tensor) -> Tensor:
    return astype_(real(x), x.dtype) if is_complex(x) else x


class QRResult(NamedTuple):
    """The result of `qr`.

    Attributes:
        Q: with orthonormal columns.
        R: upper triangular.
    """

    Q: Tensor
    R: Tensor


def _two(x: DType) -> tuple[DType, DType]:
    dtype = full_precision(x)
    return dtype, dtype


_two.facts = full_precision.facts  # type: ignore[attr-defined]  # functions take attributes


@states(
    takes="[..., m, n]",
    returns="[..., m, k] and [..., k, n], where k is the smaller of m and n, or m in mode ``complete``",
    rejects="fewer than two axes, or another ``mode``",
    mode='``"reduced"`` or ``"complete"``.',
)
def _qr_shapes(x: Shape, *, mode: str) -> tuple[Shape, Shape]:
    *lead, m, n = matrices(x)
    if mode not in ("reduced", "complete"):
        raise ShapeError(f"there is no mode {mode!r}.", expected="reduced or complete", got=repr(mode), fix="name one")
    k = m if mode == "complete" else min(m, n)
    return (*lead, m, k), (*lead, k, n)


@op(dtype=_two, shape=_qr_shapes, floating=True, outputs=QRResult)
def qr(x: TensorLike, /, *, mode: str = "reduced") -> QRResult:
    """A matrix with orthonormal columns and an upper triangular one, ``x = Q R``.

    Source:
        Array API standard 2025.12, ``linalg.qr``; S. Walter, L. Lehmann (2010), arXiv:1001.1654, and D. Roberts, L.
        Roberts (2020), arXiv:2009.10071, for the gradient.
    """
    return primitive()


@qr.gradient("x")
def _qr_back(g: QRResult, y: QRResult, x: Tensor, mode: str) -> Tensor:
    from ..creation import zeros

    m, n = x.shape[-2:]
    if mode == "complete" and m > n:
        raise ShapeError(
            "qr in mode 'complete' has no gradient for tall matrices, whose last columns of Q are arbitrary.",
            expected="mode 'reduced'",
            got=f"shape {x.shape}",
            fix="use mode='reduced'",
        )
    q, r = y
    g_q = zeros(q.shape, dtype=q.dtype, device=q.device) if g.Q is None else g.Q
    g_r = zeros(r.shape, dtype=r.dtype, device=r.device) if g.R is None else g.R
    if m >= n:
        return _qr_tall(g_q, g_r, q, r)
    # The first m columns alone determine Q; the others are Q times the rest of R.
    rest, g_rest = x[..., m:], g_r[..., m:]
    first = _qr_tall(g_q + matmul(rest, adjoint(g_rest)), g_r[..., :m], q, r[..., :m])
    from ..manipulation import concat

    return concat([first, matmul(q, g_rest)], axis=-1)


def _qr_tall(g_q: Tensor, g_r: Tensor, q: Tensor, r: Tensor) -> Tensor:
    from .solving import solve_triangular

    middle = triu(matmul(g_r, adjoint(r)) - matmul(adjoint(q), g_q))
    both = middle + adjoint(middle)
    both = where(on_diagonal(both.shape[-1], both), both * 0.5, both)
    right = g_q + matmul(q, both)
    return adjoint(solve_triangular(r, adjoint(right), upper=True))


class SVDResult(NamedTuple):
    """The result of `svd`.

    Attributes:
        U: with orthonormal columns, the left singular vectors.
        S: real[..., k], the singular values in descending order, where k is the smaller of m and n.
        Vh: with orthonormal rows, the right singular vectors.
    """

    U: Tensor
    S: Tensor
    Vh: Tensor


@states(
    takes="floating",
    returns="that of {x}, the real dtype of the same precision, that of {x}",
    rejects="not floating",
)
def _svd_dtypes(x: DType) -> tuple[DType, DType, DType]:
    dtype = full_precision(x)
    return dtype, dtype_rules.real_part(dtype), dtype


@states(
    takes="[..., m, n]",
    returns="[..., m, m], [..., k] and [..., n, n], or [..., m, k], [..., k] and [..., k, n]",
    rejects="fewer than two axes",
    full_matrices="whether the vectors span the whole space.",
)
def _svd_shapes(x: Shape, *, full_matrices: bool) -> tuple[Shape, Shape, Shape]:
    *lead, m, n = matrices(x)
    k = min(m, n)
    return (*lead, m, m if full_matrices else k), (*lead, k), (*lead, n if full_matrices else k, n)


@op(dtype=_svd_dtypes, shape=_svd_shapes, floating=True, outputs=SVDResult)
def svd(x: TensorLike, /, *, full_matrices: bool = True) -> SVDResult:
    """The singular value decomposition, ``x = U diag(S) Vh``.

    Source:
        Array API standard 2025.12, ``linalg.svd``; Z. Wan, S. Zhang (2019), arXiv:1909.02659, for the gradient.
    """
    return primitive()


@svd.gradient("x")
def _svd_back(g: SVDResult, y: SVDResult, x: Tensor, full_matrices: bool) -> Tensor:
    u, s, vh = y
    k = s.shape[-1]
    if full_matrices:
        if (g.U is not None and x.shape[-2] > k) or (g.Vh is not None and x.shape[-1] > k):
            raise ShapeError(
                "svd with full matrices has no gradient by U and Vh, whose last vectors are arbitrary.",
                expected="full_matrices=False",
                got=f"shape {x.shape}",
                fix="use full_matrices=False, or only the singular values",
            )
        u, vh = u[..., :k], vh[..., :k, :]
    middle = as_diagonal(astype_(g.S, x.dtype)) if g.S is not None else None
    if g.U is None and g.Vh is None:
        assert middle is not None
        return matmul(matmul(u, middle), vh)
    return _svd_vectors(g, u, s, vh, middle)


def _svd_vectors(g: SVDResult, u: Tensor, s: Tensor, vh: Tensor, middle: Any) -> Tensor:
    diagonal = on_diagonal(s.shape[-1], s)
    squares = s * s
    distance = where(diagonal, 1, columns(squares) - rows(squares))
    terms: list[Tensor] = [] if middle is None else [middle]
    outside: list[Tensor] = []
    if g.U is not None:
        skew = matmul(adjoint(u), g.U)
        skew = skew - adjoint(skew)
        terms.append(skew / distance * columns(s))
        if is_complex(u):  # the phase of each pair of vectors is free; it is that of U's part
            terms[-1] = where(diagonal, skew / (2.0 * columns(s)), terms[-1])
        if u.shape[-2] > s.shape[-1]:
            rest = g.U - matmul(u, matmul(adjoint(u), g.U))
            outside.append(matmul(rest / columns(s), vh))
    if g.Vh is not None:
        v, g_v = adjoint(vh), adjoint(g.Vh)
        skew = matmul(vh, g_v)
        skew = skew - adjoint(skew)
        terms.append(where(diagonal, 0, rows(s) * (skew / distance)))
        if v.shape[-2] > s.shape[-1]:
            rest = g.Vh - matmul(matmul(g.Vh, v), vh)
            outside.append(matmul(u, rest / rows(s)))
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    result = matmul(matmul(u, total), vh)
    for term in outside:
        result = result + term
    return result


class LUFactors(NamedTuple):
    """The result of `lu_factor`.

    Attributes:
        packed: [..., n, n], the lower factor below the diagonal, whose own diagonal is 1, and the upper factor.
        order: int64[..., n], the row of the matrix that each row of the product is.
    """

    packed: Tensor
    order: Tensor


@states(takes="floating", returns="that of {x}, and int64", rejects="not floating")
def _lu_dtypes(x: DType) -> tuple[DType, DType]:
    return full_precision(x), dtypes.int64


@states(takes="[..., n, n]", returns="[..., n, n] and [..., n]", rejects="matrices that are not square")
def _lu_shapes(x: Shape) -> tuple[Shape, Shape]:
    square_matrices(x)
    return x, x[:-1]


@op(dtype=_lu_dtypes, shape=_lu_shapes, floating=True, outputs=LUFactors)
def lu_factor(x: TensorLike, /) -> LUFactors:
    """The factors of matrices with their rows in another order, ``x[order] = L U``, for `lu_solve`.

    A singular matrix has factors too, with zeros on the diagonal of U.

    Source:
        G. Golub, C. Van Loan (2013), Matrix Computations, algorithm 3.4.1 (partial pivoting); the gradient follows from
        ``L^-1 dx[order] U^-1 = L^-1 dL + dU U^-1``, whose terms are strictly lower and upper triangular.
    """
    return primitive()


@lu_factor.gradient("x")
def _lu_back(g: LUFactors, y: LUFactors) -> Tensor:
    from ..gathering import take_along_axis
    from ..sorting import argsort
    from .solving import solve_triangular

    packed, order = y
    lower, upper = unit_lower(packed), triu(packed)
    below = matmul(adjoint(lower), tril(g.packed, k=-1))
    above = matmul(triu(g.packed), adjoint(upper))
    middle = tril(below, k=-1) + triu(above)
    left = solve_triangular(adjoint(lower), middle, upper=True, unit_diagonal=True)
    ordered = adjoint(solve_triangular(upper, adjoint(left), upper=True))
    return take_along_axis(ordered, rows(argsort(order)), axis=-2)


def unit_lower(x: Tensor) -> Tensor:
    """The lower factor of packed ones."""
    return tril(x, k=-1) + astype_(on_diagonal(x.shape[-1], x), converted(x).dtype)
