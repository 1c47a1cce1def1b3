"""Adapters for OpInfo's linear algebra and Fourier transforms."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import polytape as pt

from .mapped import Mapped, NotOffered, axis_of

__all__ = ["ALGEBRA"]

PHASE = "eigenvectors are determined up to a factor; the results compared are invariant"


def plus(x: Any, product: Any, beta: Any, alpha: Any) -> Any:
    """``beta * x + alpha * product``; factors of 1 change no dtype."""
    if x.dtype.kind in "iu" and isinstance(beta + alpha, float):
        raise NotOffered("factors with a fraction, of integers")
    if beta == 0:
        x = pt.zeros_like(x)
    x = x if beta == 1 else x * beta
    return pt.add(x, product if alpha == 1 else product * alpha)


def addmm(x: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    return plus(x, pt.matmul(a, b), beta, alpha)


def addbmm(x: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    return plus(x, pt.sum(pt.matmul(a, b), 0), beta, alpha)


def addr(x: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    return plus(x, pt.outer(a, b), beta, alpha)


def vdot(x: Any, y: Any) -> Any:
    return pt.sum(pt.conj(x) * y)


def tensordot(x: Any, y: Any, dims: Any = 2) -> Any:
    axes = (range(-dims, 0), range(dims)) if isinstance(dims, int) else dims
    if [x.shape[k] for k in axes[0]] != [y.shape[k] for k in axes[1]]:
        raise NotOffered("contracted axes that are broadcast")
    return pt.tensordot(x, y, axes=dims if isinstance(dims, int) else tuple(tuple(part) for part in dims))


def cross(x: Any, y: Any, dim: int | None = None) -> Any:
    return pt.cross(x, y, axis=x.shape.index(3) if dim is None else dim)


def einsum(operands: Any, equation: str) -> Any:
    return pt.einsum(equation, *operands)


def matrix_norm(x: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, dtype: Any = None) -> Any:
    x = x if dtype is None else pt.astype(x, dtype)
    return pt.linalg.norm(x, ord, axis=tuple(dim), keepdims=keepdim)


def vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    x = x if dtype is None else pt.astype(x, dtype)
    return pt.linalg.vector_norm(x, ord=ord, axis=axis_of(dim), keepdims=keepdim)


def any_norm(x: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    x = x if dtype is None else pt.astype(x, dtype)
    if ord is not None and dim is None and x.ndim > 2:
        raise NotOffered("a norm with an order, over more than two axes")
    if ord not in (None, "fro", "nuc", 0) and not x.size:
        raise NotOffered("an extreme of no elements")
    axis = tuple(dim) if isinstance(dim, (tuple, list)) else dim
    return pt.linalg.norm(x, ord, axis=axis, keepdims=keepdim)


def rank(x: Any, *args: Any, tol: Any = None, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:
    if args or tol is not None or atol is not None:
        raise NotOffered("an absolute tolerance")
    return pt.linalg.matrix_rank(x, rtol=rtol)


def pseudoinverse(
    x: Any, *args: Any, atol: Any = None, rtol: Any = None, rcond: Any = None, hermitian: bool = False
) -> Any:
    if args or atol is not None or rcond is not None:
        raise NotOffered("an absolute tolerance")
    if hermitian:  # torch reads the lower triangle
        low = pt.tril(x, k=-1)
        x = low + pt.conj(pt.matrix_transpose(low)) + pt.real(pt.where(pt.eye(x.shape[-1], dtype="bool"), x, 0))
    return pt.linalg.pinv(x, rtol=rtol)


def solved(a: Any, b: Any, *, left: bool = True, check_errors: bool = False) -> Any:
    if not left:
        raise NotOffered("a system whose matrix stands on the right")
    if a.ndim - b.ndim == 1 and a.shape[:-1] == b.shape and b.ndim > 1:
        return pt.linalg.solve(a, b[..., None])[..., 0]
    return pt.linalg.solve(a, b)


def triangular(a: Any, b: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    if not left:  # x a = b is a.T x.T = b.T
        return pt.matrix_transpose(triangular(a.mT, b.mT, upper=not upper, unitriangular=unitriangular))
    return pt.linalg.solve_triangular(a, b, upper=upper, unit_diagonal=unitriangular)


def triangular_old(b: Any, a: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False) -> Any:
    if transpose:
        a, upper = pt.matrix_transpose(a), not upper
    keep = pt.triu if upper else pt.tril
    return pt.linalg.solve_triangular(keep(a), b, upper=upper, unit_diagonal=unitriangular)


def cholesky(x: Any, upper: bool = False) -> Any:
    """Both gradients are projected on Hermitian matrices, since torch's is not Hermitian."""
    return real_diagonal(pt.linalg.cholesky((x + pt.conj(pt.matrix_transpose(x))) / 2, upper=upper))


def torch_cholesky(x: Any, upper: bool = False) -> Any:
    factor = torch.linalg.cholesky((x + x.mH) / 2, upper=upper)
    diagonal = factor.diagonal(dim1=-2, dim2=-1)
    return factor - torch.diag_embed(diagonal), diagonal.real


def real_diagonal(factor: Any) -> Any:
    diagonal = pt.diagonal(factor)
    return pt.where(pt.eye(factor.shape[-1], dtype="bool"), 0, factor), pt.real(diagonal)


def invariant_svd(u: Any, s: Any, vh: Any) -> Any:
    k = s.shape[-1]
    return s, (u[..., :k] * s[..., None, :]) @ vh[..., :k, :]


def our_svd(x: Any, full_matrices: bool = True) -> Any:
    if full_matrices and x.shape[-1] != x.shape[-2]:
        raise NotOffered("full matrices, whose last vectors are arbitrary, have no gradient here")
    return invariant_svd(*pt.linalg.svd(x, full_matrices=full_matrices))


def torch_svd(x: Any, full_matrices: bool = True) -> Any:
    return invariant_svd(*torch.linalg.svd(x, full_matrices=full_matrices))


def torch_old_svd(x: Any, some: bool = True, compute_uv: bool = True) -> Any:
    if not compute_uv:
        return torch.linalg.svdvals(x)
    u, s, v = torch.svd(x, some)
    return invariant_svd(u, s, v.mH)


def our_old_svd(x: Any, some: bool = True, compute_uv: bool = True) -> Any:
    return our_svd(x, not some) if compute_uv else pt.linalg.svdvals(x)


def sorted_eigenvalues(values: Any) -> Any:
    """In an order that rounding does not change: symmetric functions of the eigenvalues."""
    return [(values**k).sum(-1) for k in (1, 2, 3)]


def our_qr(x: Any, mode: str = "reduced") -> Any:
    if mode == "r":
        raise NotOffered("R alone")
    q, r = pt.linalg.qr(x, mode=mode)
    return q @ r


def torch_qr(x: Any, mode: str = "reduced") -> Any:
    q, r = torch.linalg.qr(x, mode=mode)
    return q @ r


def require_pivots(x: Any, pivot: bool) -> None:
    if not pivot or x.shape[-1] != x.shape[-2]:
        raise NotOffered("a factorization without pivots, or of a matrix that is not square")


def our_lu(x: Any, pivot: bool = True) -> Any:
    require_pivots(x, pivot)
    return tuple(pt.linalg.lu(x))


def our_lu_factor(x: Any, pivot: bool = True, get_infos: bool = False) -> Any:
    require_pivots(x, pivot)
    return pt.linalg.lu_factor(x).packed


def lu_solved(packed: Any, pivots: Any, b: Any, *, left: bool = True, adjoint: bool = False) -> Any:
    if not left or adjoint:
        raise NotOffered("a system whose matrix stands on the right, or is transposed")
    lead = np.broadcast_shapes(packed.shape[:-2], b.shape[:-2])
    order = np.broadcast_to(np.arange(packed.shape[-1]), pivots.shape).copy()
    swaps = pivots.numpy()
    for batch in np.ndindex(*pivots.shape[:-1]):
        for k, other in enumerate(swaps[batch]):
            order[(*batch, k)], order[(*batch, other - 1)] = order[(*batch, other - 1)], order[(*batch, k)]
    b = pt.broadcast_to(b, (*lead, *b.shape[-2:]))
    packed = pt.broadcast_to(packed, (*lead, *packed.shape[-2:]))
    order = np.broadcast_to(order, (*lead, order.shape[-1])).copy()
    return pt.linalg.lu_solve(pt.linalg.LUFactors(packed, pt.asarray(order)), b)


def tensorinv(x: Any, ind: int = 2) -> Any:
    return pt.linalg.tensorinv(x, ind=ind)


def tensorsolve(a: Any, b: Any, *, dims: Any = None) -> Any:
    return pt.linalg.tensorsolve(a, b, axes=dims)


def slogdet(x: Any) -> Any:
    return tuple(pt.linalg.slogdet(x))


def logdet(x: Any) -> Any:
    if x.dtype.kind == "c":
        raise NotOffered("the complex logarithm of a determinant")
    sign, value = pt.linalg.slogdet(x)
    return pt.where(pt.less(sign, 0), np.nan, value)


def lower(op: Any) -> Any:
    def adapted(x: Any, UPLO: str = "L") -> Any:
        if UPLO != "L":
            raise NotOffered("the upper triangle of a Hermitian matrix")
        return op(x)

    return adapted


def lstsq(a: Any, b: Any, *, driver: Any = None) -> Any:
    return pt.linalg.lstsq(a, b)


def vander(x: Any, N: int | None = None) -> Any:
    if x.ndim != 1:
        raise NotOffered("a batch of Vandermonde matrices")
    return pt.vander(x, N, increasing=True)


def one_axis(op: Any) -> Any:
    def adapted(x: Any, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
        return op(x, n=n, axis=dim, norm=norm or "backward")

    return adapted


def several_axes(op: Any, default: Any = None) -> Any:
    def adapted(x: Any, s: Any = None, dim: Any = default, norm: str | None = None) -> Any:
        axes = tuple(dim) if isinstance(dim, (tuple, list)) else dim
        s = s if s is None or isinstance(s, int) else tuple(s)
        if isinstance(s, int):
            s = (s,)
        if isinstance(axes, int):
            axes = (axes,)
        if s is not None and axes is None:
            axes = tuple(range(-len(s), 0))
        if s is not None:
            s = tuple(x.shape[axis] if n == -1 else n for n, axis in zip(s, axes, strict=True))
        return op(x, s=s, axes=axes, norm=norm or "backward")

    return adapted


def shifted(op: Any) -> Any:
    return lambda x, dim=None: op(x, axes=tuple(dim) if isinstance(dim, list) else dim)


def first_result(function: Any) -> Any:
    return lambda *args, **kwargs: function(*args, **kwargs)[0]


PIVOTS = "a complex pivot is the largest by its magnitude here, by the sum of its parts in LAPACK"

ALGEBRA: dict[str, Any] = {
    "mm": pt.matmul,
    "bmm": pt.matmul,
    "mv": pt.matmul,
    "matmul": pt.matmul,
    "__rmatmul__": lambda x, y: y @ x,
    "dot": pt.dot,
    "vdot": vdot,
    "inner": pt.inner,
    "outer": pt.outer,
    "kron": pt.kron,
    "tensordot": tensordot,
    "einsum": einsum,
    "addmm": addmm,
    "addmm/decomposed": addmm,
    "addmv": addmm,
    "baddbmm": addmm,
    "addbmm": addbmm,
    "addr": addr,
    "cross": cross,
    "linalg.cross": lambda x, y, dim=-1: pt.cross(x, y, axis=dim),
    "linalg.vecdot": lambda x, y, dim=-1: pt.vecdot(x, y, axis=dim),
    "linalg.multi_dot": lambda arrays: pt.linalg.multi_dot(arrays),
    "linalg.matrix_power": pt.linalg.matrix_power,
    "matrix_exp": pt.linalg.expm,
    "linalg.det": pt.linalg.det,
    "linalg.slogdet": slogdet,
    "logdet": logdet,
    "linalg.inv": pt.linalg.inv,
    "linalg.inv_ex": Mapped(lambda x, check_errors=False: pt.linalg.inv(x), torch=first_result(torch.linalg.inv_ex)),
    "linalg.solve": solved,
    "linalg.solve_ex": Mapped(solved, torch=first_result(torch.linalg.solve_ex)),
    "linalg.solve_triangular": triangular,
    "triangular_solve": Mapped(triangular_old, torch=first_result(torch.triangular_solve)),
    "linalg.cholesky": Mapped(cholesky, torch=torch_cholesky),
    "linalg.cholesky_ex": Mapped(
        lambda x, *, upper=False, check_errors=False: cholesky(x, upper),
        torch=lambda x, *, upper=False, check_errors=False: torch_cholesky(x, upper),
    ),
    "cholesky": Mapped(cholesky, torch=torch_cholesky),
    "cholesky_inverse": Mapped(
        lambda factor, upper=False: pt.linalg.cho_solve(factor, unit(factor), upper=upper),
        torch=lambda factor, upper=False: torch.cholesky_inverse(triangle(factor, upper), upper),
    ),
    "cholesky_solve": Mapped(
        lambda b, factor, upper=False: pt.linalg.cho_solve(factor, b, upper=upper),
        torch=lambda b, factor, upper=False: torch.cholesky_solve(b, triangle(factor, upper), upper),
    ),
    "linalg.svd": Mapped(our_svd, torch=torch_svd),
    "svd": Mapped(our_old_svd, torch=torch_old_svd),
    "linalg.svdvals": pt.linalg.svdvals,
    "linalg.eigh": Mapped(
        lower(lambda x: eigh_invariants(*pt.linalg.eigh(x))),
        torch=lambda x, UPLO="L": eigh_invariants(*torch.linalg.eigh(x, UPLO)),
    ),
    "linalg.eigvalsh": lower(pt.linalg.eigvalsh),
    "linalg.eig": Mapped(
        lambda x: sorted_eigenvalues(pt.linalg.eig(x)[0]), torch=lambda x: sorted_eigenvalues(torch.linalg.eig(x)[0])
    ),
    "linalg.eigvals": Mapped(
        lambda x: sorted_eigenvalues(pt.linalg.eigvals(x)), torch=lambda x: sorted_eigenvalues(torch.linalg.eigvals(x))
    ),
    "linalg.qr": Mapped(our_qr, torch=torch_qr),
    "qr": Mapped(
        lambda x, some=True: our_qr(x, "reduced" if some else "complete"),
        torch=lambda x, some=True: torch_qr(x, "reduced" if some else "complete"),
    ),
    "linalg.lu": Mapped(our_lu, leave={"complex128": PIVOTS}),
    "linalg.lu_factor": Mapped(our_lu_factor, torch=first_result(torch.linalg.lu_factor), leave={"complex128": PIVOTS}),
    "linalg.lu_factor_ex": Mapped(
        our_lu_factor, torch=first_result(torch.linalg.lu_factor_ex), leave={"complex128": PIVOTS}
    ),
    "lu": Mapped(our_lu_factor, torch=first_result(torch.lu), leave={"complex128": PIVOTS}),
    "linalg.lu_solve": Mapped(lu_solved, torch=None),
    "linalg.tensorinv": tensorinv,
    "linalg.tensorsolve": tensorsolve,
    "linalg.pinv": pseudoinverse,
    "linalg.pinv/hermitian": Mapped(pseudoinverse, gradient="torch's gradient is by the whole Hermitian matrix"),
    "linalg.pinv/singular": Mapped(lambda a, b: pt.linalg.pinv(a @ pt.matrix_transpose(b)), tolerance=1e3),
    "pinverse": pseudoinverse,
    "linalg.matrix_rank": rank,
    "linalg.matrix_rank/hermitian": rank,
    "linalg.lstsq": Mapped(lstsq, torch=first_result(torch.linalg.lstsq)),
    "linalg.lstsq/grad_oriented": Mapped(lstsq, torch=lambda a, b, **k: torch.linalg.lstsq(a, b, **k)[0]),
    "linalg.cond": lambda x, p=None: pt.linalg.cond(x, p),
    "linalg.norm": any_norm,
    "linalg.norm/subgradients_at_zero": Mapped(any_norm, double="torch's second gradient at 0 is NaN, ours 0"),
    "linalg.matrix_norm": matrix_norm,
    "linalg.vector_norm": vector_norm,
    "linalg.vander": vander,
    "fft.fft": one_axis(pt.fft.fft),
    "fft.ifft": one_axis(pt.fft.ifft),
    "fft.rfft": one_axis(pt.fft.rfft),
    "fft.irfft": one_axis(pt.fft.irfft),
    "fft.hfft": one_axis(pt.fft.hfft),
    "fft.ihfft": one_axis(pt.fft.ihfft),
    "fft.fft2": several_axes(pt.fft.fft2, (-2, -1)),
    "fft.ifft2": several_axes(pt.fft.ifft2, (-2, -1)),
    "fft.rfft2": several_axes(pt.fft.rfft2, (-2, -1)),
    "fft.irfft2": several_axes(pt.fft.irfft2, (-2, -1)),
    "fft.fftn": several_axes(pt.fft.fftn),
    "fft.ifftn": several_axes(pt.fft.ifftn),
    "fft.rfftn": several_axes(pt.fft.rfftn),
    "fft.irfftn": several_axes(pt.fft.irfftn),
    "fft.fftshift": shifted(pt.fft.fftshift),
    "fft.ifftshift": shifted(pt.fft.ifftshift),
}


def triangle(x: Any, upper: bool) -> Any:
    """The triangle that is read: torch has a gradient also by the other one."""
    return x.triu() if upper else x.tril()


def unit(x: Any) -> Any:
    return pt.broadcast_to(pt.eye(x.shape[-1], dtype=x.dtype), x.shape)


def eigh_invariants(values: Any, vectors: Any) -> Any:
    """The eigenvalues, and each element's absolute value."""
    return values, abs(vectors)
