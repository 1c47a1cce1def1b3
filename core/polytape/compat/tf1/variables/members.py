"""Members that TensorFlow's variables have beyond polytape's. They are added with the first variable of `tf1`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from weakref import ref

from ....tensors.tensor import Tensor
from ....tensors.variable import Variable

__all__ = ["add_members", "constraint_of", "set_constraint", "shared_name"]

# By the variable's id, since a variable has no room for other attributes, and comparing two compares their elements.
_constraints: Final[dict[int, tuple[ref[Variable], Callable[[Any], Any]]]] = {}


class VariableOp:
    """What ``variable.op`` is in eager mode: an object with the name that a graph's op would have."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<op {self.name!r}>"


def shared_name(variable: Variable) -> str:
    """The variable's name without ``:0``; "Variable" if polytape created it without a name."""
    return variable.name.removesuffix(":0") or "Variable"


def set_constraint(variable: Variable, constraint: Callable[[Any], Any]) -> None:
    """Let optimizers of `polytape.compat.tf1.train` assign ``constraint(value)`` after each step."""
    key = id(variable)
    _constraints[key] = (ref(variable, lambda _: _constraints.pop(key, None)), constraint)


def constraint_of(variable: Variable) -> Callable[[Any], Any] | None:
    """The function that optimizers apply after each step; None if there is none."""
    reference, constraint = _constraints.get(id(variable), (None, None))
    return constraint if reference is not None and reference() is variable else None


def _value(self: Variable) -> Tensor:
    """The current value, as `read_value`."""
    return self.read_value()


def _is_initialized(self: Variable) -> bool:
    """True: in eager mode every variable has a value."""
    return True


_members: Final[dict[str, Any]] = {
    "value": _value,
    "initialized_value": _value,
    "is_initialized": _is_initialized,
    "constraint": property(constraint_of, doc="As passed to `tf.Variable`."),
    "op": property(lambda self: VariableOp(shared_name(self)), doc="An object with the variable's name."),
    "initializer": property(lambda self: None, doc="None: in eager mode every variable has a value."),
    "_shared_name": property(shared_name, doc="The variable's name without ``:0``."),
}


def add_members() -> None:
    """Give the class `polytape.Variable` these members; a second call changes nothing."""
    if "value" not in vars(Variable):
        for name, member in _members.items():
            setattr(Variable, name, member)
