"""Structures of tensors: flattening and rebuilding lists, tuples, dicts and other types that optree supports."""

from __future__ import annotations

import importlib
from typing import Any

from .tensor import Tensor

__all__ = ["leaves", "rebuild"]


def _optree() -> Any:
    # Importing optree takes 15 ms, and most structures are flat lists, which do not need it.
    return importlib.import_module("optree")


def _flat(structure: Any) -> bool:
    if type(structure) is not list and type(structure) is not tuple:
        return False
    for x in structure:
        if x is not None and not isinstance(x, Tensor):
            return False
    return True


def leaves(structure: Any) -> list[Any]:
    """The leaves of a structure in order; None is a leaf."""
    if isinstance(structure, Tensor):
        return [structure]
    if _flat(structure):
        return list(structure)
    flat: list[Any] = _optree().tree_leaves(structure, none_is_leaf=True)
    return flat


def rebuild(structure: Any, values: list[Any]) -> Any:
    """The same structure with ``values`` as its leaves."""
    if isinstance(structure, Tensor):
        return values[0]
    if _flat(structure):
        return values if type(structure) is list else tuple(values)
    optree = _optree()
    return optree.tree_unflatten(optree.tree_structure(structure, none_is_leaf=True), values)
