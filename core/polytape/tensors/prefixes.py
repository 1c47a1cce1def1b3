"""Structures beside structures: what one has in the place of each leaf of another."""

from __future__ import annotations

import importlib
from typing import Any

from .structure import leaves
from .tensor import Tensor

__all__ = ["matched", "spread"]


def matched(structure: Any, values: Any) -> list[Any] | None:
    """What ``values`` has in the place of each leaf of ``structure``; None if it does not have that structure."""
    if isinstance(structure, Tensor):
        return [values]
    if type(structure) in (list, tuple) and all(isinstance(x, Tensor) for x in structure):
        # The usual case; importing optree takes 15 ms.
        return list(values) if isinstance(values, (list, tuple)) and len(values) == len(structure) else None
    optree = importlib.import_module("optree")
    try:
        parts: list[Any] = optree.tree_structure(structure, none_is_leaf=True).flatten_up_to(values)
    except ValueError:
        return None
    return parts


def spread(prefix: Any, structure: Any) -> list[Any] | None:
    """For each leaf of ``structure``, the leaf of ``prefix`` above it; None if it does not begin with ``prefix``."""
    if not isinstance(prefix, (list, tuple, dict)):
        return [prefix] * len(leaves(structure))
    try:
        parts: list[Any] = importlib.import_module("optree").broadcast_prefix(prefix, structure, none_is_leaf=True)
    except ValueError:
        return None
    return parts
