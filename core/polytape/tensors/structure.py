"""Structures of tensors: lists, tuples, dicts and whatever optree knows, flattened and rebuilt."""

from __future__ import annotations

import importlib
from typing import Any

from .tensor import Tensor

__all__ = ["leaves", "rebuild"]


def _optree() -> Any:
    # optree costs 15 ms to import and most structures are flat lists: only nested ones need it.
    return importlib.import_module("optree")


def _flat(structure: Any) -> bool:
    if type(structure) is not list and type(structure) is not tuple:
        return False
    for one in structure:
        if one is not None and not isinstance(one, Tensor):
            return False
    return True


def leaves(structure: Any) -> list[Any]:
    """The leaves in order; a None is a leaf."""
    if isinstance(structure, Tensor):
        return [structure]
    if _flat(structure):
        return list(structure)
    found: list[Any] = _optree().tree_leaves(structure, none_is_leaf=True)
    return found


def rebuild(structure: Any, values: list[Any]) -> Any:
    """The same structure with other leaves."""
    if isinstance(structure, Tensor):
        return values[0]
    if _flat(structure):
        return values if type(structure) is list else tuple(values)
    optree = _optree()
    return optree.tree_unflatten(optree.tree_structure(structure, none_is_leaf=True), values)
