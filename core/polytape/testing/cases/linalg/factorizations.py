"""Rows of the factorizations.

Factors are unique only up to signs or phases of vectors, and pivots up to ties, so what is compared is their product,
their orthonormality, and what is unique. tests/core/ops/linalg checks the gradients, by functions that do not depend on
signs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import DTypeError, LinAlgError, ShapeError
from ....ops.linalg import factorizations
from ...case import Case
from ...makers import Maker, each, exactly, floats
from ...samples import error, sample

__all__ = ["CASES", "FULL", "SQUARE_ERRORS", "TESTED", "ULP", "adjoint", "positive_definite", "real_name", "separated"]

FULL = ("float32", "float64", "complex64", "complex128")
TESTED = "tests/core/ops/linalg checks it on matrices that stay Hermitian, or by functions without signs"
# Errors grow with the condition number, and factors are compared one by one.
ULP = dict.fromkeys(FULL, 64.0)


def _parts(dtype: Any, draw: Any) -> Any:
    return draw() + 1j * draw() if dtype.kind == "c" else draw()


def positive_definite(*shape: int) -> Maker:
    """Hermitian positive definite matrices."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
        x = _parts(dtype, lambda: rng.uniform(-1.0, 1.0, shape))
        return x @ x.conj().swapaxes(-1, -2) + np.eye(shape[-1]) * 2.0

    return Maker("positive definite", shape, FULL, draw, True)


def separated(*shape: int) -> Maker:
    """Matrices with separated eigenvalues and singular values."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
        x = _parts(dtype, lambda: rng.uniform(-0.3, 0.3, shape))
        k = min(shape[-2:])
        x[..., range(k), range(k)] += 2.0 * np.arange(k, 0, -1)
        return x

    return Maker("separated", shape, FULL, draw, True)


def real_name(dtype: str) -> str:
    """The name of the real dtype of the same precision."""
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


def _lu(x: Any) -> Any:
    """The factors by plain elimination."""
    packed, n = x.copy(), x.shape[-1]
    order = np.broadcast_to(np.arange(n), x.shape[:-1]).copy()
    for matrix, rows in zip(packed.reshape(-1, n, n), order.reshape(-1, n), strict=True):
        for k in range(n):
            pivot = k + int(np.abs(matrix[k:, k]).argmax())
            matrix[[k, pivot]], rows[[k, pivot]] = matrix[[pivot, k]], rows[[pivot, k]]
            matrix[k + 1 :, k] /= matrix[k, k] or 1.0
            matrix[k + 1 :, k + 1 :] -= np.outer(matrix[k + 1 :, k], matrix[k, k + 1 :])
    return packed, order


def adjoint(x: Any) -> Any:
    """The conjugate transpose."""
    return x.conj().swapaxes(-1, -2)


def _qr_invariants(results: Any, x: Any, mode: str = "reduced") -> dict[str, Any]:
    q, r = results
    return {"Q R": q @ r, "the adjoint of Q times Q": adjoint(q) @ q, "R below its diagonal": np.tril(r, -1)}


def _svd_invariants(results: Any, x: Any, full_matrices: bool = True) -> dict[str, Any]:
    u, s, vh = results
    k = s.shape[-1]
    return {
        "S": s,
        "U S Vh": u[..., :k] * s[..., None, :] @ vh[..., :k, :],
        "the adjoint of U times U": adjoint(u) @ u,
        "Vh times its adjoint": vh @ adjoint(vh),
    }


def _lu_invariants(results: Any, x: Any) -> dict[str, Any]:
    packed, order = results
    lower = np.tril(packed, -1)
    product = np.empty_like(packed)
    unordered = (lower + np.eye(packed.shape[-1])) @ np.triu(packed)
    np.put_along_axis(product, order[..., None], unordered, -2)
    # A pivot is the largest of its column, so no factor exceeds 1 but by rounding.
    return {"the rows of L U in the order of x": product, "L at most 1": np.abs(lower) <= 1.001}


SQUARE_ERRORS = [
    error(ShapeError, "takes square matrices", floats(2, 3)),
    error(ShapeError, "takes square matrices", floats(3)),
    error(DTypeError, "half precision", exactly([[1.0]], "float16")),
]
_ANY = [
    error(ShapeError, "takes matrices", floats(3)),
    error(DTypeError, "half precision", exactly([[1.0]], "float16")),
]
# A stack whose matrices have different pivots.
_PIVOTED = [[[0.0, 2.0, 1.0], [1.0, 1.0, 0.0], [4.0, 0.0, 1.0]], [[1.0, 5.0, 2.0], [3.0, 0.0, 1.0], [2.0, 2.0, 2.0]]]

CASES = [
    Case(
        factorizations.cholesky,
        positive_definite(3, 3),
        reference=lambda x, upper=False: np.linalg.cholesky(x, upper=upper),
        more=[
            sample(positive_definite(2, 3, 3), upper=True),
            sample(positive_definite(1, 1)),
            sample(positive_definite(0, 3, 3)),
            sample(positive_definite(5, 5)),
        ],
        errors=[
            *SQUARE_ERRORS,
            error(LinAlgError, "cholesky", exactly([[1.0, 2.0], [2.0, 1.0]], "float64"), host=True),
        ],
        gradient=TESTED,
        ulp=ULP,
        scale=2.0,
    ),
    Case(
        factorizations.qr,
        separated(4, 3),
        reference=lambda x, mode="reduced": tuple(np.linalg.qr(x, mode)),
        result=lambda dtype, attributes: (dtype, dtype),
        invariants=_qr_invariants,
        more=[
            sample(separated(3, 4)),
            sample(separated(2, 3, 3)),
            sample(separated(4, 2), mode="complete", smooth=False),
            sample(separated(0, 3)),
        ],
        errors=[*_ANY, error(ShapeError, "there is no mode", floats(2, 2), mode="full")],
        ulp=ULP,
        scale=4.0,
    ),
    Case(
        factorizations.svd,
        separated(4, 3),
        reference=lambda x, full_matrices=True: tuple(np.linalg.svd(x, full_matrices)),
        result=lambda dtype, attributes: (dtype, real_name(dtype), dtype),
        invariants=_svd_invariants,
        more=[
            sample(separated(3, 4), full_matrices=False),
            sample(separated(2, 3, 3)),
            sample(separated(4, 2), full_matrices=False),
        ],
        errors=_ANY,
        gradient=TESTED,
        ulp=ULP,
        scale=16.0,
    ),
    Case(
        factorizations.lu_factor,
        separated(3, 3),
        reference=_lu,
        result=lambda dtype, attributes: (dtype or "float64", "int64"),
        invariants=_lu_invariants,
        more=[
            sample(positive_definite(2, 4, 4)),
            sample(each(_PIVOTED, *FULL), smooth=False),
            sample(separated(70, 70), smooth=False),
            sample(separated(0, 3, 3)),
            sample(exactly([[1.0, 2.0, 0.0], [2.0, 4.0, 1.0], [0.0, 0.0, 3.0]], "float64"), smooth=False),
            *[sample(exactly(np.zeros(shape), "float64"), smooth=False) for shape in ((2, 2), (2, 3, 3))],
        ],
        errors=SQUARE_ERRORS,
        ulp=ULP,
        scale=16.0,
    ),
]
