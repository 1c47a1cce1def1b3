"""The signature of a call to a traced function: tensors count by type and shape, everything else by value."""

from __future__ import annotations

import gc
import importlib
import inspect
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from ..backend import Backend
from ..dispatch import convert
from ..errors import DTypeError, TraceError
from ..registry.op import Op
from ..registry.tensor_type import TensorType
from ..tensors.node import Node
from ..tensors.structure import too_deep
from ..tensors.tensor import Symbol, Tensor, describe
from ..tensors.variable import Variable

__all__ = ["Call", "Structure", "check_results"]

_LEAVES = (Tensor, bool, int, float, complex, str, type(None))
_SEARCHED = 10_000  # objects


def _optree() -> Any:
    return importlib.import_module("optree")


class Structure:
    """Nested lists, tuples, dicts and other containers that optree supports; the leaves are tensors or static values.

    Attributes:
        leaves: in order.
        spec: the nesting: None for a single leaf, ``list`` or ``tuple`` for a flat one, otherwise optree's.
    """

    __slots__ = ("leaves", "spec")

    def __init__(self, value: Any) -> None:
        self.leaves: list[Any]
        self.spec: Any = None
        # optree costs 15 ms to import: only nested structures need it.
        if isinstance(value, _LEAVES):
            self.leaves = [value]
        elif type(value) in (list, tuple) and all(isinstance(x, _LEAVES) for x in value):
            self.leaves, self.spec = list(value), type(value)
        else:
            try:
                self.leaves, self.spec = _optree().tree_flatten(value, none_is_leaf=True)
            except RecursionError:
                raise too_deep(value) from None
            if len(self.leaves) == 1 and self.leaves[0] is value:
                self.spec = None  # not a container

    def rebuild(self, leaves: list[Any]) -> Any:
        """The same structure with other leaves."""
        if self.spec is None:
            return leaves[0]
        if self.spec is list:
            return leaves
        return tuple(leaves) if self.spec is tuple else _optree().tree_unflatten(self.spec, leaves)

    def names(self, prefix: str) -> list[str]:
        """A name for each leaf, made from its path."""
        if self.spec is None:
            return [prefix]
        if self.spec in (list, tuple):
            return [f"{prefix}_{position}" for position in range(len(self.leaves))]
        paths: list[tuple[Any, ...]] = self.spec.paths()
        return ["_".join([prefix, *map(str, path)]) for path in paths]


class Call:
    """One call's arguments, split into tensors and static values.

    Attributes:
        tensors: the leaves that are traced: tensors, and NumPy arrays converted to tensors.
        names: the tensors' names.
        key: identifies the signature; calls with equal keys share a trace. ``general``: without the tensors' shapes.
        scalars: name and value of each Python number among the static leaves.
        statics: the static leaves that count by identity, which a trace does not keep alive.
    """

    def __init__(self, name: str, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.bound = bound = _bound(name, signature, args, kwargs)
        self.statics: list[Any] = []
        self.parts: dict[str, Structure] = {}
        self.tensors: list[Tensor] = []
        self.names: list[str] = []
        self.scalars: list[tuple[str, Any]] = []
        key: list[Hashable] = []
        general: list[Hashable] = []
        for parameter, value in bound.arguments.items():
            part = self.parts[parameter] = Structure(value)
            key.append((parameter, part.spec, len(part.leaves)))
            general.append(key[-1])
            for position, (leaf, label) in enumerate(zip(part.leaves, part.names(parameter), strict=True)):
                key.append(self.leaf(name, part, position, leaf, label))
                general.append(part.leaves[position].type if _is_traced(part.leaves[position]) else key[-1])
        self.key: Hashable = tuple(key)
        self.general: Hashable = tuple(general)

    def leaf(self, name: str, part: Structure, position: int, leaf: Any, label: str) -> Hashable:
        """The key of one leaf; adds it to the tensors or scalars if it is one."""
        if isinstance(leaf, (np.ndarray, np.generic)) and not isinstance(leaf, (float, complex, np.bool_)):
            leaf = part.leaves[position] = convert.asarray(leaf)
        if isinstance(leaf, Variable):
            return Variable, id(leaf)  # the trace keeps the variable alive, so its id is not reused
        if isinstance(leaf, Tensor):
            self.tensors.append(leaf)
            self.names.append(label)
            return leaf.type, leaf.array.shape
        if isinstance(leaf, (int, float, complex)) and not isinstance(leaf, bool):
            self.scalars.append((label, leaf))
        if _is_identity(leaf):
            self.statics.append(leaf)
            return type(leaf), weakref.ref(leaf)
        try:
            hash(leaf)
        except TypeError:
            raise DTypeError(
                f"{name} cannot be traced for {label}={describe(leaf)}.",
                expected="tensors, NumPy arrays, variables, hashable values, or lists, tuples and dicts of them",
                got=f"an unhashable {type(leaf).__name__}",
                fix="make it hashable, or let the function read it from an enclosing scope",
            ) from None
        # 1, 1.0 and True are the same dict key, and so are 0.0 and -0.0; the type and the repr keep them distinct.
        return type(leaf), repr(leaf) if isinstance(leaf, (float, complex)) else leaf

    def caller(self, python: Callable[..., Any]) -> Callable[[list[Tensor]], Any]:
        """A function of tensors that calls ``python`` with this call's arguments, its tensors replaced."""
        template = {
            parameter: (part, [_is_traced(leaf) for leaf in part.leaves], [_static(leaf) for leaf in part.leaves])
            for parameter, part in self.parts.items()
        }
        signature = self.bound.signature

        def body(tensors: list[Tensor]) -> Any:
            replacements = iter(tensors)
            arguments = {
                parameter: part.rebuild(
                    [next(replacements) if traced else leaf() for traced, leaf in zip(is_traced, leaves, strict=True)]
                )
                for parameter, (part, is_traced, leaves) in template.items()
            }
            bound = inspect.BoundArguments(signature, arguments)
            return python(*bound.args, **bound.kwargs)

        for part in self.parts.values():
            part.leaves = []  # the trace must not keep the first call's tensors alive
        return body


def _is_traced(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and not isinstance(leaf, Variable)


def _static(leaf: Any) -> Callable[[], Any]:
    """A function that returns the leaf."""
    if _is_traced(leaf):
        return lambda: None
    return weakref.ref(leaf) if _is_identity(leaf) else lambda: leaf


def _is_identity(leaf: Any) -> bool:
    """Whether an object is equal only to itself, and can be referred to weakly."""
    kind: Any = type(leaf)
    if kind.__eq__ is not object.__eq__ or kind.__hash__ is not object.__hash__:
        return False
    return bool(kind.__weakrefoffset__)


def _bound(
    name: str, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> inspect.BoundArguments:
    try:
        return signature.bind(*args, **kwargs)
    except TypeError as error:
        raise DTypeError(
            f"{name} cannot be called like this: {error}.",
            expected=f"{name}{signature}",
            got=f"{len(args)} positional arguments" + (f", and {', '.join(kwargs)}" if kwargs else ""),
            fix="pass the arguments of its signature",
        ) from None


# --- results ----------------------------------------------------------------------------------------------------------


def check_results(name: str, leaves: list[Any], mark: object) -> None:
    """Check the results of a traced function that are not tensors.

    Args:
        name: the function's.
        leaves: its results; NumPy arrays among them are replaced by read-only copies, since all calls return the same.
        mark: of the trace.
    Raises:
        TraceError: a result contains symbolic tensors, or would have to run later.
    """
    for position, leaf in enumerate(leaves):
        if isinstance(leaf, _LEAVES):
            continue
        if isinstance(leaf, np.ndarray) and not leaf.dtype.hasobject:
            constant = leaves[position] = np.array(leaf)
            constant.flags.writeable = False
        elif isinstance(leaf, (Iterator, Awaitable, AsyncIterator)) or _holds_symbol(leaf, mark):
            kind = f"{type(leaf).__module__}.{type(leaf).__qualname__}".removeprefix("builtins.")
            if hasattr(leaf, "close"):
                leaf.close()  # otherwise Python warns of a coroutine that was never awaited
            raise TraceError(
                f"{name} returned an object of type {kind}, which a graph cannot return.",
                expected="tensors, variables and plain Python values, or lists, tuples, named tuples and dicts of them",
                got=f"{kind}, with tensors that have no values yet",
                fix=f"return the tensors themselves, and make the {type(leaf).__name__} of them after the call; or "
                "register the class with optree.register_pytree_node_class",
            )


def _holds_symbol(leaf: Any, mark: object) -> bool:
    """Whether a symbol of the trace can be reached from an object."""
    seen: set[int] = set()
    found = [leaf]
    while found and len(seen) < _SEARCHED:
        x = found.pop()
        if id(x) in seen or isinstance(x, (type, ModuleType, Variable, Op, Node, TensorType, Backend)):
            continue
        seen.add(id(x))
        if isinstance(x, Symbol):
            if x.trace is mark:
                return True
        elif isinstance(x, Tensor):
            found.append(x.array)
        elif isinstance(x, FunctionType):  # without its module's names
            found += [x.__closure__, x.__defaults__, x.__kwdefaults__]
        else:
            found += gc.get_referents(x)
    return False
