"""TensorFlow 1.7's ``tf.bitwise``."""

from __future__ import annotations

from typing import Any

from .rows.linalg import BITWISE
from .tables import Table

TABLE = Table("bitwise", rows=BITWISE)
__all__ = TABLE.names()


def __getattr__(name: str) -> Any:
    return TABLE.find(name)


def __dir__() -> list[str]:
    return TABLE.names()
