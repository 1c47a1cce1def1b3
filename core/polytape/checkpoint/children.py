"""What an object holds: its children, which have names, and the other objects that it refers to.

Children are the attributes (also private ones, slots and class attributes) and the entries of lists, tuples, deques
and dicts. Finding them runs no code of the objects' classes: no property or overridden method is called.

Some objects are never followed, since they hold no state to save: numbers, strings and arrays; classes, modules,
functions, partial functions and other code; weak references; polytape's own objects other than variables and
trackables.
"""

from __future__ import annotations

import gc
import types
import weakref
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import Any, Final, TypeGuard

import numpy as np

from ..state.trackable import Trackable, untracked_names
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable

__all__ = ["PLAIN", "Children", "is_variable"]

_VALUES: Final = (
    str, bytes, bytearray, memoryview, bool, int, float, complex, range, type(None), type(Ellipsis),
    type(NotImplemented), np.generic, np.dtype,
)  # fmt: skip
_CODE: Final = (
    type, property, staticmethod, classmethod, partial, types.ModuleType, types.FunctionType, types.MethodType,
    types.BuiltinFunctionType, types.MethodWrapperType, types.WrapperDescriptorType, types.MethodDescriptorType,
    types.ClassMethodDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType, types.CodeType,
    types.FrameType, types.TracebackType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType,
)  # fmt: skip
_WEAK: Final = (weakref.ReferenceType, weakref.ProxyType, weakref.CallableProxyType)
_SEQUENCES: Final[tuple[type[Any], ...]] = (list, tuple, deque)
_PLAIN_SEQUENCES: Final = frozenset(_SEQUENCES)
PLAIN: Final = frozenset((*_SEQUENCES, dict))  # these exact types have no attributes
_IGNORED: Final = frozenset(_VALUES)  # the types of most values, as a quick first test
_UNKNOWN: Final[Any] = object()


def is_variable(value: object) -> TypeGuard[Variable]:
    """Whether ``value`` is a variable; unlike isinstance(), this does not ask a proxy for its class."""
    return issubclass(type(value), Variable)


class _Class:
    """What is known of a class: where its instances have attributes.

    Attributes:
        has_dict: whether instances have a ``__dict__``.
        slots: the descriptors of the slots that are followed, by name.
        shared: the class attributes that are followed.
        untracked: names of attributes that are not followed.
    """

    __slots__ = ("has_dict", "shared", "slots", "untracked", "untracked_members")

    def __init__(self, cls: type, children: Children) -> None:
        self.has_dict: Final[bool] = cls.__dictoffset__ != 0
        self.slots: Final[dict[str, Any]] = {}
        self.shared: Final[dict[str, object]] = {}
        self.untracked: Final[frozenset[str]] = untracked_names(cls) if issubclass(cls, Trackable) else frozenset()
        self.untracked_members: Final[list[Any]] = []
        for base in cls.__mro__:
            attributes = vars(base)
            for name, value in list(attributes.items()):
                if type(value) is types.MemberDescriptorType and "__slots__" in attributes:
                    if name in self.untracked:
                        self.untracked_members.append(value)
                    else:
                        self.slots.setdefault(name, value)
                elif name.startswith("__") or name in self.untracked or hasattr(type(value), "__get__"):
                    continue
                elif children.is_followed(value):
                    self.shared.setdefault(name, value)

    def untracked_slots(self, value: object) -> Iterator[object]:
        """The values of the slots that are not followed."""
        for member in self.untracked_members:
            try:
                yield member.__get__(value)
            except AttributeError:  # it is not set
                continue


class Children:
    """Finds what objects hold. It remembers what it learns about their classes: use one for one traversal."""

    __slots__ = ("_classes", "_followed")

    def __init__(self) -> None:
        self._classes: Final[dict[type, _Class]] = {}
        self._followed: Final[dict[type, bool | None]] = {}  # None for NumPy arrays: it depends on their dtype

    def __repr__(self) -> str:
        return f"Children({len(self._classes)} classes)"

    def is_followed(self, value: object) -> bool:
        """Whether ``value`` is a variable, or an object that may hold some."""
        followed = self._follows(type(value))
        return bool(np.ndarray.dtype.__get__(value).hasobject) if followed is None else followed is True

    def _follows(self, cls: type) -> bool | None:
        followed = self._followed.get(cls, _UNKNOWN)
        if followed is _UNKNOWN:
            followed = self._followed[cls] = None if issubclass(cls, np.ndarray) else _is_followed(cls)
        return followed  # type: ignore[no-any-return]  # it is not _UNKNOWN

    def has_names(self, value: object) -> bool:
        """Whether ``value`` is a variable, or an object whose children have names."""
        cls = type(value)
        if not self.is_followed(value) or issubclass(cls, (Variable, *_SEQUENCES, dict)):
            return self.is_followed(value)
        info = self._class(cls)
        return info.has_dict or bool(info.slots)

    def of(self, value: object) -> dict[str, object]:
        """The children of ``value`` by name."""
        cls = type(value)
        if cls in PLAIN and (plain := self._all_of(value)):
            return plain
        found: dict[str, object] = {}
        if cls not in PLAIN:
            if issubclass(cls, Variable):
                return found
            self._add_attributes(value, found)
        for base in _SEQUENCES:
            if issubclass(cls, base):
                self._add_entries(enumerate(list(base.__iter__(value))), found)
        if issubclass(cls, dict):
            self._add_entries(list(dict.items(value)), found)  # type: ignore[arg-type]  # mypy takes cls for any type
        return found

    def _all_of(self, value: Any) -> dict[str, object]:
        """All entries of a list or dict by name, if each of them is followed; otherwise nothing."""
        named: dict[str, object] = dict(value) if type(value) is dict else {}
        children: list[object] = [*(named.values() if named else value)]
        if {*map(type, named)} - {str} or not all([self._follows(cls) for cls in {*map(type, children)}]):
            return {}
        return named or dict(zip(map(str, range(len(children))), children, strict=True))

    def _add_entries(self, entries: Iterable[tuple[object, object]], found: dict[str, object]) -> None:
        for key, child in entries:
            if type(child) not in _IGNORED and self.is_followed(child) and isinstance(key, (str, int)):
                found.setdefault(str(key), child)

    def _add_attributes(self, value: object, found: dict[str, object]) -> None:
        info = self._class(type(value))
        own = _attributes(value) if info.has_dict else {}
        for name, child in list(own.items()):
            if type(child) not in _IGNORED and self.is_followed(child) and name not in info.untracked:
                found[name] = child
        for name, member in info.slots.items():
            try:
                child = member.__get__(value)
            except AttributeError:  # it is not set
                continue
            if self.is_followed(child):
                found.setdefault(name, child)
        for name, child in info.shared.items():
            if name not in own:
                found.setdefault(name, child)

    def unnamed(self, value: object, found: dict[str, object]) -> list[object]:
        """The objects that ``value`` refers to and that are not among its children ``found``: a set's members, say."""
        cls = type(value)
        if cls in _PLAIN_SEQUENCES or (cls is dict and found.keys() == value.keys()):  # type: ignore[attr-defined]
            return []
        known = {id(child) for child in found.values()}
        known.add(id(cls))
        if cls not in PLAIN:
            info = self._class(cls)
            if info.has_dict:
                own = _attributes(value)
                known.add(id(own))
                known.update([id(own[name]) for name in info.untracked if name in own])
            if info.untracked_members:
                known.update([id(child) for child in info.untracked_slots(value)])
        return self._referents(value, known)

    def _referents(self, value: object, known: Collection[int]) -> list[object]:
        """What ``value`` refers to and may hold variables, except objects whose ids are ``known``."""
        referents = gc.get_referents(value)
        if issubclass(type(value), np.ndarray):
            tolist: Any = np.ndarray.tolist
            referents.append(tolist(value))  # the collector does not see the elements of an array
        return [
            child
            for child in referents
            if type(child) not in _IGNORED and id(child) not in known and self.is_followed(child)
        ]

    def find_variable(self, start: object, known: Collection[int], seen: dict[int, object]) -> Variable | None:
        """A variable that ``start`` refers to, directly or not, whose id is not ``known``; None if there is none.

        Args:
            start: the object.
            known: ids of objects that the search does not enter.
            seen: by id, the objects that earlier calls searched; this call adds its own.
        """
        stack = [start]
        while stack:
            value = stack.pop()
            if id(value) in known or id(value) in seen:
                continue
            seen[id(value)] = value
            if is_variable(value):
                return value
            stack.extend(self._referents(value, seen))
        return None

    def _class(self, cls: type) -> _Class:
        info = self._classes.get(cls)
        if info is None:
            info = self._classes[cls] = _Class(cls, self)
        return info


def _attributes(value: object) -> dict[str, object]:
    attributes: dict[str, object] = object.__getattribute__(value, "__dict__")
    return attributes


def _is_followed(cls: type) -> bool:
    if issubclass(cls, (Variable, Trackable)):
        return True
    if issubclass(cls, (Tensor, *_CODE, *_WEAK)):
        return False
    if issubclass(cls, _VALUES):
        return cls.__dictoffset__ != 0  # a subclass whose instances have attributes
    return str(cls.__module__).partition(".")[0] != "polytape"
