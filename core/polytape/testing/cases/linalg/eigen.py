"""Rows of eigenvalues and eigenvectors; see `polytape.testing.cases.linalg.factorizations`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....ops.linalg import eigen
from ...case import Case
from ...makers import Maker, each
from ...samples import sample
from .factorizations import FULL, SQUARE_ERRORS, TESTED, ULP, adjoint, real_name, separated

__all__ = ["CASES"]


def _hermitian(*shape: int) -> Maker:
    def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
        x = separated(*shape).draw(rng, shape, dtype)
        return x + x.conj().swapaxes(-1, -2)

    return Maker("hermitian", shape, FULL, draw, True)


def _complex(dtype: str) -> str:
    return {"float32": "complex64", "float64": "complex128"}.get(dtype, dtype)


def _eigh_invariants(results: Any, x: Any) -> dict[str, Any]:
    values, vectors = results
    product = vectors * values[..., None, :] @ adjoint(vectors)
    return {"the values": values, "V diag(w) V*": product, "V* V": adjoint(vectors) @ vectors}


def _eig_invariants(results: Any, x: Any) -> dict[str, Any]:
    # Neither the order of the values nor the phases of the vectors are unique.
    values, vectors = results
    product = vectors * values[..., None, :] @ np.linalg.inv(vectors)
    return {"V diag(w) V**-1": product, "the norms of the vectors": np.linalg.norm(vectors, axis=-2)}


CASES = [
    Case(
        eigen.eigh,
        _hermitian(3, 3),
        reference=lambda x: tuple(np.linalg.eigh(x)),
        result=lambda dtype, attributes: (real_name(dtype), dtype),
        invariants=_eigh_invariants,
        more=[
            sample(_hermitian(2, 4, 4)),
            sample(_hermitian(1, 1)),
            sample(each(np.zeros((3, 3)), "float64", "complex64"), smooth=False),
        ],
        errors=SQUARE_ERRORS,
        gradient=TESTED,
        ulp=ULP,
        scale=16.0,
    ),
    Case(
        eigen.eig,
        separated(3, 3),
        reference=lambda x: tuple(np.linalg.eig(x)),
        result=lambda dtype, attributes: (_complex(dtype), _complex(dtype)),
        invariants=_eig_invariants,
        more=[sample(separated(2, 4, 4))],
        errors=SQUARE_ERRORS,
        gradient=TESTED,
        ulp=ULP,
        scale=16.0,
    ),
]
