"""Trackable: an object whose variables and children a checkpoint saves by attribute path.

This module always runs as Python: users derive their classes from `Trackable`, and its attributes are theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from ..tensors.tensor import Tensor
from ..tensors.variable import Variable

__all__ = ["Trackable"]


class PendingRestoration(Protocol):
    """Where an object stands in a checkpoint that is not yet restored completely."""

    def attach(self, name: str, value: object) -> None:
        """Restore what exists below ``value``, which becomes the attribute ``name`` of the object."""

    def attach_slot(self, variable: Variable, name: str, slot: Variable) -> None:
        """Restore the slot ``name`` that the object has just made for ``variable``."""


class Trackable:
    """Base of objects that a `polytape.Checkpoint` follows: models, layers, optimizers.

    Saved are the variables found under public attributes (no leading underscore), in the order they were first set:
    variables themselves, other trackables, and lists, tuples and dicts of these, nested as deep as you like. Objects
    may be shared and may refer back to each other. A list or dict is looked at when it is assigned: entries that are
    added to it after a restore wait for the next restore.

    Example:
        >>> import polytape as pt
        >>> class Line(pt.Trackable):
        ...     def __init__(self):
        ...         self.w = pt.Variable(5.0)
        ...         self.b = pt.Variable(10.0)
    """

    def __setattr__(self, name: str, value: Any) -> None:
        place: PendingRestoration | None = self.__dict__.get("_pending_restoration")
        if place is not None and not name.startswith("_"):
            place.attach(name, value)
        object.__setattr__(self, name, value)

    def _tracked_children(self) -> Iterable[tuple[str, object]]:
        """What a checkpoint follows from here, by name."""
        return children(self.__dict__.items())

    def _tracked_slots(self) -> Iterable[tuple[Variable, dict[str, Variable]]]:
        """Variables that belong to this object and to a variable of another one: an optimizer's slots."""
        return ()


def children(items: Iterable[tuple[str, object]]) -> Iterator[tuple[str, object]]:
    """Those of the named objects that are public and that a checkpoint follows."""
    for name, value in items:
        if not name.startswith("_") and follows(value):
            yield name, value


def follows(value: object) -> bool:
    """Whether a checkpoint looks into ``value`` for variables."""
    if isinstance(value, Tensor):
        return isinstance(value, Variable)
    return isinstance(value, (Trackable, list, tuple, dict))
