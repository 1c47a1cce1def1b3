"""Runs the nodes of an ONNX graph as ops of polytape: at once, or as part of the function that is being traced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polytape as pt

from ....control.gradients import is_traced
from ....errors import CheckpointError, PolytapeError
from ....tensors.scope import NO_SCOPE, current_scope
from ....tensors.symbol import Symbol
from .contents import Contents, attribute, describe, subgraphs
from .registry import Entry, Values

__all__ = ["Interpreter", "Needed"]


class Needed(Exception):
    """A node needs the values of arguments whose values are not known while tracing.

    Attributes:
        names: of inputs of the model.
        node: a description of the node.
    """

    def __init__(self, names: frozenset[str], node: str) -> None:
        super().__init__(f"{node} needs values of {', '.join(sorted(names)) or 'a value inside a region'}")
        self.names = names
        self.node = node


class Interpreter:
    """Runs graphs of one model; see `registry.Run` for what its nodes may ask.

    Values are tensors, lists of tensors (ONNX's sequences) and None (an absent optional). What a node computes from
    values that are known while a function is traced is computed at once, so that later nodes can read it.
    """

    def __init__(self, contents: Contents, constants: Mapping[str, Any]) -> None:
        self.contents = contents
        self.opset = contents.opset
        self.outputs = 0
        self._current: Any = None
        self._scope: dict[str, Any] = {**constants, "": None}

    def run(self, inputs: Mapping[str, Any]) -> Values:
        """The outputs of the model's graph."""
        self._scope.update(inputs)
        return self._run_nodes(self.contents.graph)

    def __call__(self, graph: Any, operands: Values) -> Values:
        """The outputs of a subgraph of the current node, whose nodes see the names around it."""
        outputs, current, around = self.outputs, self._current, self._scope
        names = [x.name for x in graph.input]
        constants = self.contents.constants_of(graph)
        self._scope = {**around, **constants, **dict(zip(names, operands, strict=True))}
        try:
            return self._run_nodes(graph)
        finally:
            self.outputs, self._current, self._scope = outputs, current, around

    def host(self, x: Any) -> Any:
        """The values of a tensor, as a NumPy array.

        Raises:
            Needed: it depends on an argument of the trace that is open.
        """
        if known(x) or not is_traced():
            return x.numpy()
        operands = self._current.input
        names = [name for name in operands if self._scope[name] is x] or operands  # what a subgraph gave depends on all
        raise Needed(self.contents.sources(names, self._is_known), describe(self._current))

    def constant_output(self, graph: Any, position: int) -> bool | None:
        """See `registry.Run`."""
        name = self.contents.origin(graph, graph.output[position].name)
        if name == graph.input[position + 1].name:
            return True
        value = self.contents.constant(graph, name, self._scope)
        return bool(value) if isinstance(value, pt.Tensor) and known(value) else None

    def _is_known(self, name: str) -> bool:
        return name in self._scope and known(self._scope[name])

    def _run_nodes(self, graph: Any) -> Values:
        for proto in graph.node:
            try:
                self._run_node(proto)
            except Needed:
                raise
            except PolytapeError as error:
                raise noted(error, f"in {describe(proto)}, opset {self.opset}") from error.__cause__
            except Exception as error:  # whatever a node's attributes and operands cause
                raise self._failed(proto, error) from error
        return [self._scope[x.name] for x in graph.output]

    def _failed(self, proto: Any, error: Exception) -> CheckpointError:
        return CheckpointError(
            f"{describe(proto)} of {self.contents.path} cannot be computed.",
            expected=f"operands and attributes that ONNX's {proto.op_type} of opset {self.opset} has",
            got=f"{type(error).__name__}: {error}",
            fix="check the model with onnx.checker.check_model(path, full_check=True), and the shapes of its inputs",
        )

    def _run_node(self, proto: Any) -> None:
        self._current = proto
        entry: Entry = self.contents.entry(proto)
        operands = [self._scope[name] for name in proto.input]
        for position in entry.host | entry.reads:
            if position < len(operands) and isinstance(operands[position], pt.Tensor):
                values = self.host(operands[position])
                operands[position] = values if position in entry.host else operands[position]
        arguments = {a.name: attribute(a) for a in proto.attribute}
        self.outputs = len(proto.output)
        fixed = entry.by_shape or (all(map(known, operands)) and not subgraphs(proto))
        at_once = fixed and is_traced()
        scope = current_scope.set(NO_SCOPE) if at_once else None
        try:
            results = entry.function(*operands, **arguments, **({"run": self} if entry.runs else {}))
        finally:
            if scope is not None:
                current_scope.reset(scope)
        results = results if isinstance(results, tuple) else (results,)
        for name, value in zip(proto.output, results, strict=False):
            self._scope[name] = value
        self._scope[""] = None


def known(x: Any) -> bool:
    """Whether a value is the same at every call of the function that is being traced."""
    if isinstance(x, list):
        return all(map(known, x))
    if not isinstance(x, pt.Tensor):
        return True
    # A tape inside the function may follow a tensor that has a node.
    return not isinstance(x, pt.Variable) and x.node is None and not isinstance(x.array, Symbol)


def noted(error: PolytapeError, text: str) -> PolytapeError:
    """The error with a line about the node, unless an inner node has added one."""
    if not hasattr(error, "__notes__"):
        error.add_note(text)
    return error
