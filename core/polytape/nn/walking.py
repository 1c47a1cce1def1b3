"""Finding the variables and modules below a module, in the order of the attributes that hold them.

What is found is what a checkpoint of the module finds: attributes, also private ones, and the entries of lists, tuples,
deques, dicts and plain objects, to any depth. `polytape.checkpoint.children` says what is entered. A training step
walks its model, so modules and plain containers are entered here without that module's analysis of classes.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from typing import Any, Final

from ..checkpoint.children import Children
from ..checkpoint.nodes import escape
from ..state.trackable import Trackable, untracked_names
from ..tensors.variable import Variable

__all__ = ["variables_below", "walk"]

# Whether objects of a type may hold variables, and the names of attributes that are not followed: both for types and
# classes of Python and polytape, which exist as long as this module. The classes of users are read at each walk, since
# their attributes may be assigned at any time.
_lasting_types: Final[dict[type, bool]] = {}
_lasting_classes: Final[dict[type, frozenset[str]]] = {}
# Most attributes have one of these types, which hold no variables.
_VALUES: Final[frozenset[type]] = frozenset(
    (str, bytes, int, float, bool, type(None), types.FunctionType, types.BuiltinFunctionType)
)


def walk(root: Trackable) -> Iterator[tuple[str, Trackable, Any]]:
    """The objects below ``root`` that are variables or trackables, depth first, ``root`` itself first.

    Returns:
        Triples: the path of attributes, the trackable nearest above the object (for a trackable: itself), the object.
    """
    inside = _Inside()
    seen: set[int] = set()
    stack: list[tuple[str, Trackable, Any]] = [("", root, root)]
    while stack:
        path, owner, value = stack.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Variable):
            yield path, owner, value
            continue
        if isinstance(value, Trackable):
            owner = value
            yield path, owner, value
        prefix = f"{path}/" if path else ""
        below = [(f"{prefix}{escape(name)}", owner, child) for name, child in inside.children(value)]
        below.reverse()  # the last one on the stack is visited first
        stack += below


def variables_below(root: Trackable) -> list[Variable]:
    """The variables that `walk` finds, without paths: a step of training asks for them."""
    inside = _Inside()
    found: list[Variable] = []
    seen: set[int] = set()
    stack: list[Any] = [root]
    while stack:
        value = stack.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Variable):
            found.append(value)
        else:
            below = [child for _, child in inside.children(value)]
            below.reverse()
            stack += below
    return found


class _Inside:
    """Finds what objects hold, during one walk."""

    __slots__ = ("classes", "finder")

    def __init__(self) -> None:
        self.finder = Children()
        self.classes: dict[type, frozenset[str] | None] = {}

    def children(self, value: Any) -> Iterable[tuple[str, object]]:
        """The objects in ``value`` that are or may hold variables, by name."""
        cls = type(value)
        if cls is list or cls is tuple:
            entries: Iterable[tuple[Any, object]] = enumerate(value)
            hidden: frozenset[str] | None = frozenset()
        elif isinstance(value, Trackable):
            hidden = _lasting_classes.get(cls)
            if hidden is None:
                hidden = self._hidden(cls)
            entries = value.__dict__.items()
        else:
            hidden = None
        if hidden is None:
            return self.finder.of(value).items()
        found = [(str(name), child) for name, child in entries if type(child) not in _VALUES and name not in hidden]
        return [pair for pair in found if self._may_hold(pair[1])]

    def _may_hold(self, child: object) -> bool:
        """Whether ``child`` is a variable or may hold one."""
        cls = type(child)
        followed = _lasting_types.get(cls)
        if followed is None:
            followed = self.finder.is_followed(child)
            if cls.__module__ == "builtins" or cls.__module__.startswith("polytape."):
                _lasting_types[cls] = followed
        return followed

    def _hidden(self, cls: type) -> frozenset[str] | None:
        """The attributes of instances that are not followed; None if these have more than their ``__dict__``."""
        if cls not in self.classes:
            self.classes[cls] = untracked_names(cls) if _holds_nothing(cls, self.finder) else None
            if cls.__module__.startswith("polytape.") and self.classes[cls] is not None:
                _lasting_classes[cls] = untracked_names(cls)
        return self.classes[cls]


def _holds_nothing(cls: type, children: Children) -> bool:
    """Whether what an instance holds is in its ``__dict__``, not in slots or in attributes of the class."""
    for base in cls.__mro__:
        if base is object or base.__module__.startswith("polytape."):
            continue
        if "__slots__" in vars(base) or not issubclass(base, Trackable):
            return False
        for name, value in list(vars(base).items()):
            if not name.startswith("__") and type(value) not in _VALUES and children.is_followed(value):
                return False
    return True
