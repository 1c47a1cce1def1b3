"""Functions of matrices: powers, the exponential, the pseudoinverse and what it solves."""

from __future__ import annotations

import builtins
import math
from operator import index
from typing import NamedTuple

from ...dispatch.convert import asarray
from ...errors import DTypeError, ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import abs
from ..complex_parts import real
from ..creation import arange, eye, zeros
from ..declaration import converted, op, states
from ..likeness import triu
from ..logic import equal, greater, where
from ..manipulation import astype_, broadcast_to, concat, permute_dims, reshape
from ..products import matmul
from ..reduction import max, sum
from .factorizations import (
    adjoint,
    columns,
    full_precision,
    lu_factor,
    matrices,
    rows,
    square_matrices,
    svd,
    unit_lower,
)
from .solving import inv, solve, solve_triangular

__all__ = [
    "LUResult",
    "block_diag",
    "cho_solve",
    "expm",
    "lstsq",
    "lu",
    "matrix_power",
    "pinv",
    "tensorinv",
    "tensorsolve",
]

Shape = tuple[int, ...]


@states(
    takes="[..., m, n]",
    returns="[..., n, m]",
    rejects="fewer than two axes",
)
def _transposed(x: Shape, rtol: Shape | None = None) -> Shape:
    *lead, m, n = matrices(x)
    return (*lead, n, m)


def tolerance(x: Tensor, rtol: float | None) -> float:
    """The part of the largest singular value below which the others count as 0."""
    if rtol is not None:
        return float(rtol)
    eps = 2.0**-23 if dtype_rules.real_part(x.dtype).itemsize == 4 else 2.0**-52
    sizes = x.shape[-2:]
    return eps * (sizes[0] if sizes[0] > sizes[1] else sizes[1])


@op(dtype=full_precision, shape=_transposed, floating=True)
def pinv_(x: TensorLike, rtol: TensorLike | None = None, /) -> Tensor:
    """The Moore-Penrose inverse; users call `pinv`.

    Args:
        x: floating[..., m, n].
        rtol: as for `pinv`; no gradient flows to it.
    Source:
        Array API standard 2025.12, ``linalg.pinv``; G. Golub, V. Pereyra (1973), SIAM Journal on Numerical Analysis 10
        (2), pp. 413-432, for the gradient, where the rank does not change.
    """
    x = converted(x)
    if not x.size:
        return adjoint(x)
    u, s, vh = svd(x, full_matrices=False)
    if rtol is None:
        allowed: TensorLike = tolerance(x, None)
    else:
        limits = real(rtol)
        allowed = reshape(limits, (*limits.shape, 1))
    kept = greater(s, max(s, axis=-1, keepdims=True) * allowed)
    inverse = where(kept, 1.0 / where(kept, s, 1), 0)
    return matmul(adjoint(vh) * columns(inverse), adjoint(u))


@pinv_.gradient("x")
def _pinv_back(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
    p, adjoint_g = adjoint(y), adjoint(g)
    left = matmul(matmul(adjoint_g, y), p)  # g^H P P^H
    right = matmul(matmul(p, y), adjoint_g)  # P^H P g^H
    result = -matmul(matmul(p, g), p)
    result = result + left - matmul(x, matmul(y, left))
    return result + right - matmul(matmul(right, y), x)


def pinv(x: TensorLike, /, *, rtol: TensorLike | None = None) -> Tensor:
    """The Moore-Penrose inverse.

    Args:
        x: floating[..., m, n].
        rtol: singular values below this part of the largest count as 0, a number or one per matrix; default: max(m, n)
            eps.
    Returns:
        [..., n, m], dtype of ``x``.
    Raises:
        ShapeError: fewer than two axes.
    Source:
        Array API standard 2025.12, ``linalg.pinv``.
    """
    result: Tensor = pinv_(x) if rtol is None else pinv_(x, rtol)
    return result


def matrix_power(x: TensorLike, n: int, /) -> Tensor:
    """The product of n copies of square matrices; of the inverse for a negative n.

    Args:
        x: floating[..., n, n], or an integer dtype for n of 0 or more.
        n: the exponent.
    Returns:
        Shape and dtype of ``x``.
    Raises:
        ShapeError: matrices that are not square. LinAlgError: on the host, a singular matrix for a negative n.
    Source:
        Array API standard 2025.12, ``linalg.matrix_power``.
    """
    x, n = asarray(x), index(n)
    square_matrices(x.shape)
    if n == 0:
        return broadcast_to(eye(x.shape[-1], dtype=x.dtype, device=x.device), x.shape)
    power = inv(x) if n < 0 else x
    exponent = -n if n < 0 else n
    result: Tensor | None = None
    while exponent:
        if exponent & 1:
            result = power if result is None else matmul(result, power)
        exponent >>= 1
        if exponent:
            power = matmul(power, power)
    assert result is not None
    return result


def lstsq(x1: TensorLike, x2: TensorLike, /, *, rtol: float | None = None) -> Tensor:
    """The ``y`` of smallest norm that minimises the norm of ``x1 y - x2``.

    Args:
        x1: floating[..., m, n].
        x2: floating[m], or floating[..., m, k].
        rtol: as for `pinv`.
    Returns:
        [n], or [..., n, k].
    Raises:
        ShapeError: sizes that do not fit.
    Source:
        G. Golub, C. Van Loan (2013), Matrix Computations, section 5.5; NumPy, ``linalg.lstsq``, returns more.
    """
    return matmul(pinv(x1, rtol=rtol), x2)


def cho_solve(factor: TensorLike, x2: TensorLike, /, *, upper: bool = False) -> Tensor:
    """The solution of ``x1 y = x2`` by the factor that `cholesky` returned for ``x1``.

    Args:
        factor: floating[..., n, n].
        x2: floating[n], or floating[..., n, k].
        upper: as for `cholesky`.
    Returns:
        [..., n], or [..., n, k].
    Raises:
        ShapeError: sizes that do not fit.
        DTypeError: ``factor`` is SciPy's pair of a factor and a bool.
    Source:
        SciPy, ``linalg.cho_solve``.
    """
    if isinstance(factor, tuple):
        raise DTypeError(
            "cho_solve takes the factor alone.",
            expected="a tensor, as polytape.linalg.cholesky returns it",
            got=f"a tuple of {len(factor)}",
            fix="write cho_solve(factor, x2), with upper=True for an upper triangle",
        )
    factor, x2 = asarray(factor), asarray(x2)
    if x2.ndim == 1:
        return cho_solve(factor, x2[:, None], upper=upper)[..., 0]
    lower = adjoint(factor) if upper else factor
    return solve_triangular(adjoint(lower), solve_triangular(lower, x2), upper=True)


def tensorinv(x: TensorLike, /, *, ind: int = 2) -> Tensor:
    """The inverse of ``y -> tensordot(x, y, axes=ind)``.

    Args:
        x: floating[...]: the product of the first ``ind`` sizes is that of the others.
        ind: how many axes of ``x`` come first, at least 1.
    Returns:
        The dtype of ``x``; the sizes of the last axes, followed by those of the first ones.
    Raises:
        ShapeError: products of sizes that differ, or ``ind`` below 1.
    Source:
        NumPy, ``linalg.tensorinv``.
    """
    x = asarray(x)
    first, last = x.shape[:ind], x.shape[ind:]
    if ind < 1 or math.prod(first) != math.prod(last):
        raise ShapeError(
            "tensorinv needs as many equations as unknowns.",
            expected="first and last sizes with the same product, and ind of at least 1",
            got=f"sizes {first} and {last}, ind={ind}",
            fix="change ind",
        )
    return reshape(inv(reshape(x, (math.prod(first), math.prod(last)))), (*last, *first))


def tensorsolve(x1: TensorLike, x2: TensorLike, /, *, axes: tuple[int, ...] | None = None) -> Tensor:
    """The ``y`` for which ``tensordot(x1, y, axes=y.ndim)`` is ``x2``.

    Args:
        x1: floating[*x2.shape, *y.shape], with the same product of sizes in both parts.
        x2: floating[...].
        axes: axes of ``x1`` to move to its end first.
    Returns:
        The promoted dtype, [*y.shape].
    Raises:
        ShapeError: sizes that do not fit.
    Source:
        NumPy, ``linalg.tensorsolve``.
    """
    x1, x2 = asarray(x1), asarray(x2)
    if axes is not None:
        moved = tuple(axis % x1.ndim for axis in shape_rules.axes_of(axes))
        x1 = permute_dims(x1, (*(axis for axis in range(x1.ndim) if axis not in moved), *moved))
    unknowns = x1.shape[x2.ndim :]
    count = math.prod(unknowns)
    if x2.size != count or x1.size != count * count:
        raise ShapeError(
            "tensorsolve needs as many equations as unknowns.",
            expected="x1 of shape [*x2.shape, *y.shape], with the same product of sizes in both parts",
            got=f"x1 of shape {x1.shape}, x2 of shape {x2.shape}",
            fix="move the axes of the unknowns to the end with axes=",
        )
    return reshape(solve(reshape(x1, (count, count)), reshape(x2, (count,))), unknowns)


class LUResult(NamedTuple):
    """The result of `lu`.

    Attributes:
        P: a permutation matrix.
        L: lower triangular, with ones on its diagonal.
        U: upper triangular.
    """

    P: Tensor
    L: Tensor
    U: Tensor


def lu(x: TensorLike, /) -> LUResult:
    """The factors of square matrices by elimination with partial pivoting, ``x = P L U``.

    Args:
        x: floating[..., n, n]; integers are cast to float32.
    Returns:
        Three matrices of the shape and dtype of ``x``.
    Raises:
        ShapeError: matrices that are not square. DTypeError: half precision.
    Source:
        G. Golub, C. Van Loan (2013), Matrix Computations, algorithm 3.4.1; SciPy, ``linalg.lu``.
    """
    packed, order = lu_factor(x)
    n = packed.shape[-1]
    positions = arange(n, dtype=order.dtype, device=order.device)
    return LUResult(astype_(equal(rows(positions), columns(order)), packed.dtype), unit_lower(packed), triu(packed))


def block_diag(*arrays: TensorLike) -> Tensor:
    """A matrix with the given ones along its diagonal, and zeros elsewhere.

    Args:
        arrays: any dtype[m, n] each, promoted together.
    Returns:
        [the sum of all m, the sum of all n].
    Raises:
        ShapeError: an operand that is not a matrix, or no operands.
    Source:
        SciPy, ``linalg.block_diag``.
    """
    blocks = [asarray(x) for x in arrays]
    if not blocks or any(x.ndim != 2 for x in blocks):
        raise ShapeError(
            "block_diag takes matrices.",
            expected="at least one operand, each with two axes",
            got=f"shapes {[x.shape for x in blocks]}",
            fix="reshape vectors to rows or columns first",
        )
    lines: list[Tensor] = []
    width, before = builtins.sum(x.shape[1] for x in blocks), 0
    for x in blocks:
        m, n = x.shape
        left = zeros((m, before), dtype=x.dtype, device=x.device)
        before += n
        lines.append(concat([left, x, zeros((m, width - before), dtype=x.dtype, device=x.device)], axis=1))
    return concat(lines, axis=0)


# Coefficients of the Pade approximant of degree 13; scaled matrices have a 1-norm of at most _THETA.
_PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
    10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
_THETA = 5.371920351148152


def expm(x: TensorLike, /) -> Tensor:
    """The exponential of square matrices. How often they are squared is decided by values read on the host.

    Args:
        x: floating[..., n, n].
    Returns:
        Shape and dtype of ``x``.
    Raises:
        ShapeError: matrices that are not square. TraceError: inside a traced function.
    Source:
        N. Higham (2005), SIAM Journal on Matrix Analysis and Applications 26 (4), pp. 1179-1193, algorithm 2.3.
    """
    x = asarray(x)
    square_matrices(x.shape)
    if not x.size:
        return x
    largest = float(max(sum(abs(x), axis=-2)))
    squarings = 0 if not largest > _THETA or math.isinf(largest) else math.ceil(math.log2(largest / _THETA))
    a = x * 2.0**-squarings
    unit = eye(x.shape[-1], dtype=a.dtype, device=a.device)
    a2 = matmul(a, a)
    a4 = matmul(a2, a2)
    a6 = matmul(a4, a2)
    b = _PADE
    odd = matmul(a6, a6 * b[13] + a4 * b[11] + a2 * b[9]) + a6 * b[7] + a4 * b[5] + a2 * b[3] + unit * b[1]
    odd = matmul(a, odd)
    even = matmul(a6, a6 * b[12] + a4 * b[10] + a2 * b[8]) + a6 * b[6] + a4 * b[4] + a2 * b[2] + unit * b[0]
    y = solve(even - odd, even + odd)
    for _ in range(squarings):
        y = matmul(y, y)
    return y
