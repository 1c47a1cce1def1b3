"""Graphs as pictures: the text of Graphviz's language, and an SVG file that its program ``dot`` makes of it."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from typing import Any, Final

from ..errors import PluginError
from .ir import Equation, Graph, Literal, describe, location, names, render_value

__all__ = ["save_svg", "to_dot"]

COLOURS: Final = {"argument": "#dbe9f9", "variable": "#fde3c8", "read": "#fdf3c8", "constant": "#e6e6e6"}


def to_dot(graph: Graph) -> str:
    """The graph in Graphviz's language: a node per input, equation and result; regions are boxes within it."""
    lines = ["digraph {", '  rankdir="TB"; node [shape="box" style="filled" fillcolor="white" fontname="Helvetica"];']
    lines.append('  edge [fontname="Helvetica" fontsize="9" labeldistance="1.7"];')
    lines += [f"  {line}" for line in _block(graph, "graph")]
    return "\n".join([*lines, "}", ""])


def _block(graph: Graph, prefix: str) -> Iterator[str]:
    """The nodes and edges of a graph or region, whose names begin with a prefix."""
    known = names(graph)
    node = {symbol: f"{prefix}.{name}" for symbol, name in known.items()}
    values = [x for source in graph.sources for x in source.inputs]
    groups = (
        ("argument", graph.arguments),
        ("variable", graph.variables),
        ("read", values),
        ("constant", graph.constants),
    )
    for kind, inputs in groups:
        for x in inputs:
            yield _node(
                node[x.symbol], f"{known[x.symbol]}\n{describe(x.symbol)}", fillcolor=COLOURS[kind], shape="ellipse"
            )
    for equation in graph.equations:
        own = node[equation.outputs[0]]
        for symbol in equation.outputs:
            node[symbol] = own
        yield _node(own, _title(equation, known), tooltip=location(equation))
        for position, operand in enumerate(equation.operands):
            if operand is not None and not isinstance(operand, Literal):
                yield _edge(node[operand], own, str(position) if len(set(equation.symbols())) > 1 else "")
        yield from _regions(equation, own)
    for position, symbol in enumerate(graph.outputs):
        yield _node(f"{prefix}.result {position}", f"result {position}", shape="ellipse", penwidth="2")
        yield _edge(node[symbol], f"{prefix}.result {position}", "")
    by_id = {id(x.holder): known[x.symbol] for x in graph.variables}
    for position, (variable, symbol) in enumerate(graph.writes):
        name = by_id.get(id(variable)) or variable.name or f"w{position}"
        yield _node(f"{prefix}.assign {position}", f"assign {name}", fillcolor=COLOURS["variable"], shape="ellipse")
        yield _edge(node[symbol], f"{prefix}.assign {position}", "")


def _regions(equation: Equation, own: str) -> Iterator[str]:
    for number, region in enumerate(() if equation.regions is None else equation.regions.graphs):
        inner = f"{own}.{number}"
        yield f"subgraph {_quoted(f'cluster_{inner}')} {{"
        yield f"  label={_quoted(f'{region.name} of {equation.op.name}')}; style=dashed; fontname=Helvetica;"
        yield from (f"  {line}" for line in _block(region, inner))
        yield "}"
        if region.outputs:
            yield _edge(f"{inner}.result 0", own, "", style="dashed")


def _title(equation: Equation, known: Any) -> str:
    """The op with its attributes and literals, the results' names and types, and the line."""
    settings = [f"{name}={render_value(x)}" for name, x in equation.attributes.items() if name != "regions"]
    settings += [] if equation.regions is None else equation.regions.settings
    numbers = [f"{k}: {x}" for k, x in enumerate(equation.operands) if isinstance(x, Literal)]
    outputs = [f"{known[symbol]}: {describe(symbol)}" for symbol in equation.outputs]
    parts = [equation.op.name.rstrip("_"), ", ".join([*numbers, *settings]), *outputs, location(equation)]
    return "\n".join([part for part in parts if part])


def _node(name: str, label: str, **attributes: str) -> str:
    settings = "".join(f" {key}={_quoted(value)}" for key, value in attributes.items())
    return f"{_quoted(name)} [label={_quoted(label)}{settings}];"


def _edge(start: str, end: str, label: str, **attributes: str) -> str:
    if label:
        attributes["headlabel"] = label
    settings = " ".join(f"{key}={_quoted(value)}" for key, value in attributes.items())
    return f"{_quoted(start)} -> {_quoted(end)}{f' [{settings}]' if settings else ''};"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def save_svg(graph: Graph, path: str | os.PathLike[str]) -> None:
    """Draw a graph to an SVG file.

    Args:
        graph: the graph.
        path: the file, which is replaced.
    Raises:
        PluginError: the Python package graphviz, or the program dot of the system's package graphviz, is missing.
    """
    try:
        graphviz: Any = importlib.import_module("graphviz")
    except ImportError as error:
        raise _missing(str(error), "pip install 'polytape[graphviz]'") from None
    try:
        picture: bytes = graphviz.Source(to_dot(graph)).pipe(format="svg")
    except graphviz.ExecutableNotFound as error:
        fix = "install the system's package graphviz, for example by apt-get install graphviz, or use to_dot()"
        raise _missing(str(error), fix) from None
    with open(path, "wb") as file:
        file.write(picture)


def _missing(got: str, fix: str) -> PluginError:
    return PluginError(
        "a graph cannot be drawn.",
        expected="the Python package graphviz, and Graphviz's program dot on the PATH",
        got=got,
        fix=fix,
    )
