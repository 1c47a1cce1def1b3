"""Run a graph of ONNX nodes on polytape, eagerly or as a traced function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, numpy_helper
from onnx.helper import get_attribute_value

import polytape as pt
from polytape.tensors.scope import NO_SCOPE, current_scope

from .registry import OPS, Values

__all__ = ["Interpreter", "attribute", "run_eagerly", "run_traced"]

Names = frozenset[str]


def attribute(proto: AttributeProto) -> Any:
    """The value of an attribute: Python numbers and strings, NumPy arrays, subgraphs."""
    value = get_attribute_value(proto)
    if proto.type == AttributeProto.TENSOR:
        return numpy_helper.to_array(value)
    if isinstance(value, bytes):
        return value.decode()
    if proto.type == AttributeProto.STRINGS:
        return [word.decode() for word in value]
    return list(value) if proto.type in (AttributeProto.INTS, AttributeProto.FLOATS) else value


class Interpreter:
    """Runs graphs and finds out which inputs of the outermost graph determine shapes.

    Values are tensors, lists of tensors (ONNX's sequences) and None (an absent optional). `static` has the names of the
    inputs whose values a node has read: a traced function takes these as constants and the others as arguments.
    """

    def __init__(self, arguments: Iterable[str] = ()) -> None:
        self.outputs = 0
        self.static: set[str] = set()
        self.arguments = frozenset(arguments)  # the inputs that a trace has no values of
        # By id: a value, which stays alive so that no other one gets its id, and the inputs that it depends on.
        self._origins: dict[int, tuple[Any, Names]] = {}
        self._touched: set[str] = set()  # the inputs that the current node depends on
        self._scope: dict[str, Any] = {}

    def run(self, graph: GraphProto, inputs: Mapping[str, Any]) -> Values:
        """The outputs of the outermost graph."""
        for name, value in inputs.items():
            for part in value if isinstance(value, list) else [value]:
                self._origins[id(part)] = part, frozenset([name])
            self._origins[id(value)] = value, frozenset([name])
        return self._run_graph(graph, inputs)

    def __call__(self, graph: GraphProto, operands: Values) -> Values:
        """The outputs of a subgraph of the current node, whose nodes see the names around it."""
        outputs = self.outputs
        for x in operands:  # what the node has made of its operands
            self._origins.setdefault(id(x), (x, frozenset(self._touched)))
        names = [x.name for x in graph.input]
        results = self._run_graph(graph, dict(zip(names, operands, strict=True)))
        self.outputs = outputs
        return results

    def known(self, x: Any) -> Any:
        """``x``, with the note that it depends on no input."""
        self._origins[id(x)] = x, frozenset()
        return x

    def host(self, x: Any) -> Any:
        """The values of a tensor, as a NumPy array. The inputs that it depends on become static."""
        _, names = self._origins.get(id(x), (None, self._touched))
        self.static |= names
        return x.numpy()

    def _run_graph(self, graph: GraphProto, inputs: Mapping[str, Any]) -> Values:
        around = self._scope
        constants = {x.name: pt.asarray(numpy_helper.to_array(x)) for x in graph.initializer}
        self._scope = {**around, **constants, **inputs, "": None}
        for proto in graph.node:
            self._run_node(proto)
        results = [self._scope[x.name] for x in graph.output]
        self._scope = around
        return results

    def _run_node(self, proto: NodeProto) -> None:
        entry = OPS[proto.op_type]
        around, self._touched = self._touched, set()
        operands = [self._scope[name] for name in proto.input]
        for position, x in enumerate(operands):
            names = self._origins.get(id(x), (None, frozenset()))[1] if x is not None else frozenset()
            self._touched |= names
            if position in entry.host | entry.reads:
                self.static |= names
            if position in entry.host and isinstance(x, pt.Tensor):
                operands[position] = x.numpy()
        arguments = {a.name: attribute(a) for a in proto.attribute}
        self.outputs = len(proto.output)
        # What depends on no argument of a trace is computed now, so that later nodes can read it.
        known = self.arguments and not entry.runs and (entry.by_shape or not self._touched & self.arguments)
        scope = current_scope.set(NO_SCOPE) if known else None
        try:
            results = entry.function(*operands, **arguments, **({"run": self} if entry.runs else {}))
        finally:
            if scope is not None:
                current_scope.reset(scope)
        if not isinstance(results, tuple):
            results = (results,)
        origin = frozenset() if entry.by_shape else frozenset(self._touched)
        for name, value in zip(proto.output, results, strict=False):
            self._scope[name] = value
            self._origins.setdefault(id(value), (value, origin))
        self._touched |= around


def run_eagerly(model: ModelProto, inputs: Mapping[str, Any]) -> tuple[Values, set[str]]:
    """The outputs of a model for tensors, and the names of the inputs that determine shapes."""
    interpreter = Interpreter()
    return interpreter.run(model.graph, inputs), interpreter.static


def run_traced(model: ModelProto, inputs: Mapping[str, Any], static: Iterable[str]) -> Values:
    """The outputs of the graph that polytape makes of a model; ``static`` names the inputs that become constants."""
    fixed = {name: inputs[name] for name in inputs if name in set(static)}
    names = [name for name in inputs if name not in fixed]

    @pt.function
    def traced(arguments: Sequence[Any]) -> Any:
        return Interpreter(names).run(model.graph, {**fixed, **dict(zip(names, arguments, strict=True))})

    results: Values = traced([inputs[name] for name in names])
    return results
