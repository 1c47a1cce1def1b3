"""The cotangents of a function with several results."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["Several"]


class Several:
    """The cotangents of a function with several results: the class that the op of its record has as ``outputs``."""

    __slots__ = ("parts",)

    def __init__(self, *parts: Any) -> None:
        self.parts: Final = parts
