"""Node: what a tape keeps of one op on watched tensors; and Tape: what nodes and scopes know of a tape.

A node keeps native arrays, never tensor handles: a kept output handle would be a cycle (y -> node -> y), and a kept
operand handle could be pointed elsewhere by ``x[k] = v`` before the backward pass.
"""

from __future__ import annotations

from typing import Any, Final

from ..errors import TapeError
from ..registry.gradient_rule import GradientPlan
from ..registry.op import Op
from ..registry.tensor_type import TensorType

__all__ = ["Node", "Tape", "leaf"]

Shape = tuple[int, ...]


class Counter:
    """The next node's sequence number: operands have smaller ones than results, so a sort is a topological order."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: int = 0


counter: Final = Counter()


class Node:
    """One record: a leaf (a watched tensor, a variable), an op, or one output of an op with several.

    Attributes:
        seq: later records have larger numbers.
        tapes: the tapes it was recorded under, one shared tuple; empty for a leaf (its tapes hold the leaf).
        seen: for a leaf, the serial number of the scope in which every open tape was found to watch it.
        op, attributes, plan: what ran, and which gradient rules are called; plan is None for leaves and outputs.
        parents: per operand its node, None where no tape here follows it.
        arrays: per operand, then the output: the native array where a rule needs it, else None.
        operand_types, shapes: per operand; a shape is None where the array is kept or nobody needs it.
        type, shape: of the output (a tuple of each for an op with several).
        index: which output of ``parents[0]`` it is; -1 for anything else.
    """

    __slots__ = (
        "arrays", "attributes", "index", "op", "operand_types", "parents", "plan", "seen", "seq", "shape", "shapes",
        "tapes", "type",
    )  # fmt: skip

    def __init__(
        self,
        tapes: tuple[Tape, ...],
        op: Op | None,
        attributes: dict[str, Any] | None,
        plan: GradientPlan | None,
        parents: tuple[Node | None, ...],
        arrays: tuple[Any, ...],
        tensor_types: tuple[TensorType | None, ...],
        shapes: tuple[Shape | None, ...],
        tensor_type: Any,
        shape: Any,
        index: int = -1,
    ) -> None:
        # Two threads may read the same number: they cannot both reach one result, so a tie never misorders.
        seq = counter.value + 1
        counter.value = seq
        self.seq: int = seq
        self.tapes: tuple[Tape, ...] = tapes
        self.seen: int = -1
        self.op: Op | None = op
        self.attributes: dict[str, Any] | None = attributes
        self.plan: GradientPlan | None = plan
        self.parents: tuple[Node | None, ...] = parents
        self.arrays: tuple[Any, ...] = arrays
        self.operand_types: tuple[TensorType | None, ...] = tensor_types
        self.shapes: tuple[Shape | None, ...] = shapes
        self.type: Any = tensor_type
        self.shape: Any = shape
        self.index: int = index

    def __repr__(self) -> str:
        what = self.op.name if self.op is not None else ("leaf" if self.index < 0 else f"output {self.index}")
        return f"Node({self.seq}: {what}, {self.shape})"

    def release(self) -> None:
        """Let go of everything that a gradient would have needed."""
        self.parents = ()
        self.arrays = ()
        self.attributes = None
        self.plan = None


def leaf(tensor_type: Any, shape: Any) -> Node:
    """A node without an op: a variable's, a watched tensor's, or a symbolic tensor's that no tape follows."""
    return Node((), None, None, None, (), (), (), (), tensor_type, shape)


class Tape:
    """What records and the walk back ask of a tape; `polytape.GradientTape` answers.

    Attributes:
        closed: whether it does not record now; spent: whether it was used, and is not persistent.
        leaves: the nodes it follows from the start, in order.
    """

    __slots__ = ("closed", "leaves", "spent")

    def __init__(self) -> None:
        self.closed: bool = True
        self.spent: bool = False
        self.leaves: dict[Node, None] = {}

    def follows(self, x: Any) -> bool:
        """Whether this tape follows the tensor ``x``."""
        raise TapeError(f"{self!r} follows nothing", fix="use polytape.GradientTape")

    def pull_back(self, run: Any, inputs: list[Any]) -> tuple[Any, Any]:
        """What ``run()`` gives, and ``(targets, weights) -> gradients by inputs``; on a tape of its own."""
        raise TapeError(f"{self!r} follows nothing", fix="use polytape.GradientTape")
