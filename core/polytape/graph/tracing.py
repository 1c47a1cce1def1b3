"""Tracing: running a Python function on symbolic tensors and recording the ops it calls as a graph."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..autodiff.record import active_tapes, wrap
from ..dispatch.rejections import leaked_symbol
from ..registry.op import Op
from ..registry.resolution import Resolution
from ..registry.tensor_type import TensorType
from ..tensors.scope import Scope, current_scope
from ..tensors.tensor import Symbol, Tensor
from ..tensors.variable import Variable
from .ir import Equation, Graph, Input, Literal, Operand, Source

__all__ = ["Trace", "trace"]

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
Shape = tuple[int, ...]


class Trace:
    """The graph under construction: the `trace` of a scope, to which ops pass their operands instead of computing.

    Two captured tensors are the same constant if they share their array and node. A captured tensor that has a node
    keeps it, so that a tape inside the function follows it as it would outside.
    """

    what = "a traced function"

    def __init__(self, name: str) -> None:
        self.name = name
        self.mark = object()  # identifies the trace in its symbols; a reference to the trace itself would be a cycle
        self.arguments: list[Input] = []
        self.variables: dict[int, Input] = {}  # by id(variable), since comparing variables computes
        self.values: dict[int, Symbol] = {}  # each variable's value at this point of the trace
        self.written: dict[int, Variable] = {}
        self.constants: dict[tuple[int, int], Input] = {}  # by the ids of array and node, which the input keeps alive
        self.equations: list[Equation] = []
        self.sources: dict[tuple[int, int], Source] = {}
        self.draws: dict[int, Any] = {}  # by id(generator); used by polytape.random
        self.guards: list[Callable[[], bool]] = []

    def __repr__(self) -> str:
        return f"<trace of {self.name}: {len(self.equations)} equations>"

    def argument(self, name: str, tensor_type: TensorType, shape: Shape) -> Symbol:
        """Add an argument; return its symbol."""
        symbol = Symbol(self.mark, None, len(self.arguments), shape, tensor_type.dtype)
        self.arguments.append(Input(name, symbol, tensor_type))
        return symbol

    # --- called by the ring ---------------------------------------------------------------------------------------

    def read(self, x: Tensor) -> Tensor:
        """The operand to record: symbolic for a variable or a tensor with a node, otherwise ``x`` itself.

        Raises:
            TraceError: ``x`` is a symbolic tensor of another trace.
        """
        if isinstance(x, Variable):
            scope = current_scope.get()
            if scope.tapes:
                active_tapes(x, scope)  # for its effect: a tape starts to watch a variable when it is used
            return Tensor(self.variable(x), x.type, x.node)
        if isinstance(x.array, Symbol):
            if x.array.trace is not self.mark:
                raise leaked_symbol(self.name, [x])
            return x
        return x if x.node is None else Tensor(self.constant(x), x.type, x.node)

    def emit(
        self,
        op: Op,
        resolution: Resolution,
        operands: Sequence[Any],
        tensors: Sequence[Tensor | None],
        attributes: dict[str, Any],
    ) -> list[Symbol]:
        """Record one op.

        Args:
            op, resolution: the op, and the kernel resolved for it.
            operands: as the caller passed them; Python numbers become literals.
            tensors: the operands as tensors, cast and passed through `read`.
            attributes: as the caller passed them.
        Returns:
            The symbols of its outputs.
        """
        attributes = normalised(op, attributes)
        shapes = self.shapes(op, [None if x is None else x.array for x in tensors], attributes)
        outputs = tuple(
            Symbol(self.mark, None, index, tuple(shape), tensor_type.dtype)
            for index, (shape, tensor_type) in enumerate(zip(shapes, resolution.result_types, strict=True))
        )
        recorded = tuple(self.operand(x, raw) for x, raw in zip(tensors, operands, strict=True))
        self.equations.append(Equation(op, resolution, recorded, attributes, outputs, user_line()))
        return list(outputs)

    def shapes(self, op: Op, arrays: Sequence[Any], attributes: dict[str, Any]) -> list[Shape]:
        """The outputs' shapes, by the op's rule."""
        return op.output_shapes(arrays, attributes)

    def write(self, variable: Variable, value: Tensor) -> None:
        """Use ``value`` as the variable's value from here on; the variable is assigned after the run."""
        self.values[id(variable)] = self.symbol(self.read(value))
        self.written[id(variable)] = variable

    def source(self, owner: Any, read: Callable[[], Sequence[Any]]) -> Source:
        """Add a source, which is read at the start of each run; its values are added by `Source.tensor`.

        Args:
            owner: the object that the values belong to; the graph keeps it alive.
            read: ``() -> native arrays``, one for each value.
        """
        ordinal = 0
        while (id(owner), ordinal) in self.sources:
            ordinal += 1
        source = self.sources[id(owner), ordinal] = Source(owner, (id(owner), ordinal), read, self.mark, [])
        return source

    def guard(self, condition: Callable[[], bool]) -> None:
        """Trace the function again once ``condition()`` is false at the start of a call."""
        self.guards.append(condition)

    def reads(self, variable: Variable) -> bool:
        """Whether the function has read this variable so far."""
        return id(variable) in self.variables

    def assigns(self, variable: Variable) -> bool:
        """Whether the function has assigned this variable so far."""
        return id(variable) in self.written

    def supersede(self, variable: Variable, value: Tensor) -> None:
        """Let later reads in this trace give ``value``, which a source has put into the variable already."""
        self.values[id(variable)] = self.symbol(value)

    # --- values ---------------------------------------------------------------------------------------------------

    def variable(self, variable: Variable) -> Symbol:
        """A variable's symbol at this point. Reading makes it an input, even after a write: tapes may follow it."""
        graph_input = self.variables.get(id(variable))
        if graph_input is None:
            symbol = Symbol(self.mark, None, 0, variable.array.shape, variable.type.dtype)
            graph_input = self.variables[id(variable)] = Input(variable.name, symbol, variable.type, variable)
        return self.values.setdefault(id(variable), graph_input.symbol)

    def constant(self, x: Tensor) -> Symbol:
        """A captured tensor's symbol."""
        key = (id(x.array), id(x.node))  # a tensor and its copy may share an array, but tapes distinguish them
        graph_input = self.constants.get(key)
        if graph_input is None:
            symbol = Symbol(self.mark, None, 0, tuple(x.array.shape), x.type.dtype)
            graph_input = self.constants[key] = Input("", symbol, x.type, Tensor(x.array, x.type, x.node), x)
        return graph_input.symbol

    def symbol(self, x: Tensor) -> Symbol:
        """The symbol of a tensor that has passed through `read`."""
        return x.array if isinstance(x.array, Symbol) else self.constant(x)

    def operand(self, x: Tensor | None, raw: Any) -> Operand:
        """The operand ``x`` of an equation; ``raw`` is what the caller passed."""
        if x is None or isinstance(x.array, Symbol):
            return None if x is None else x.array
        if isinstance(raw, (bool, int, float, complex)):
            return Literal(raw.item() if isinstance(raw, np.generic) else raw, x.type)
        if not x.array.shape:
            # Gradient rules take ones and zeros from the tensor type's cached scalars: these become literals too.
            for cache in (x.type.floats, x.type.ints):
                for value, array in list(cache.items()):
                    if array is x.array and isinstance(value, (bool, int, float)):
                        return Literal(value, x.type)
            for value, array in ((0.0, x.type.zero), (1.0, x.type.one)):
                if array is x.array:
                    return Literal(value, x.type)
        return self.constant(x)

    def graph(self, outputs: Sequence[Tensor]) -> Graph:
        """The finished graph, whose results are ``outputs``."""
        results = tuple(self.symbol(self.read(x)) for x in outputs)
        writes = tuple((variable, self.values[key]) for key, variable in self.written.items())
        return Graph(
            self.name,
            tuple(self.arguments),
            tuple(self.variables.values()),
            tuple(self.constants.values()),
            tuple(self.equations),
            results,
            tuple(x.type for x in outputs),
            writes,
            tuple(self.sources.values()),
        )


def trace(
    name: str,
    inputs: Sequence[tuple[str, TensorType, Shape]],
    body: Callable[[list[Tensor]], Sequence[Tensor]],
    tracer: Trace | None = None,
) -> tuple[Graph, tuple[Callable[[], bool], ...]]:
    """Run ``body`` on one symbolic tensor per input; return its graph and the conditions under which it is valid.

    Tapes that are open outside do not record the run. If the body raises, the exception propagates, no variable has
    been assigned, and the scope is restored.

    Args:
        name: the graph's name.
        inputs: name, type and shape of each argument.
        body: takes the symbolic tensors, returns the results.
        tracer: an empty trace, to use in place of a plain one.
    """
    tracer = Trace(name) if tracer is None else tracer
    symbols = [(tracer.argument(label, tensor_type, shape), tensor_type) for label, tensor_type, shape in inputs]
    scope = current_scope.get()
    try:
        current_scope.set(Scope((), tracer))  # inside the try block: Ctrl-C may arrive as soon as it is set
        arguments = [symbolic(symbol, tensor_type) for symbol, tensor_type in symbols]
        return tracer.graph(body(arguments)), tuple(tracer.guards)
    finally:
        current_scope.set(scope)


def symbolic(symbol: Symbol, tensor_type: TensorType) -> Tensor:
    """A tensor that holds a symbol."""
    return wrap(symbol, tensor_type, None)


def normalised(op: Op, attributes: dict[str, Any]) -> dict[str, Any]:
    """Attributes as hashable values, in the signature's order, without those equal to their default."""
    result: dict[str, Any] = {}
    for name in op.attributes:
        if name not in attributes:
            continue
        value = hashable(attributes[name])
        if name == "dtype" and value is not None:
            value = dtypes.lookup(value)
        if name not in op.defaults or type(value) is not type(op.defaults[name]) or value != op.defaults[name]:
            result[name] = value
    return result


def hashable(value: Any) -> Any:
    """An attribute's value, with lists replaced by tuples."""
    if type(value) in (list, tuple):  # not isinstance: an index key is a tuple subclass, whose repr graphs print
        return tuple(hashable(x) for x in value)
    return value


def user_line() -> tuple[str, int]:
    """File and line of the nearest frame outside polytape."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
