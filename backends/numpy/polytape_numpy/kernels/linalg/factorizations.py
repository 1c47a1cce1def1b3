"""Factorizations by the module's own linear algebra, and an LU factorization, which NumPy does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel

from ..quiet import silent
from .rejections import reporting
from .triangular import substitution

__all__ = ["kernels"]

Array = Any
_DTYPES: Final = ("float32", "float64", "complex64", "complex128")
_BLOCK: Final = 32  # columns that are eliminated one by one before the rest of the matrix is updated by one product
_FEW: Final = 6  # rows of a matrix that is factored in Python's numbers


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the factorizations family on the arrays of ``xp``."""
    linalg = xp.linalg

    def cholesky(x: Array, *, upper: bool = False) -> Array:
        return linalg.cholesky(x, upper=upper)

    def qr(x: Array, *, mode: str = "reduced") -> tuple[Array, Array]:
        if mode not in ("reduced", "complete"):
            raise ValueError(f"there is no mode {mode!r}")
        q, r = linalg.qr(x, mode)
        return q, r

    def svd(x: Array, *, full_matrices: bool = True) -> tuple[Array, Array, Array]:
        u, s, vh = linalg.svd(x, full_matrices)
        return u, s, vh

    functions: dict[str, Callable[..., Any]] = {
        "cholesky": cholesky,
        "qr": qr,
        "svd": svd,
        "lu_factor": _lu_factor(xp),
    }
    return [Kernel(op, reporting(xp, op, fn), dtypes=_DTYPES, fresh=True) for op, fn in functions.items()]


def _lu_factor(xp: Any) -> Callable[..., tuple[Array, Array]]:
    arange, broadcast_to, substitute = xp.arange, xp.broadcast_to, substitution(xp)
    eliminate, on_host = _eliminate(xp), xp.__name__ == "numpy"
    rounded = silent(xp, xp.array)  # a number may be out of the range of float32, as in a matrix of arrays

    def lu_factor(x: Array) -> tuple[Array, Array]:
        if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
            raise ValueError(f"shape {x.shape} is not that of square matrices")
        n = x.shape[-1]
        if on_host and n <= _FEW and x.ndim == 2 and x.dtype.kind == "f":
            return of_few(x)
        packed = x.copy()
        order = broadcast_to(arange(n), x.shape[:-1]).copy()
        if not x.size:
            return packed, order
        matrices, rows = packed.reshape(-1, n, n), order.reshape(-1, n)  # views
        for start in range(0, n, _BLOCK):
            stop = min(start + _BLOCK, n)
            eliminate(matrices, rows, start, stop)
            if stop < n:
                right = matrices[:, start:stop, stop:]
                substitute(matrices[:, start:stop, start:stop], right, False, True)
                matrices[:, stop:, stop:] -= matrices[:, stop:, start:stop] @ right
        return packed, order

    def of_few(x: Array) -> tuple[Array, Array]:
        numbers, order = _of_few(x.tolist())
        return rounded(numbers, x.dtype).reshape(x.shape), rounded(order, "int64")

    return lu_factor


def _of_few(rows: list[list[float]]) -> tuple[list[list[float]], list[int]]:
    """The factorization of a small matrix in Python's numbers: one of order 3 takes a tenth of the time of arrays."""
    n = len(rows)
    order = list(range(n))
    for k in range(n):
        pivot = k
        for i in range(k + 1, n):
            size, best = abs(rows[i][k]), abs(rows[pivot][k])
            if size > best or (size != size and best == best):
                pivot = i
        rows[k], rows[pivot] = rows[pivot], rows[k]
        order[k], order[pivot] = order[pivot], order[k]
        top = rows[k]
        if top[k] != 0:  # below a pivot of 0 there are only zeros
            for row in rows[k + 1 :]:
                factor = row[k] = row[k] / top[k]
                for j in range(k + 1, n):
                    row[j] -= factor * top[j]
    return rows, order


def _eliminate(xp: Any) -> Callable[[Array, Array, int, int], None]:
    arange, where, multiply = xp.arange, xp.where, xp.multiply

    def single(matrix: Array, order: Array, start: int, stop: int) -> None:
        for k in range(start, stop):
            below = matrix[k:, k]
            pivot = int(abs(below).argmax())
            if pivot:
                for x in (matrix, order):
                    row = x[k].copy()
                    x[k] = x[k + pivot]
                    x[k + pivot] = row
            factors = below[1:]
            head = below[0]
            if head != 0:  # below a pivot of 0 there are only zeros
                factors /= head
                matrix[k + 1 :, k + 1 : stop] -= multiply.outer(factors, matrix[k, k + 1 : stop])

    def eliminate(matrices: Array, rows: Array, start: int, stop: int) -> None:
        """Eliminate the columns from ``start`` to ``stop`` of each matrix, with their largest elements as pivots."""
        if len(matrices) == 1:
            single(matrices[0], rows[0], start, stop)
            return
        each = arange(len(matrices))
        for k in range(start, stop):
            pivots = abs(matrices[:, k:, k]).argmax(1) + k
            for x in (matrices, rows):
                chosen = x[each, pivots]
                x[each, pivots] = x[:, k]
                x[:, k] = chosen
            below, head = slice(k + 1, None), matrices[:, k, k, None]
            matrices[:, below, k] /= where(head == 0, 1, head)  # below a pivot of 0 there are only zeros
            matrices[:, below, k + 1 : stop] -= matrices[:, below, k, None] * matrices[:, None, k, k + 1 : stop]

    return eliminate
