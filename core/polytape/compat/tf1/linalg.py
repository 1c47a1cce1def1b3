"""TensorFlow 1.7's ``tf.linalg``: matrices. The names that ``tf`` has too are the same functions."""

from __future__ import annotations

from typing import Any

from .rows.linalg import LINALG
from .tables import Table

# By name here: the name in ``tf``.
SHARED = {
    "band_part": "matrix_band_part",
    "cholesky": "cholesky",
    "cholesky_solve": "cholesky_solve",
    "det": "matrix_determinant",
    "diag": "matrix_diag",
    "diag_part": "matrix_diag_part",
    "eigh": "self_adjoint_eig",
    "eigvalsh": "self_adjoint_eigvals",
    "einsum": "einsum",
    "eye": "eye",
    "inv": "matrix_inverse",
    "lstsq": "matrix_solve_ls",
    "norm": "norm",
    "qr": "qr",
    "set_diag": "matrix_set_diag",
    "solve": "matrix_solve",
    "svd": "svd",
    "tensordot": "tensordot",
    "trace": "trace",
    "transpose": "matrix_transpose",
    "triangular_solve": "matrix_triangular_solve",
}
TABLE = Table("linalg", rows=LINALG, shared=SHARED)
__all__ = TABLE.names()


def __getattr__(name: str) -> Any:
    return TABLE.find(name)


def __dir__() -> list[str]:
    return TABLE.names()
