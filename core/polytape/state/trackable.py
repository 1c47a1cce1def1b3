"""Trackable: an object whose variables and children a checkpoint saves by attribute path.

This module is never compiled: users derive classes from `Trackable` and set any attributes on their instances.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Protocol

from ..errors import PolytapeError
from ..settings import trimmed
from ..tensors.variable import Variable

__all__ = ["Trackable", "untracked_names"]

_PENDING = "_pending_restoration"


class PendingRestoration(Protocol):
    """The part of a checkpoint that belongs to one object and is not completely restored yet."""

    def attach(self, name: str, value: object) -> None:
        """Restore what the checkpoint has for ``value``, which is about to become the object's attribute ``name``."""

    def attach_slot(self, variable: Variable, name: str, slot: Variable) -> None:
        """Restore the slot ``name`` that the object has just created for ``variable``."""


class Trackable:
    """Base class of objects that a `polytape.Checkpoint` saves and restores: models, layers, optimizers.

    A checkpoint saves the variables in attributes, public or private, in the order in which these were first set. An
    attribute may be a variable, another trackable, or a list, tuple, deque, dict or plain object that holds variables,
    nested to any depth. Objects may be shared and may refer back to each other. A variable that has no name, such as a
    member of a set, makes saving an error. Attributes whose names a class lists in ``_untracked`` are left out.

    When an attribute is assigned after a restore, what it holds then is restored; what is added to a list, dict or
    plain object later is restored by the next restore.

    Example:
        >>> import polytape as pt
        >>> class Line(pt.Trackable):
        ...     _untracked = ("cache",)
        ...     def __init__(self):
        ...         self.w = pt.Variable(5.0)
        ...         self.b = pt.Variable(10.0)
        ...         self.cache = {}
    """

    _untracked: ClassVar[tuple[str, ...]] = (_PENDING,)

    def __setattr__(self, name: str, value: Any) -> None:
        restoration: PendingRestoration | None = self.__dict__.get(_PENDING)
        if restoration is not None and name not in untracked_names(type(self)):
            try:
                restoration.attach(name, value)
            except PolytapeError as error:
                raise trimmed(error) from None
        super().__setattr__(name, value)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # A copy has no pending restoration: the checkpoint's file is open in this process only, for this object only.
        reduced = super().__reduce_ex__(protocol)
        if isinstance(reduced, tuple) and len(reduced) > 2:
            state = reduced[2]
            if isinstance(state, dict):
                state = _without_pending(state)
            elif isinstance(state, tuple) and len(state) == 2 and isinstance(state[0], dict):
                # A class with slots: the second dict has their values.
                state = (_without_pending(state[0]), state[1])
            reduced = (*reduced[:2], state, *reduced[3:])
        return reduced

    def _tracked_slots(self) -> Iterable[tuple[Variable, dict[str, Variable]]]:
        """Variables of this object that belong to a variable of another object, such as an optimizer's slots."""
        return ()


def _without_pending(state: dict[Any, Any]) -> dict[Any, Any]:
    return {name: value for name, value in state.items() if name != _PENDING}


def untracked_names(cls: type) -> frozenset[str]:
    """The attributes that a class and its bases list in ``_untracked``, and this list itself."""
    names = {"_untracked"}
    for base in cls.__mro__:
        declared: str | tuple[str, ...] = vars(base).get("_untracked", ())
        names.update((declared,) if isinstance(declared, str) else declared)
    return frozenset(names)
