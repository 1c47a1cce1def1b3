"""Trackable: an object whose variables and children a checkpoint saves by attribute path.

This module is never compiled: users derive classes from `Trackable` and set any attributes on their instances.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from ..tensors.tensor import Tensor
from ..tensors.variable import Variable

__all__ = ["Trackable"]


class PendingRestoration(Protocol):
    """The part of a checkpoint that belongs to one object and is not completely restored yet."""

    def attach(self, name: str, value: object) -> None:
        """Restore what the checkpoint has for ``value``, which is about to become the object's attribute ``name``."""

    def attach_slot(self, variable: Variable, name: str, slot: Variable) -> None:
        """Restore the slot ``name`` that the object has just created for ``variable``."""


class Trackable:
    """Base class of objects that a `polytape.Checkpoint` saves and restores: models, layers, optimizers.

    A checkpoint saves the variables in public attributes (without a leading underscore), in the order in which these
    were first set. An attribute may be a variable, another trackable, or a list, tuple or dict of these, nested to any
    depth. Objects may be shared and may refer back to each other. When a list or dict is assigned after a restore, the
    entries it has then are restored; entries that are added to it later are restored by the next restore.

    Example:
        >>> import polytape as pt
        >>> class Line(pt.Trackable):
        ...     def __init__(self):
        ...         self.w = pt.Variable(5.0)
        ...         self.b = pt.Variable(10.0)
    """

    def __setattr__(self, name: str, value: Any) -> None:
        restoration: PendingRestoration | None = self.__dict__.get("_pending_restoration")
        if restoration is not None and not name.startswith("_"):
            restoration.attach(name, value)
        object.__setattr__(self, name, value)

    def _tracked_children(self) -> Iterable[tuple[str, object]]:
        """The children of this object that a checkpoint visits, with their names."""
        return children(self.__dict__.items())

    def _tracked_slots(self) -> Iterable[tuple[Variable, dict[str, Variable]]]:
        """Variables of this object that belong to a variable of another object, such as an optimizer's slots."""
        return ()


def children(items: Iterable[tuple[str, object]]) -> Iterator[tuple[str, object]]:
    """The items that have a public name and a value that a checkpoint visits."""
    for name, value in items:
        if not name.startswith("_") and follows(value):
            yield name, value


def follows(value: object) -> bool:
    """Whether a checkpoint visits ``value`` to look for variables."""
    if isinstance(value, Tensor):
        return isinstance(value, Variable)
    return isinstance(value, (Trackable, list, tuple, dict))
