"""Structures of tensors: flattening and rebuilding lists, tuples, dicts and other types that optree supports."""

from __future__ import annotations

import importlib
from typing import Any

from ..errors import DTypeError
from .tensor import Tensor, describe

__all__ = ["leaves", "rebuild", "too_deep"]


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


def too_deep(structure: Any) -> DTypeError:
    """The error for a structure that contains itself."""
    return DTypeError(
        f"a {type(structure).__name__} of tensors is nested too deeply, or contains itself.",
        expected="lists, tuples and dicts that are nested less than about 1,000 deep",
        got=describe(structure),
        fix="flatten it",
    )


def leaves(structure: Any) -> list[Any]:
    """The leaves of a structure in order; None is a leaf."""
    if isinstance(structure, Tensor):
        return [structure]
    if _flat(structure):
        return list(structure)
    try:
        flat: list[Any] = _optree().tree_leaves(structure, none_is_leaf=True)
    except RecursionError:
        raise too_deep(structure) from None
    return flat


def rebuild(structure: Any, values: list[Any]) -> Any:
    """The same structure with ``values`` as its leaves."""
    if isinstance(structure, Tensor):
        return values[0]
    if _flat(structure):
        return values if type(structure) is list else tuple(values)
    optree = _optree()
    return optree.tree_unflatten(optree.tree_structure(structure, none_is_leaf=True), values)
