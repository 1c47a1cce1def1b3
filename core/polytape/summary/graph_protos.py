"""A graph as TensorBoard's message ``GraphDef``: a node per input and equation, an edge per symbol among operands."""

from __future__ import annotations

import re
from typing import Any

from ..errors import DTypeError
from ..graph.ir import Equation, Graph, Literal, names, render_value
from ..tensors.symbol import Symbol, type_text
from ..tensors.tensor import describe
from .protos import library

__all__ = ["definition"]


def definition(graph: Any) -> bytes:
    """The serialized ``GraphDef`` of a traced function's graph."""
    if not isinstance(graph, Graph):
        raise DTypeError(
            "polytape.summary.graph needs a graph.",
            expected="the graph of a traced function: f.graph(*args)",
            got=describe(graph) if not callable(graph) else repr(graph),
            fix="decorate the function by @pt.function, and pass f.graph(x)",
        )
    result = library("proto.graph_pb2").GraphDef()
    result.versions.producer = 22
    _add(graph, "", library("proto.node_def_pb2"), result)
    serialized: bytes = result.SerializeToString()
    return serialized


def _add(graph: Graph, scope: str, nodes: Any, result: Any) -> None:
    """Add the nodes of a graph; those of a region are inside the node of its equation, in TensorBoard's hierarchy."""
    known = names(graph)
    origin: dict[Symbol, str] = {}  # the node, and if it has several outputs the output, that a symbol comes from
    kinds = [("Placeholder", graph.arguments), ("Variable", graph.state()), ("Const", graph.constants)]
    for kind, inputs in kinds:
        for each in inputs:
            origin[each.symbol] = f"{scope}{known[each.symbol]}"
            result.node.append(_node(nodes, origin[each.symbol], kind, [], each.type, [each.symbol], {}))
    for equation in graph.equations:
        name = f"{scope}{_label(equation.op.name)}_{known[equation.outputs[0]]}"
        for k, symbol in enumerate(equation.outputs):
            origin[symbol] = name if k == 0 else f"{name}:{k}"
        operands = [origin[x] for x in equation.operands if isinstance(x, Symbol)]
        numbers = {f"operand_{k}": str(x) for k, x in enumerate(equation.operands) if isinstance(x, Literal)}
        settings = {key: render_value(value) for key, value in equation.attributes.items() if key != "regions"}
        attributes = {**numbers, **settings}
        attributes["source"] = "{}:{}".format(*equation.source)
        if equation.regions is not None:
            attributes["settings"] = ", ".join(equation.regions.settings)
            for number, region in enumerate(equation.regions.graphs):
                _add(region, f"{name}/{number}_{_label(region.name)}/", nodes, result)
        device = _type_of(equation)
        result.node.append(_node(nodes, name, equation.op.name, operands, device, equation.outputs, attributes))
    for k, symbol in enumerate(graph.outputs):
        result.node.append(_node(nodes, f"{scope}result_{k}", "Identity", [origin[symbol]], None, [symbol], {}))
    for variable, symbol in graph.writes:
        target = next((known[x.symbol] for x in graph.variables if x.holder is variable), variable.name or "variable")
        result.node.append(
            _node(nodes, f"{scope}assign_{_label(target)}", "Assign", [origin[symbol]], None, [symbol], {})
        )


def _type_of(equation: Equation) -> Any:
    return equation.resolution.result_types[0] if equation.resolution.result_types else None


def _label(name: str) -> str:
    """A name with the characters that the names of nodes may have."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_")


def _node(
    nodes: Any, name: str, op: str, inputs: list[str], tensor_type: Any, outputs: Any, attributes: dict[str, str]
) -> Any:
    node = nodes.NodeDef(name=name, op=op, input=inputs, device="" if tensor_type is None else str(tensor_type.device))
    for key, value in attributes.items():
        node.attr[key].s = value.encode()
    if outputs:
        node.attr["type"].s = ", ".join(type_text(symbol.dtype, symbol.shape) for symbol in outputs).encode()
    return node
