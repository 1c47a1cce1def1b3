"""Batching rules: how an op on one element becomes ops on the whole batch."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Final

from ...registry import tables
from ...registry.op import Op
from ...tensors.tensor import Tensor, operators

__all__ = ["Call", "Rule", "rule", "rule_of"]

Shape = tuple[int, ...]
Rule = Callable[["Call"], Any]


class Call:
    """One call of an op, as a rule sees it; a rule returns the outputs with the batch axis first, or NotImplemented.

    Attributes:
        op: the op.
        operands: the tensors; a batched one has the batch as its first axis. None for an optional operand.
        batched: which operands are batched; at least one is.
        attributes: those that the caller gave.
        size: the number of elements, above 0.
        shapes: each operand's shape in one element; results: the outputs' shapes in one element.
    """

    __slots__ = ("attributes", "batched", "op", "operands", "results", "shapes", "size")

    def __init__(
        self,
        op: Op,
        operands: Sequence[Tensor | None],
        batched: tuple[bool, ...],
        attributes: dict[str, Any],
        size: int,
        shapes: tuple[Shape | None, ...],
        results: tuple[Shape, ...],
    ) -> None:
        self.op = op
        self.operands = list(operands)
        self.batched = batched
        self.attributes = attributes
        self.size = size
        self.shapes = shapes
        self.results = results

    def attribute(self, name: str) -> Any:
        """The value of an attribute, given or default."""
        return self.attributes[name] if name in self.attributes else self.op.defaults[name]

    def rank(self, position: int = 0) -> int:
        """The number of axes of an operand in one element."""
        shape = self.shapes[position]
        return 0 if shape is None else len(shape)

    def full(self, position: int) -> Any:
        """An operand with the batch as its first axis, repeated along it if it is the same for all elements."""
        x = self.operands[position]
        if x is None or self.batched[position]:
            return x
        return operators.broadcast_to(x, (self.size, *x.shape))

    def all_full(self) -> list[Any]:
        """All operands, as by `full`."""
        return [self.full(position) for position in range(len(self.operands))]

    def aligned(self, position: int, rank: int) -> Any:
        """An operand that broadcasts with others of ``rank`` axes in one element: a batched one gets axes of size 1."""
        x = self.operands[position]
        shape = self.shapes[position]
        if x is None or shape is None or not self.batched[position] or len(shape) == rank:
            return x
        return operators.reshape(x, (self.size, *(1,) * (rank - len(shape)), *shape))

    def row(self, position: int) -> list[Any]:
        """The operands of one element."""
        return [x if x is None or not batched else x[position] for x, batched in zip(self.operands, self.batched)]  # noqa: B905  # equal lengths

    def empty(self) -> list[Tensor]:
        """The outputs for no elements."""
        zeros = tables.get_op("zeros")
        sources = [x for x, batched in zip(self.operands, self.batched, strict=True) if x is not None and batched]
        dtypes = self.op.dtype_rule(
            *[None if x is None else x.dtype for x in self.operands],
            **{name: self.attribute(name) for name in self.op.dtype_attributes},
        )
        kinds = dtypes if isinstance(dtypes, tuple) else (dtypes,)
        device = sources[0].device
        return [zeros((0, *shape), dtype=kind, device=device) for shape, kind in zip(self.results, kinds, strict=True)]

    def again(self, operands: Sequence[Any], **changed: Any) -> Any:
        """The op on other operands, with some attributes changed."""
        from ..calling import call_op

        return call_op(self.op, operands, {**self.attributes, **changed})


_RULES: Final[dict[str, Rule]] = {}
_MODULES: Final = ("axes", "elementwise", "indexing", "movement", "network", "products")


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Declare the batching rule of the ops of these names."""

    def declare(fn: Rule) -> Rule:
        for name in names:
            _RULES[name] = fn
        return fn

    return declare


@functools.cache
def _load() -> None:
    """Import the modules that declare rules; each imports this one."""
    for module in _MODULES:
        importlib.import_module(f"polytape.autodiff.batching.{module}")


def rule_of(op: Op) -> Rule | None:
    """The batching rule of an op, or None if its body runs instead, or the op once per element."""
    _load()
    found = _RULES.get(op.name) if tables.find_op(op.name) is op else None  # another op may have the name
    if found is None and op.elementwise and not op.host:
        return _RULES["elementwise"]
    return found


def size_of(shape: Shape) -> int:
    """The number of elements of a tensor of this shape."""
    return prod(shape)
