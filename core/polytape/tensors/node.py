"""Node, the record that tapes keep of one op on watched tensors; and Tape, the base class of `GradientTape`.

A node keeps native arrays, never tensor handles: a handle on the output would create a reference cycle
(y -> node -> y), and ``x[k] = v`` could point a handle on an operand at another array before the backward pass.
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
    """The latest node's sequence number. Operands have smaller ones than results, so sorting by it is topological."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: int = 0


counter: Final = Counter()


class Node:
    """One record: a leaf (a watched tensor, a variable), an op, or one output of an op with several.

    Attributes:
        seq: the sequence number; later records have larger ones.
        tapes: the tapes that recorded it, one shared tuple. It is empty for a leaf; the tapes hold their leaves.
        seen: for a leaf, the serial number of the last scope in which all open tapes were found to watch it.
        op, attributes, plan: the recorded call, and the gradient rules to call; plan is None for leaves and outputs.
        parents: the node of each operand, or None if none of these tapes follows the operand.
        arrays: the native array of each operand and then of the output, or None if no gradient rule needs it.
        operand_types, shapes: per operand; a shape is None if the array is kept or the shape is not needed.
        type, shape: of the output; for an op with several outputs, a tuple of each.
        index: for an output of an op with several, its position; otherwise -1. Its only parent is the op's node.
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
        # Two threads may get the same number. Neither node depends on the other then, so their order does not matter.
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
        label = self.op.name if self.op is not None else ("leaf" if self.index < 0 else f"output {self.index}")
        return f"Node({self.seq}: {label}, {self.shape})"

    def release(self) -> None:
        """Drop everything that only a backward pass needs."""
        self.parents = ()
        self.arrays = ()
        self.attributes = None
        self.plan = None


def leaf(tensor_type: Any, shape: Any) -> Node:
    """A node without an op: for a variable, a watched tensor, or a symbolic tensor that no tape follows."""
    return Node((), None, None, None, (), (), (), (), tensor_type, shape)


class Tape:
    """What recording and the backward pass need of a tape; `polytape.GradientTape` implements it.

    Attributes:
        closed: whether it is not recording now. spent: whether it has been used and is not persistent.
        leaves: the nodes of the watched tensors and variables, in order; True if item assignment to a tensor with that
            node makes its gradient unreachable, see `GradientTape.watch_arguments`.
    """

    __slots__ = ("closed", "leaves", "spent")

    def __init__(self) -> None:
        self.closed: bool = True
        self.spent: bool = False
        self.leaves: dict[Node, bool] = {}

    def follows(self, x: Any) -> bool:
        """Whether this tape follows the tensor ``x``."""
        raise TapeError(f"{self!r} cannot follow tensors", fix="use polytape.GradientTape")

    def pull_back(self, run: Any, inputs: list[Any]) -> tuple[Any, Any]:
        """Run ``run()`` on a new tape: its result, and ``(targets, weights) -> gradients with respect to inputs``."""
        raise TapeError(f"{self!r} cannot record", fix="use polytape.GradientTape")
