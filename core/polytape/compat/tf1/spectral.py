"""TensorFlow 1.7's ``tf.spectral``: Fourier transforms."""

from __future__ import annotations

from typing import Any

from .rows.linalg import FOURIER, REAL_FOURIER
from .tables import Table

TABLE = Table("spectral", rows=FOURIER + REAL_FOURIER)
__all__ = TABLE.names()


def __getattr__(name: str) -> Any:
    return TABLE.find(name)


def __dir__() -> list[str]:
    return TABLE.names()
