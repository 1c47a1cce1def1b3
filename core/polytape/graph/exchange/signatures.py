"""The signature of a loaded graph: which arguments are tensors, and which were fixed when it was exported."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

from ...errors import DTypeError
from ...tensors.symbol import describe_object
from ..ir import unused_name
from .parsing import Description, Parameter, slots
from .values import Fixed, Slot

__all__ = ["Signature"]

EMPTY = inspect.Parameter.empty
POSITIONAL_KINDS = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
VARIABLE_KINDS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Signature:
    """How a loaded graph is called.

    An argument without tensors may be left out where Python's rules allow it; it has to be the one of the export. One
    that a file cannot hold, such as an object or a variable, is no parameter any more.

    Attributes:
        python: the signature.
        named: the arguments that are tensors, in the graph's order, each with a name of its own.
        direct: whether the tensors alone, in this order, are the positional arguments.
    """

    def __init__(self, description: Description) -> None:
        taken: set[str] = set()
        self.named = tuple(
            [
                replace(spec, name=unused_name(spec.name or f"x{position}", taken))
                for position, spec in enumerate(description.arguments)
            ]
        )
        self.kept = {x.name: x for x in description.parameters if slots(x.tree) or not _is_fixed(x.tree)}
        kept = list(self.kept.values())
        positional = [x.tree.which for x in kept if isinstance(x.tree, Slot) and x.kind in POSITIONAL_KINDS]
        self.direct = positional == list(range(len(self.named))) and all(
            isinstance(x.tree, Slot) or x.kind is inspect.Parameter.KEYWORD_ONLY for x in kept
        )
        self.python = inspect.Signature(_parameters(kept))

    def tensors(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """The arguments of a call that stand for tensors, in the graph's order.

        Raises:
            DTypeError: the call does not fit the signature, or an argument differs from the fixed one.
        """
        try:
            bound = self.python.bind(*args, **kwargs)
        except TypeError as error:
            raise DTypeError(
                f"{name} cannot be called like this: {error}.",
                expected=f"{name}{self.python}",
                got=f"{len(args)} positional arguments" + (f", and {', '.join(kwargs)}" if kwargs else ""),
                fix="pass the arguments that the function was exported for",
            ) from None
        found: dict[int, Any] = {}
        for label, parameter in self.kept.items():
            if label in bound.arguments:
                self.match(name, parameter.tree, bound.arguments[label], label, found)
            elif slots(parameter.tree):  # *args or **kwargs
                self.match(name, parameter.tree, type(parameter.tree)(), label, found)
        return [found[position] for position in range(len(self.named))]

    def match(self, name: str, tree: Any, x: Any, label: str, found: dict[int, Any]) -> None:
        """Find the tensors of one argument, which must have the structure ``tree``."""
        if isinstance(tree, Slot):
            found[tree.which] = x
        elif isinstance(tree, dict) and type(x) is dict and x.keys() == tree.keys():
            for key, part in tree.items():
                self.match(name, part, x[key], f"{label}[{key!r}]", found)
        elif isinstance(tree, (list, tuple)) and type(x) is type(tree) and len(x) == len(tree):
            for position, part in enumerate(tree):
                self.match(name, part, x[position], f"{label}[{position}]", found)
        elif not isinstance(tree, Fixed) and not _same(tree, x):
            raise DTypeError(
                f"{name} was exported for another argument {label}.",
                expected=f"{label}={describe_object(tree)}, which is part of the graph",
                got=describe_object(x),
                fix="export the function for this argument too, into another file",
            )


def _parameters(kept: list[Parameter]) -> list[inspect.Parameter]:
    """Parameters for Python; one without tensors has a default, unless a positional one without default follows."""
    result: list[inspect.Parameter] = []
    required = False
    for x in reversed(kept):
        default: Any = EMPTY if slots(x.tree) or x.kind in VARIABLE_KINDS else x.tree
        if x.kind in POSITIONAL_KINDS:
            required = required or default is EMPTY
            default = EMPTY if required else default
        result.append(inspect.Parameter(x.name, x.kind, default=default))
    return result[::-1]


def _is_fixed(tree: Any) -> bool:
    """Whether a structure has a part that no file can hold."""
    if isinstance(tree, dict):
        return any(_is_fixed(x) for x in tree.values())
    if isinstance(tree, (list, tuple)):
        return any(_is_fixed(x) for x in tree)
    return isinstance(tree, Fixed)


def _same(tree: Any, x: Any) -> bool:
    if type(x) is not type(tree):
        return False
    return repr(x) == repr(tree) if isinstance(tree, (float, complex)) else bool(x == tree)
