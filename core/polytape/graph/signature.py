"""The signature of a call to a traced function: tensors count by type and shape, everything else by value."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from ..dispatch import convert
from ..errors import DTypeError
from ..tensors.tensor import Tensor, describe
from ..tensors.variable import Variable

__all__ = ["Call", "Structure"]

_LEAVES = (Tensor, bool, int, float, complex, str, type(None))


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
            self.leaves, self.spec = _optree().tree_flatten(value, none_is_leaf=True)
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
        key: identifies the signature; calls with equal keys share a trace.
        scalars: name and value of each Python number among the static leaves.
    """

    def __init__(self, name: str, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        bound = signature.bind(*args, **kwargs)
        self.bound = bound
        self.parts: dict[str, Structure] = {}
        self.tensors: list[Tensor] = []
        self.names: list[str] = []
        self.scalars: list[tuple[str, Any]] = []
        key: list[Hashable] = []
        for parameter, value in bound.arguments.items():
            part = self.parts[parameter] = Structure(value)
            key.append((parameter, part.spec, len(part.leaves)))
            for position, (leaf, label) in enumerate(zip(part.leaves, part.names(parameter), strict=True)):
                key.append(self.leaf(name, part, position, leaf, label))
        self.key: Hashable = tuple(key)

    def leaf(self, name: str, part: Structure, position: int, leaf: Any, label: str) -> Hashable:
        """The key of one leaf; adds it to the tensors or scalars if it is one."""
        if isinstance(leaf, np.ndarray):
            leaf = part.leaves[position] = convert.asarray(leaf)
        if isinstance(leaf, Variable):
            return Variable, id(leaf)  # the trace keeps the variable alive, so its id is not reused
        if isinstance(leaf, Tensor):
            self.tensors.append(leaf)
            self.names.append(label)
            return leaf.type, leaf.array.shape
        if isinstance(leaf, (int, float)) and not isinstance(leaf, bool):
            self.scalars.append((label, leaf))
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
                    [next(replacements) if traced else leaf for traced, leaf in zip(is_traced, leaves, strict=True)]
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


def _static(leaf: Any) -> Any:
    return None if _is_traced(leaf) else leaf
