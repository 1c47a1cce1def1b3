"""Eigenvalues and eigenvectors. Their gradients are NaN where eigenvalues are equal, but for eigenvalues alone."""

from __future__ import annotations

from typing import NamedTuple

from ... import dtypes
from ...dtypes import DType
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules
from ..complex_parts import conj, is_complex, real
from ..declaration import op, primitive, states
from ..logic import where
from ..products import matmul
from ..reduction import sum
from .factorizations import (
    adjoint,
    as_diagonal,
    columns,
    full_precision,
    hermitian,
    on_diagonal,
    rows,
    square_matrices,
)

__all__ = ["EigResult", "EighResult", "eig", "eigh"]

Shape = tuple[int, ...]


class EighResult(NamedTuple):
    """The result of `eigh`.

    Attributes:
        eigenvalues: real[..., n], ascending.
        eigenvectors: [..., n, n], orthonormal columns.
    """

    eigenvalues: Tensor
    eigenvectors: Tensor


@states(takes="floating", returns="the real dtype of the same precision, and that of {x}", rejects="not floating")
def _eigh_dtypes(x: DType) -> tuple[DType, DType]:
    dtype = full_precision(x)
    return dtype_rules.real_part(dtype), dtype


@states(takes="[..., n, n]", returns="[..., n] and [..., n, n]", rejects="matrices that are not square")
def _eigen_shapes(x: Shape) -> tuple[Shape, Shape]:
    square_matrices(x)
    return x[:-1], x


@op(dtype=_eigh_dtypes, shape=_eigen_shapes, floating=True, outputs=EighResult)
def eigh(x: TensorLike, /) -> EighResult:
    """Eigenvalues and eigenvectors of Hermitian matrices, of which the lower triangle is read.

    Source:
        Array API standard 2025.12, ``linalg.eigh``; M. Giles (2008), An extended collection of matrix derivative
        results, Oxford NA-08/01, for the gradient.
    """
    return primitive()


@eigh.gradient("x")
def _eigh_back(g: EighResult, y: EighResult) -> Tensor:
    values, vectors = y
    if g.eigenvectors is None:
        return hermitian(matmul(vectors * columns(g.eigenvalues), adjoint(vectors)))
    middle = matmul(adjoint(vectors), g.eigenvectors)
    diagonal = on_diagonal(values.shape[-1], values)
    distance = where(diagonal, 1, columns(values) - rows(values))
    middle = where(diagonal, 0, middle / distance)
    if g.eigenvalues is not None:
        middle = middle + as_diagonal(g.eigenvalues)
    return hermitian(matmul(matmul(vectors, middle), adjoint(vectors)))


class EigResult(NamedTuple):
    """The result of `eig`.

    Attributes:
        eigenvalues: complex[..., n], in any order.
        eigenvectors: complex[..., n, n], columns of length 1.
    """

    eigenvalues: Tensor
    eigenvectors: Tensor


@states(takes="floating", returns="the complex dtype of the same precision", rejects="not floating")
def _eig_dtypes(x: DType) -> tuple[DType, DType]:
    full_precision(x)
    found = {"float32": dtypes.complex64, "float64": dtypes.complex128}.get(x.name, x)
    return found, found


@op(dtype=_eig_dtypes, shape=_eigen_shapes, floating=True, outputs=EigResult)
def eig(x: TensorLike, /) -> EigResult:
    """Eigenvalues and eigenvectors of matrices; the result is complex.

    Source:
        Array API standard 2025.12, ``linalg.eig``; C. Boeddeker et al. (2017), arXiv:1701.00392, for the gradient.
    """
    return primitive()


@eig.gradient("x")
def _eig_back(g: EigResult, y: EigResult, x: Tensor) -> Tensor:
    from .solving import solve

    values, vectors = y
    adjoint_vectors = adjoint(vectors)
    if g.eigenvectors is None:
        middle = as_diagonal(g.eigenvalues)
    else:
        projected = matmul(adjoint_vectors, g.eigenvectors)
        diagonal = on_diagonal(values.shape[-1], values)
        own = real(sum(where(diagonal, projected, 0), axis=-2))
        projected = projected - matmul(adjoint_vectors, vectors) * columns(own)
        middle = projected / where(diagonal, 1, conj(columns(values) - rows(values)))
        given = g.eigenvalues
        middle = where(diagonal, 0 if given is None else as_diagonal(given), middle)
    result = solve(adjoint_vectors, matmul(middle, adjoint_vectors))
    return result if is_complex(x) else real(result)
