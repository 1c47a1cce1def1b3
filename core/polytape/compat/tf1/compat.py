"""TensorFlow 1.7's ``tf.compat``: texts and bytes."""

from __future__ import annotations

import numbers
from typing import Any, Final

import numpy as np

from .tables import Table

__all__ = [
    "as_bytes",
    "as_str",
    "as_str_any",
    "as_text",
    "bytes_or_text_types",
    "complex_types",
    "integral_types",
    "real_types",
]

bytes_or_text_types: Final = (bytes, str)
complex_types: Final = (numbers.Complex, np.number)
integral_types: Final = (numbers.Integral, np.integer)
real_types: Final = (numbers.Real, np.integer, np.floating)
TABLE = Table(
    "compat",
    adapters={"compat": __all__},
    missing="""
        path_to_str: os.fspath
        v1, v2: a later TensorFlow's; in TensorFlow 1.7 the names are those of tf itself
    """,
)


def as_bytes(bytes_or_text: str | bytes, encoding: str = "utf-8") -> bytes:
    """The bytes of a text; bytes as they are.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(bytes_or_text, str):
        return bytes_or_text.encode(encoding)
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


def as_text(bytes_or_text: str | bytes, encoding: str = "utf-8") -> str:
    """The text of bytes; a text as it is.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text.decode(encoding)
    if isinstance(bytes_or_text, str):
        return bytes_or_text
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


as_str = as_text


def as_str_any(value: Any) -> str:
    """The text of bytes, otherwise ``str(value)``."""
    return as_text(value) if isinstance(value, bytes) else str(value)


def __getattr__(name: str) -> Any:
    return TABLE.find(name)
