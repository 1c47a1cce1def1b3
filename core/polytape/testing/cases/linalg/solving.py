"""Rows of linear systems, inverses and determinants."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import DTypeError, LinAlgError, ShapeError
from ....ops.linalg import solving
from ...case import Case
from ...makers import Maker, between, exactly, floats
from ...samples import error, sample
from .factorizations import FULL, separated

__all__ = ["CASES"]

_ULP = dict.fromkeys(FULL, 64.0)


def _sides(*shape: int) -> Maker:
    return Maker("sides", shape, FULL, between(-2.0, 2.0), True)


def _triangular(x1: Any, x2: Any, *, upper: bool = False, unit_diagonal: bool = False) -> Any:
    matrix = np.triu(x1) if upper else np.tril(x1)
    if unit_diagonal:
        matrix[..., range(x1.shape[-1]), range(x1.shape[-1])] = 1
    return np.linalg.solve(matrix, x2)


def _cofactors(x: Any) -> Any:
    n = x.shape[-1]
    y = np.empty_like(x)
    for i in range(n):
        for j in range(n):
            minor = np.delete(np.delete(x, i, -2), j, -1)
            y[..., i, j] = (-1) ** (i + j) * np.linalg.det(minor)
    return y


def _real(dtype: str) -> str:
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


_SQUARE = [
    error(ShapeError, "takes square matrices", floats(2, 3)),
    error(ShapeError, "takes square matrices", floats(3)),
    error(DTypeError, "half precision", exactly([[1.0]], "float16")),
]
_SINGULAR = exactly([[1.0, 2.0], [2.0, 4.0]], "float64")

CASES = [
    Case(
        solving.solve_triangular,
        separated(3, 3),
        _sides(3, 2),
        reference=_triangular,
        more=[
            sample(separated(3, 3), _sides(3, 2), upper=True),
            sample(separated(3, 3), _sides(2, 3, 1), unit_diagonal=True),
            sample(separated(2, 3, 3), _sides(3, 2), upper=True, unit_diagonal=True),
            sample(separated(1, 3, 3), _sides(2, 3, 1)),
            sample(separated(120, 120), _sides(120, 2), smooth=False),
            sample(separated(40, 40), _sides(40, 2), upper=True, smooth=False),
            sample(separated(0, 0), _sides(0, 2)),
        ],
        errors=[
            error(ShapeError, "takes square matrices", floats(2, 3), floats(2, 3)),
            error(ShapeError, "the sizes do not fit", floats(3, 3), floats(2, 3)),
            error(ShapeError, "is a vector", floats(3, 3), floats(3)),
            error(LinAlgError, "solve_triangular", exactly(np.diag([1.0, 0.0]), "float64"), _sides(2, 1), host=True),
        ],
        ulp=_ULP,
        scale=4.0,
    ),
    Case(
        solving.solve,
        separated(3, 3),
        _sides(3, 2),
        reference=np.linalg.solve,
        more=[
            sample(separated(3, 3), _sides(3)),
            sample(separated(2, 3, 3), _sides(3)),
            sample(separated(3, 3), _sides(2, 3, 1)),
            sample(separated(0, 0), _sides(0, 2)),
        ],
        errors=[
            error(ShapeError, "takes square matrices", floats(2, 3), floats(2, 3)),
            error(ShapeError, "the sizes do not fit", floats(3, 3), floats(2, 3)),
            error(LinAlgError, "solve", _SINGULAR, _sides(2, 1), varied="float64", host=True),
        ],
        ulp=_ULP,
        scale=4.0,
    ),
    Case(
        solving.inv,
        separated(3, 3),
        reference=np.linalg.inv,
        more=[sample(separated(2, 4, 4)), sample(separated(1, 1))],
        errors=[*_SQUARE, error(LinAlgError, "inv", _SINGULAR, host=True)],
        ulp=_ULP,
        scale=1.0,
    ),
    Case(
        solving.det,
        separated(3, 3),
        reference=np.linalg.det,
        more=[sample(separated(2, 4, 4)), sample(_sides(5, 5)), sample(separated(0, 0))],
        errors=_SQUARE,
        ulp=_ULP,
        scale=64.0,
    ),
    Case(
        solving.cofactors,
        separated(3, 3),
        reference=_cofactors,
        more=[
            sample(separated(2, 4, 4)),
            sample(separated(1, 1)),
            sample(exactly([[1.0, 2.0], [2.0, 4.0]], "float64"), smooth=False),
            sample(exactly(np.diag([3.0, 0.0, 0.0]), "float64"), smooth=False),
            sample(exactly(np.eye(3), "float64"), smooth=False),
        ],
        result=lambda dtype, attributes: dtype or "float64",
        errors=_SQUARE,
        ulp=_ULP,
        scale=32.0,
    ),
    Case(
        solving.slogdet,
        separated(3, 3),
        reference=lambda x: tuple(np.linalg.slogdet(x)),
        result=lambda dtype, attributes: (dtype, _real(dtype)),
        more=[sample(separated(2, 4, 4)), sample(_sides(5, 5))],
        errors=_SQUARE,
        ulp=_ULP,
        scale=4.0,
    ),
]
