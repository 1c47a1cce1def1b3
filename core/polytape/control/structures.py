"""The operands and carried values of control flow: structures of tensors whose types must not change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dispatch import convert
from ..dtypes import weak_promote
from ..errors import DTypeError, ShapeError
from ..graph.regions import Value
from ..graph.signature import Structure
from ..registry import tables
from ..tensors.symbol import type_text
from ..tensors.tensor import Tensor, describe, operators
from ..tensors.variable import Variable

__all__ = ["Values", "stacked", "value_of"]

_GROUP = 64  # how many tensors are stacked by one call: each number of operands is a resolution of its own


class Values:
    """A structure whose leaves are tensors or None.

    Attributes:
        structure: with the leaves that are None. tensors: the other leaves, in order. positions: where they are.
        numbers: those that were Python numbers, by their position among the tensors.
    """

    def __init__(self, what: str, value: Any, beside: Sequence[Tensor] = ()) -> None:
        """Take a structure apart.

        Args:
            what: names it in errors, such as ``carry``.
            value: its leaves are tensors, variables, numbers, NumPy arrays or None.
            beside: numbers and arrays go to the device of the first tensor in ``value`` or here, if there is one.
        Raises:
            DTypeError: another leaf.
        """
        self.what = what
        self.structure = Structure(value)
        leaves = self.structure.leaves
        self.positions = [k for k, leaf in enumerate(leaves) if leaf is not None]
        self.numbers: dict[int, complex] = {}
        for position, k in enumerate(self.positions):
            if type(leaves[k]) is not Tensor:
                if type(leaves[k]) in (bool, int, float, complex):
                    self.numbers[position] = leaves[k]
                leaves[k] = _tensor(what, self.names[k], leaves[k], [*leaves, *beside])
        self.tensors: list[Tensor] = [leaves[k] for k in self.positions]
        self.structure.leaves = [None] * len(leaves)

    @property
    def names(self) -> list[str]:
        """A name for each leaf, made from its path."""
        return self.structure.names(self.what)

    @property
    def labels(self) -> list[str]:
        """The names of the tensors."""
        names = self.names
        return [names[k] for k in self.positions]

    def filled(self, tensors: Sequence[Tensor]) -> Any:
        """The structure with other tensors, in handles of their own: item assignment changes no caller's tensor."""
        leaves: list[Any] = [None] * len(self.structure.leaves)
        for k, x in zip(self.positions, tensors, strict=True):
            leaves[k] = Tensor(x.array, x.type, x.node)
        return self.structure.rebuild(leaves)

    def like(self, what: str, given: Values) -> Values:
        """``given``, if it has the structure and the types of this; a Python number in it takes the type that it fits.

        Args:
            what: says in an error whose results they are, such as ``scan's function``.
            given: the results.
        Raises:
            ShapeError, DTypeError: another structure, or a tensor of another type.
        """
        if given.positions == self.positions:
            for k, number in given.numbers.items():
                own = self.tensors[k]
                if not own.shape and weak_promote(own.dtype, number) is own.dtype:
                    given.tensors[k] = convert.asarray(number, own.dtype, own.device)
        self.check(what, given)
        return given

    def check(self, what: str, given: Values) -> None:
        """As `like`, but a number has the type of the tensor that it became.

        Raises:
            ShapeError, DTypeError: another structure, or a tensor of another type.
        """
        if given.structure.spec != self.structure.spec or given.positions != self.positions:
            raise DTypeError(
                f"{what} returned another structure for {self.what}.",
                expected=_text(self),
                got=_text(given),
                fix=f"return lists, tuples, dicts, None and tensors nested as in {self.what}",
            )
        for k, (own, x) in enumerate(zip(self.tensors, given.tensors, strict=True)):
            if x.type is not own.type or x.array.shape != own.array.shape:
                raise _other_type(what, self.labels[k], own, x)


def _tensor(what: str, name: str, leaf: Any, beside: Sequence[Any]) -> Tensor:
    if isinstance(leaf, Variable):
        return leaf.read_value()
    if isinstance(leaf, (bool, int, float, complex, np.ndarray, np.generic)):
        device = next((x.device for x in beside if isinstance(x, Tensor)), None)
        return convert.asarray(leaf, None, device)
    raise DTypeError(
        f"{name} is {describe(leaf)}, which is no tensor.",
        expected=f"tensors, variables, numbers, NumPy arrays or None in {what}",
        got=type(leaf).__name__,
        fix="let the function read it from an enclosing scope",
    )


def _text(values: Values) -> str:
    """The nesting, with a star for each tensor: ``(*, [*, None])``."""
    leaves = ["*" if k in values.positions else None for k in range(len(values.structure.leaves))]
    return str(values.structure.rebuild(leaves)).replace("'*'", "*")


def _other_type(what: str, name: str, own: Tensor, x: Tensor) -> Exception:
    kind = ShapeError if x.type is own.type else DTypeError
    same_text = type_text(x.dtype, x.shape) == type_text(own.dtype, own.shape)
    return kind(
        f"{what} changed the type of {name}.",
        expected=describe(own) if same_text else type_text(own.dtype, own.shape),
        got=describe(x) if same_text else type_text(x.dtype, x.shape),
        fix="cast or reshape one of the two, for example with polytape.astype: its type is the same in every step",
    )


def value_of(x: Tensor) -> Value:
    """A tensor's type and shape."""
    return x.type, tuple(x.array.shape)


def stacked(rows: Sequence[Tensor], value: Value) -> Tensor:
    """Tensors of one type and shape, stacked along a new first axis; with no rows, an empty tensor."""
    tensor_type, shape = value
    if not rows:
        empty: Tensor = tables.get_op("zeros")((0, *shape), dtype=tensor_type.dtype, device=tensor_type.device)
        return empty
    stack = tables.get_op("stack")
    parts = [stack(list(rows[k : k + _GROUP]), axis=0) for k in range(0, len(rows), _GROUP)]
    while len(parts) > 1:
        parts = [operators.concat(parts[k : k + _GROUP], axis=0) for k in range(0, len(parts), _GROUP)]
    result: Tensor = parts[0]
    return result
