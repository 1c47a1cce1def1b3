"""A graph as TensorBoard's message ``GraphDef``: a node per input and equation, an edge per operand."""

from __future__ import annotations

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
    nodes, known = library("proto.node_def_pb2"), names(graph)
    result = library("proto.graph_pb2").GraphDef()
    result.versions.producer = 22
    origin: dict[Symbol, str] = {}  # the node, and if it has several outputs the output, that a symbol comes from
    kinds = [("Placeholder", graph.arguments), ("Variable", graph.state()), ("Const", graph.constants)]
    for kind, inputs in kinds:
        for each in inputs:
            origin[each.symbol] = known[each.symbol]
            result.node.append(_node(nodes, known[each.symbol], kind, [], each.type, [each.symbol], {}))
    for equation in graph.equations:
        name = f"{equation.op.name}/{known[equation.outputs[0]]}" if equation.outputs else equation.op.name
        for k, symbol in enumerate(equation.outputs):
            origin[symbol] = name if k == 0 else f"{name}:{k}"
        operands = [_operand(nodes, result, name, k, x, origin) for k, x in enumerate(equation.operands)]
        attributes = {key: render_value(value) for key, value in equation.attributes.items()}
        attributes["source"] = "{}:{}".format(*equation.source)
        device = _type_of(equation)
        result.node.append(
            _node(nodes, name, equation.op.name, [x for x in operands if x], device, equation.outputs, attributes)
        )
    for k, symbol in enumerate(graph.outputs):
        result.node.append(_node(nodes, f"result_{k}", "Identity", [origin[symbol]], None, [symbol], {}))
    for variable, symbol in graph.writes:
        target = next((known[x.symbol] for x in graph.variables if x.holder is variable), variable.name or "variable")
        result.node.append(_node(nodes, f"assign/{target}", "Assign", [origin[symbol]], None, [symbol], {}))
    serialized: bytes = result.SerializeToString()
    return serialized


def _type_of(equation: Equation) -> Any:
    return equation.resolution.result_types[0] if equation.resolution.result_types else None


def _operand(nodes: Any, result: Any, name: str, position: int, operand: Any, origin: dict[Symbol, str]) -> str:
    """What an edge starts from; a literal gets a node of its own."""
    if isinstance(operand, Symbol):
        return origin[operand]
    if isinstance(operand, Literal):
        literal = f"{name}/operand_{position}"
        result.node.append(_node(nodes, literal, "Const", [], operand.type, [], {"value": str(operand)}))
        return literal
    return ""


def _node(
    nodes: Any, name: str, op: str, inputs: list[str], tensor_type: Any, outputs: Any, attributes: dict[str, str]
) -> Any:
    node = nodes.NodeDef(name=name, op=op, input=inputs, device="" if tensor_type is None else str(tensor_type.device))
    for key, value in attributes.items():
        node.attr[key].s = value.encode()
    if outputs:
        node.attr["type"].s = ", ".join(type_text(symbol.dtype, symbol.shape) for symbol in outputs).encode()
    return node
