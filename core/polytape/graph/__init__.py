"""Graphs: `polytape.function` traces a Python function into typed equations, optimises and runs them.

`functions` keeps one trace per signature (`signature`), `tracing` records it as a graph (`ir`), `passes` optimise it,
`checking` validates it, `printing` shows it, `execution` runs it, `concrete` makes it callable and differentiable.

May import: `autodiff`, `backend`, `dispatch`, `dtypes`, `errors`, `locks`, `placement`, `registry`, `settings`,
`state`, `tensors`, `tracebacks`.
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
