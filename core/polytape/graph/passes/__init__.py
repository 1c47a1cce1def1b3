"""Passes: functions from a graph to an equivalent graph."""

from __future__ import annotations

from collections.abc import Callable

from ..ir import Graph
from .assembly import assembly
from .common_subexpressions import common_subexpressions
from .constant_folding import constant_folding
from .dead_code import dead_code
from .decomposition import decomposition
from .fusion import fusion
from .kernel_choice import kernel_choice
from .layout import layout
from .moves import without_moves
from .regions import regions
from .simplification import simplification

__all__ = [
    "PASSES",
    "assembly",
    "common_subexpressions",
    "constant_folding",
    "dead_code",
    "decomposition",
    "fusion",
    "kernel_choice",
    "layout",
    "optimise",
    "regions",
    "simplification",
    "without_moves",
]

PASSES: tuple[Callable[[Graph], Graph], ...] = (
    decomposition,
    constant_folding,
    layout,
    simplification,
    assembly,
    common_subexpressions,
    dead_code,
    kernel_choice,
    fusion,
)
# These prepare a graph to run on one backend. Fusion is last: no other pass looks into a fused equation.
LOWERING = frozenset({decomposition, kernel_choice, fusion})


def optimise(graph: Graph, check: Callable[[Graph, str], None] | None = None, *, fuse: bool = True) -> Graph:
    """The graph after all passes, in order; those of its equations that have regions with these optimised first.

    Args:
        graph: as traced.
        check: called after each pass with the graph and the pass's name; tests pass `polytape.graph.checking.check`.
        fuse: whether the graph will run as it is; if not, every equation remains a call of one of the function's ops.
    """
    graph = regions(graph, lambda region: optimise(region, check, fuse=fuse))
    for run_pass in PASSES:
        if run_pass in LOWERING and not fuse:
            continue
        graph = run_pass(graph)
        if check is not None:
            check(graph, run_pass.__name__)
    return graph
