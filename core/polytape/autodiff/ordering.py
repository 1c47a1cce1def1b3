"""Which records a backward pass visits, and in which order."""

from __future__ import annotations

from operator import attrgetter
from typing import Final

from ..tensors.node import Node, Tape
from ..tensors.tensor import Tensor

__all__ = ["belongs", "of_sources", "prune", "reach"]

INSERTION: Final = 32  # up to this many nodes, `arrange` sorts by insertion


def reach(tape: Tape, starts: list[Node]) -> list[Node]:
    """The nodes of this tape that the targets depend on, results before their operands."""
    visited: dict[Node, None] = {}
    order: list[Node] = []
    stack = list(starts)
    while stack:
        node = stack.pop()
        if node in visited:
            continue
        visited[node] = None
        order.append(node)
        if node.parents and tape in node.tapes:
            for parent in node.parents:
                if parent is not None and parent not in visited and belongs(tape, parent):
                    stack.append(parent)
    arrange(order)
    return order


def arrange(order: list[Node]) -> None:
    """Sort nodes in place, the latest first, so that each comes before its operands."""
    count = len(order)
    if count > INSERTION:
        order.sort(key=attrgetter("seq"), reverse=True)
        return
    # `reach` returns the nodes nearly in this order: insertion moves few of them, and makes no call per comparison.
    for index in range(1, count):
        node = order[index]
        seq = node.seq
        hole = index
        while hole > 0 and order[hole - 1].seq < seq:
            order[hole] = order[hole - 1]
            hole -= 1
        order[hole] = node


def belongs(tape: Tape, node: Node) -> bool:
    """Whether ``tape`` recorded or watches ``node``: its backward pass visits no other nodes."""
    return tape in node.tapes or node in tape.leaves


def prune(order: list[Node], sources: dict[Node, Tensor | None]) -> dict[Node, None] | None:
    """The nodes that depend on a source; None if all do, because every leaf is a source."""
    for node in order:
        if node.plan is None and node.index < 0 and node not in sources:
            break
    else:
        return None
    useful: dict[Node, None] = {}
    for index in range(len(order) - 1, -1, -1):
        node = order[index]
        if node in sources:
            useful[node] = None
            continue
        for parent in node.parents:
            if parent is not None and parent in useful:
                useful[node] = None
                break
    return useful


def of_sources(tape: Tape, node: Node, sources: dict[Node, Tensor | None]) -> bool:
    """Whether a record of this tape depends on sources alone, which are leaves, and is none itself."""
    if node.plan is None or node.op is None or node in sources or tape not in node.tapes:
        return False
    for parent in node.parents:
        if parent is None:
            continue
        if parent.plan is not None or parent.index >= 0 or parent not in sources or not belongs(tape, parent):
            return False
    return True
