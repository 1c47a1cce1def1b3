"""Structures of lists, tuples, named tuples and dicts, as TensorFlow's functions take and return them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .shapes import TensorShape

__all__ = ["filled", "flattened", "mapped"]


def flattened(structure: Any) -> list[Any]:
    """The leaves of a structure of lists, tuples and dicts, these by sorted keys."""
    if isinstance(structure, TensorShape):
        return [structure]
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in flattened(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for part in structure for leaf in flattened(part)]
    return [structure]


def mapped(function: Callable[[Any], Any], structure: Any) -> Any:
    """The structure with ``function`` of each leaf."""
    if isinstance(structure, TensorShape):
        return function(structure)
    if isinstance(structure, dict):
        found = {key: mapped(function, structure[key]) for key in sorted(structure)}  # in the order of `flattened`
        return {key: found[key] for key in structure}
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*[mapped(function, part) for part in structure])
    if isinstance(structure, (list, tuple)):
        return type(structure)([mapped(function, part) for part in structure])
    return function(structure)


def filled(structure: Any, leaves: Iterable[Any]) -> Any:
    """The structure with other leaves, in the order of `flattened`."""
    remaining = iter(leaves)
    return mapped(lambda _: next(remaining), structure)
