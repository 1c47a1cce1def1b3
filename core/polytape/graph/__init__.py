"""Graphs: `polytape.function` traces a Python function into typed equations, optimises and runs them.

`functions` keeps one trace per signature (`signature`), `tracing` records it as a graph (`ir`), `passes` optimise it,
`checking` validates it, `ir` prints it, `execution` runs it (`buffers` says where results are stored), `concrete` makes
it callable and differentiable; `calls` is what runs at each call, and is compiled. `regions` are subgraphs of an
equation for control flow, which `region_tracing` traces; `wiring` says how they are connected to it. `input_signature`
says which sizes are open; then `templates` compares several traces (`sizes`, `formulas`, `recipes`) and fills one graph
in for any size, which `sized` makes callable. `retracing` warns of too many traces. `inspection` is what a function
shows: `stages`, `cost`, a picture (`drawing`). `exchange` writes a graph to a file and runs it from there, and reads
the printed text.

May import: `autodiff`, `backend`, `checkpoint`, `device`, `dispatch`, `dtypes`, `errors`, `expression`, `locks`, `ops`,
`placement`, `random`, `registry`, `settings`, `state`, `tensors`, `tracebacks`.
"""

from __future__ import annotations

from .checking import GraphError, check
from .concrete import Concrete
from .execution import Executable
from .functions import Function, function
from .ir import Equation, Graph, Input, Literal
from .passes import PASSES, optimise

__all__ = [
    "PASSES",
    "Concrete",
    "Equation",
    "Executable",
    "Function",
    "Graph",
    "GraphError",
    "Input",
    "Literal",
    "check",
    "function",
    "optimise",
]
