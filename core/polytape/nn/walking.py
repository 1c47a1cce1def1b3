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

__all__ = ["walk"]

# The types of most attributes, as a quick first test.
_VALUES: Final = frozenset((str, bytes, int, float, bool, type(None), types.FunctionType, types.BuiltinFunctionType))


def walk(root: Trackable, *, repeated: bool = False) -> Iterator[tuple[str, Trackable, Any]]:
    """The objects below ``root`` that are variables or trackables, depth first, ``root`` itself first.

    Args:
        root: where to start.
        repeated: whether a variable that several objects share is returned for each of them, not only the first.
    Returns:
        Triples: the path of attributes, the trackable nearest above the object (for a trackable: itself), the object.
    """
    children = Children()
    untracked: dict[type, frozenset[str] | None] = {}
    seen: set[int] = set()
    stack: list[tuple[str, Trackable, Any]] = [("", root, root)]
    while stack:
        path, owner, value = stack.pop()
        is_variable = isinstance(value, Variable)
        if id(value) in seen and not (repeated and is_variable):
            continue
        seen.add(id(value))
        if is_variable:
            yield path, owner, value
            continue
        if isinstance(value, Trackable):
            owner = value
            yield path, owner, value
        below = [
            (f"{path}/{escape(name)}" if path else escape(name), owner, child)
            for name, child in _children(value, children, untracked)
        ]
        below.reverse()  # the last one on the stack is visited first
        stack += below


def _children(
    value: Any, children: Children, untracked: dict[type, frozenset[str] | None]
) -> Iterable[tuple[str, object]]:
    """The objects in ``value`` that are or may hold variables, by name."""
    cls = type(value)
    if cls is list or cls is tuple:
        return [
            (str(k), child)
            for k, child in enumerate(value)
            if type(child) not in _VALUES and children.is_followed(child)
        ]
    if isinstance(value, Trackable):
        if cls not in untracked:
            untracked[cls] = untracked_names(cls) if _holds_nothing(cls, children) else None
        hidden = untracked[cls]
        if hidden is not None:
            return [
                (name, child)
                for name, child in value.__dict__.items()
                if type(child) not in _VALUES and name not in hidden and children.is_followed(child)
            ]
    return children.of(value).items()


def _holds_nothing(cls: type, children: Children) -> bool:
    """Whether instances have nothing but their ``__dict__``: no slots, and no class attribute that may hold variables.

    The classes of users are read each time, since their attributes may be assigned at any time.
    """
    for base in cls.__mro__:
        if base is object or base.__module__.startswith("polytape."):
            continue
        if "__slots__" in vars(base) or not issubclass(base, Trackable):
            return False
        for name, value in list(vars(base).items()):
            if not name.startswith("__") and type(value) not in _VALUES and children.is_followed(value):
                return False
    return True
