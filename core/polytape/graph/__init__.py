"""Graphs: `polytape.function` traces a Python function to typed equations, optimises and runs them."""

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
