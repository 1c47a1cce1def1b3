"""TensorFlow 1.7's ``tf.keras.preprocessing``."""

from __future__ import annotations

from typing import Any

from ...tables import Table

TABLE = Table(
    "keras.preprocessing",
    modules=("sequence",),
    missing="image, text: read and split the data yourself, or by a library that does nothing else",
)
__all__ = TABLE.names()


def __getattr__(name: str) -> Any:
    return TABLE.find(name)


def __dir__() -> list[str]:
    return TABLE.names()
