"""A graph as text: one typed equation per line, with the user's source line."""

from __future__ import annotations

import os

import numpy as np

from ..tensors.tensor import Symbol
from .ir import Equation, Graph, names

__all__ = ["render", "render_equation"]

WIDTH = 52  # where the source lines stand, unless an equation is longer


def render(graph: Graph) -> str:
    """The graph as text; the same trace always gives the same text."""
    known = names(graph)
    arguments = ", ".join(f"{known[one.symbol]}: {describe(one.symbol)}" for one in graph.arguments)
    results = ", ".join(describe(symbol) for symbol in graph.outputs)
    if len(graph.outputs) != 1:
        results = f"({results})"
    lines = [f"graph {graph.name}({arguments}) -> {results}"]
    lines += [f"  variable {known[one.symbol]}: {describe(one.symbol)}" for one in graph.variables]
    lines += [f"  constant {known[one.symbol]}: {describe(one.symbol)}" for one in graph.constants]
    texts = [f"  {render_equation(equation, known)}" for equation in graph.equations]
    width = max([WIDTH, *(len(text) + 2 for text in texts)])
    lines += [f"{text:<{width}}# {where(equation)}" for text, equation in zip(texts, graph.equations, strict=True)]
    read = {id(one.holder): known[one.symbol] for one in graph.variables}
    for position, (variable, symbol) in enumerate(graph.writes):
        target = read.get(id(variable)) or variable.name or f"w{position}"
        lines.append(f"  assign {target} = {known.get(symbol, '?')}")
    lines.append(f"  return {', '.join(known.get(symbol, '?') for symbol in graph.outputs)}".rstrip())
    return "\n".join(lines)


def render_equation(equation: Equation, known: dict[Symbol, str]) -> str:
    """One equation without its source line; a symbol that is not known prints as ``?``."""
    outputs = ", ".join(f"{known.get(symbol, '?')}: {describe(symbol)}" for symbol in equation.outputs)
    operands = [known.get(one, "?") if isinstance(one, Symbol) else str(one) for one in equation.operands]
    attributes = [f"{name}={show(value)}" for name, value in equation.attributes.items()]
    return f"{outputs} = {equation.op.name.rstrip('_')}({', '.join([*operands, *attributes])})"


def describe(symbol: Symbol) -> str:
    """``float32[2,3]``."""
    return f"{symbol.dtype}[{','.join(map(str, symbol.shape))}]"


def where(equation: Equation) -> str:
    """``train.py:41``."""
    file, line = equation.source
    return f"{os.path.basename(file)}:{line}"


def show(value: object) -> str:
    """An attribute's value; a dtype by its name."""
    return str(value) if isinstance(value, np.dtype) else repr(value)
