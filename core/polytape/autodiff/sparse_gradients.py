"""Gradients of variables from which only rows are taken, as those rows: ``tape.gradient(..., sparse=True)``."""

from __future__ import annotations

from typing import Any

from ..dtypes import int64
from ..registry import tables
from ..tensors.node import Node, Tape
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable
from . import backward as dense
from .indexed_slices import IndexedSlices
from .ordering import belongs, reach
from .record import wrap

__all__ = ["backward"]


def backward(
    tape: Tape, targets: list[Tensor], seeds: list[Tensor | None] | None, sources: list[Tensor], keep: bool
) -> list[Any]:
    """As `polytape.autodiff.backward.backward`, with `IndexedSlices` for variables from which only rows are taken.

    The pass stops at the rows that were taken: their cotangents are the values, and the whole is never computed.
    """
    users = _users(tape, targets, sources)
    rows = {
        x.node: users[x.node]
        for x in sources
        if isinstance(x, Variable) and x.node in users and all(_takes_rows(node) for node in users[x.node])
    }
    stops = dict.fromkeys([node for nodes in rows.values() for node in nodes])
    # The records are read first, since the pass may release them.
    taken = {node: (node.arrays[1], node.operand_types[1]) for node in stops}
    requested = [x.node for x in sources if x.node not in rows]
    results = dense.hooks.run(tape, targets, seeds, [*requested, *stops], keep, stops)
    whole = iter(results[: len(requested)])
    cotangents = dict(zip(stops, results[len(requested) :], strict=True))
    return [
        _slices(x, [(cotangents[node], *taken[node]) for node in rows[x.node]]) if x.node in rows else next(whole)
        for x in sources
    ]


def _users(tape: Tape, targets: list[Tensor], sources: list[Tensor]) -> dict[Any, list[Node]]:
    """For each source that ops of the targets use, and which is not itself a target, the records of these ops."""
    starts = [x.node for x in targets if x.node is not None and belongs(tape, x.node)]
    wanted = {x.node for x in sources} - set(starts)
    users: dict[Any, list[Node]] = {}
    for node in reach(tape, starts):
        for parent in dict.fromkeys(node.parents) if tape in node.tapes else ():
            if parent in wanted:
                users.setdefault(parent, []).append(node)
    return users


def _takes_rows(node: Node) -> bool:
    op, attributes = node.op, node.attributes or {}
    # By identity: a traced function, or one with a gradient of its own, may have the same name.
    return op is not None and op is tables.find_op("take") and attributes.get("axis") in (0, None)


def _slices(x: Tensor, parts: list[tuple[Any, Any, Any]]) -> IndexedSlices | None:
    """The sum of what several calls of `take` contribute."""
    reshape, concat = tables.get_op("reshape"), tables.get_op("concat")
    values, indices = [], []
    for g, array, tensor_type in parts:
        if g is not None:
            positions = wrap(array, tensor_type, None)
            values.append(reshape(g, (positions.size, *x.shape[1:])))
            indices.append(reshape(positions, (positions.size,)))
    if not values:
        return None
    if len(values) == 1:
        return IndexedSlices(values[0], indices[0], x.shape)
    # Positions of different integer dtypes promote; all that are in range fit into int64.
    if len({positions.dtype for positions in indices}) > 1:
        astype = tables.get_op("astype")
        indices = [astype(positions, int64) for positions in indices]
    return IndexedSlices(concat(values, axis=0), concat(indices, axis=0), x.shape)
