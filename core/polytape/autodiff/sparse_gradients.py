"""Gradients of variables from which only rows are taken, as those rows: ``tape.gradient(..., sparse=True)``.

Rows are taken by ``take`` on the first axis, and by a traced function in which only such a ``take`` uses the variable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from ..dtypes import int64
from ..registry import tables
from ..tensors.node import Node, Tape
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable
from . import backward as dense
from .indexed_slices import IndexedSlices
from .ordering import belongs, reach
from .record import wrap

__all__ = ["RowsRule", "backward", "of_rows"]

Rows = tuple[Tensor, Tensor]  # the cotangents of rows, and their positions, of any rank


class RowsRule(Protocol):
    """What `GradientRule.rows` is."""

    def positions(self, outputs: Sequence[int]) -> frozenset[int]:
        """The operands from which these outputs only take rows."""

    def __call__(self, g: Any, node: Node, wanted: tuple[int, ...]) -> Sequence[Tensor | Rows | None]:
        """The gradients of the rule's operands; those of the ``wanted`` ones are rows, or None."""


def backward(
    tape: Tape, targets: list[Tensor], seeds: list[Tensor | None] | None, sources: list[Tensor], keep: bool
) -> list[Any]:
    """As `polytape.autodiff.backward.backward`, with `IndexedSlices` for variables from which only rows are taken.

    The pass stops at the rows that were taken: their cotangents are the values, and the whole is never computed.
    """
    rows = of_rows(tape, targets, sources)
    users = dict.fromkeys([node for nodes in rows.values() for node in nodes])
    takes = [node for node in users if node.plan is not None and _takes(node)]
    calls = {node: _Call(node, rows) for node in users if node not in takes}
    # The records are read first, since the pass may release them.
    taken = {node: wrap(node.arrays[1], node.operand_types[1], None) for node in takes}
    stops: dict[Node, Any] = dict.fromkeys(takes)
    stops.update(calls)
    results = dense.hooks.run(tape, targets, seeds, [*(x.node for x in sources), *takes], keep, stops)
    cotangents = dict(zip(takes, results[len(sources) :], strict=True))

    def parts(x: Tensor) -> list[Rows]:
        found = [
            calls[node].found.get(x.node) if node in calls else _rows(cotangents[node], taken[node])
            for node in rows[x.node]
        ]
        return [part for part in found if part is not None]

    return [
        _slices(x, parts(x)) if x.node in rows else result
        for x, result in zip(sources, results[: len(sources)], strict=True)
    ]


def of_rows(tape: Tape, targets: list[Tensor], sources: Sequence[Tensor]) -> dict[Any, list[Node]]:
    """For each variable from which the targets only take rows, by its node, the records that take them."""
    starts = [x.node for x in targets if x.node is not None and belongs(tape, x.node)]
    wanted = {x.node for x in sources if isinstance(x, Variable)} - set(starts)
    users: dict[Any, list[Node]] = {}
    outputs: dict[Node, list[int]] = {}  # of records with several, those that the targets depend on
    for node in reach(tape, starts):
        if node.index >= 0 and node.parents[0] is not None:
            outputs.setdefault(node.parents[0], []).append(node.index)
        for parent in dict.fromkeys(node.parents) if tape in node.tapes else ():
            if parent in wanted:
                users.setdefault(parent, []).append(node)
    return {
        parent: nodes
        for parent, nodes in users.items()
        if all(_takes_rows(node, parent, outputs.get(node, [0])) for node in nodes)
    }


def _takes_rows(node: Node, parent: Any, outputs: list[int]) -> bool:
    if _takes(node):
        return True
    rule = _rows_rule(node)
    operands = [position for position, x in enumerate(node.parents) if x is parent]
    return rule is not None and rule.positions(outputs).issuperset(operands)


def _takes(node: Node) -> bool:
    op, attributes = node.op, node.attributes or {}
    # By identity: a traced function, or one with a gradient of its own, may have the same name.
    return op is not None and op is tables.find_op("take") and attributes.get("axis") in (0, None)


def _rows_rule(node: Node) -> RowsRule | None:
    """The rule of a record that may give rows: the only one of a traced function."""
    rules = node.plan.rules if node.plan is not None else []
    rule: RowsRule | None = rules[0].rows if len(rules) == 1 else None
    return rule


class _Call:
    """What the pass calls for a traced function, in place of its gradient rule.

    Attributes:
        found: the rows, by the variable's node.
    """

    def __init__(self, node: Node, rows: dict[Any, list[Node]]) -> None:
        self.wanted: Final = tuple([position for position, x in enumerate(node.parents) if x in rows])
        self.found: Final[dict[Any, Rows | None]] = {}

    def __call__(self, state: dense.BackwardPass, node: Node, g: Any) -> None:
        assert node.op is not None and node.plan is not None
        rule = node.plan.rules[0]
        try:
            results = rule.rows(g if node.op.outputs is None else node.op.outputs(*g), node, self.wanted)
        except Exception as error:
            dense.explain(error, node)
            raise
        for position, result in zip(rule.operands, results, strict=True):
            if position in self.wanted:
                self.found[node.parents[position]] = result
            else:
                state.accumulate(node, position, result)


def _rows(g: Tensor | None, positions: Tensor) -> Rows | None:
    return None if g is None else (g, positions)


def _slices(x: Tensor, parts: list[Rows]) -> IndexedSlices | None:
    """The sum of what several records contribute."""
    if not parts:
        return None
    reshape, concat = tables.get_op("reshape"), tables.get_op("concat")
    values = [reshape(g, (positions.size, *x.shape[1:])) for g, positions in parts]
    indices = [reshape(positions, (positions.size,)) for _, positions in parts]
    if len(values) == 1:
        return IndexedSlices(values[0], indices[0], x.shape)
    # Positions of different integer dtypes promote; all that are in range fit into int64.
    if len({positions.dtype for positions in indices}) > 1:
        astype = tables.get_op("astype")
        indices = [astype(positions, int64) for positions in indices]
    return IndexedSlices(concat(values, axis=0), concat(indices, axis=0), x.shape)
