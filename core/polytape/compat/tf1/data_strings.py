"""Strings of datasets: `bytes` with what programs ask of a string tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from .shapes import TensorShape

__all__ = ["StringTensor", "StringTensors", "with_strings", "without_strings"]


class StringTensor(bytes):
    """A string, as TensorFlow's datasets give it: its value, ``.numpy()``, is `bytes`."""

    __slots__ = ()

    def numpy(self) -> bytes:
        """The value."""
        return bytes(self)

    @property
    def shape(self) -> TensorShape:
        """()."""
        return TensorShape(())

    @property
    def dtype(self) -> str:
        """``"string"``."""
        return "string"


class StringTensors(list[Any]):
    """A batch of strings; ``.numpy()`` is an array of `bytes`."""

    def numpy(self) -> Any:
        """The values, an object array."""
        values = np.empty(len(self), object)
        values[:] = [bytes(value) for value in self]
        return values

    @property
    def shape(self) -> TensorShape:
        """The number of strings."""
        return TensorShape((len(self),))

    @property
    def dtype(self) -> str:
        """``"string"``."""
        return "string"


def with_strings(element: Any) -> Any:
    """An element of `polytape.data` with its strings as TensorFlow's."""
    if isinstance(element, dict):
        return {key: with_strings(part) for key, part in element.items()}
    if isinstance(element, tuple):
        return tuple(with_strings(part) for part in element)
    if isinstance(element, str):
        return StringTensor(element.encode())
    if type(element) is bytes:
        return StringTensor(element)
    if isinstance(element, list) and element and all(isinstance(part, (str, bytes)) for part in element):
        return StringTensors(with_strings(part) for part in element)
    return element


def without_strings(element: Any) -> Any:
    """The inverse: plain `bytes` and lists."""
    if isinstance(element, dict):
        return {key: without_strings(part) for key, part in element.items()}
    if isinstance(element, tuple):
        return tuple(without_strings(part) for part in element)
    if isinstance(element, StringTensor):
        return bytes(element)
    if isinstance(element, StringTensors):
        return [bytes(part) for part in element]
    return element
