"""Tracing: running a Python function on symbolic tensors, and writing down the ops it calls."""

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
from .ir import Equation, Graph, Input, Literal, Operand

__all__ = ["Trace", "trace"]

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
Shape = tuple[int, ...]


class Trace:
    """What is being traced: the `trace` of a scope, which ops hand their operands to instead of computing.

    Constants are told apart by the identity of their arrays. A captured tensor that has a node keeps it, so that a
    tape inside the function follows it as it would outside.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.mark = object()  # what its symbols know it by; a reference to the trace itself would be a cycle
        self.arguments: list[Input] = []
        self.variables: dict[int, Input] = {}  # by id(variable): comparing variables computes
        self.values: dict[int, Symbol] = {}  # each variable's value at this point
        self.written: dict[int, Variable] = {}
        self.constants: dict[tuple[int, int], Input] = {}  # by array and node, which the input keeps alive
        self.equations: list[Equation] = []
        self.locks: dict[int, Any] = {}

    def __repr__(self) -> str:
        return f"<trace of {self.name}: {len(self.equations)} equations>"

    def argument(self, name: str, tensor_type: TensorType, shape: Shape) -> Symbol:
        """A new argument's value."""
        symbol = Symbol(self.mark, None, len(self.arguments), shape, tensor_type.dtype)
        self.arguments.append(Input(name, symbol, tensor_type))
        return symbol

    # --- what the ring calls --------------------------------------------------------------------------------------

    def read(self, x: Tensor) -> Tensor:
        """What an operand is here: a variable's or followed tensor's symbol with its node, anything else itself.

        Raises:
            TraceError: a symbolic tensor of another trace.
        """
        if isinstance(x, Variable):
            scope = current_scope.get()
            if scope.tapes:
                active_tapes(x, scope)  # a tape watches a variable when it is used
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
        """Write down one op.

        Args:
            op, entry: the op, and what was resolved for it.
            operands: as the caller gave them; Python numbers become literals.
            tensors: the same as tensors, cast and read.
            attributes: as the caller gave them.
        Returns:
            The values it defines.
        """
        given = normalised(op, attributes)
        shapes = op.output_shapes([None if x is None else x.array for x in tensors], given)
        outputs = tuple(
            Symbol(self.mark, None, index, tuple(shape), tensor_type.dtype)
            for index, (shape, tensor_type) in enumerate(zip(shapes, resolution.result_types, strict=True))
        )
        atoms = tuple(self.operand(x, raw) for x, raw in zip(tensors, operands, strict=True))
        self.equations.append(Equation(op, resolution, atoms, given, outputs, user_line()))
        return list(outputs)

    def write(self, variable: Variable, value: Tensor) -> None:
        """Take ``value`` for the variable's from here on; it is assigned after the run."""
        self.values[id(variable)] = self.symbol(self.read(value))
        self.written[id(variable)] = variable

    def hold(self, lock: Any) -> None:
        """Have each run hold ``lock`` from reading its variables until it has assigned them."""
        self.locks[id(lock)] = lock

    # --- values ---------------------------------------------------------------------------------------------------

    def variable(self, variable: Variable) -> Symbol:
        """A variable's value at this point; reading it makes it an input, also after a write (tapes may follow it)."""
        found = self.variables.get(id(variable))
        if found is None:
            symbol = Symbol(self.mark, None, 0, variable.array.shape, variable.type.dtype)
            found = self.variables[id(variable)] = Input(variable.name, symbol, variable.type, variable)
        return self.values.setdefault(id(variable), found.symbol)

    def constant(self, x: Tensor) -> Symbol:
        """A captured tensor's value."""
        key = (id(x.array), id(x.node))  # a tensor and its copy may share an array, and tapes tell them apart
        found = self.constants.get(key)
        if found is None:
            symbol = Symbol(self.mark, None, 0, tuple(x.array.shape), x.type.dtype)
            found = self.constants[key] = Input("", symbol, x.type, Tensor(x.array, x.type, x.node), x)
        return found.symbol

    def symbol(self, x: Tensor) -> Symbol:
        """The value of a tensor that has been read."""
        return x.array if isinstance(x.array, Symbol) else self.constant(x)

    def operand(self, x: Tensor | None, raw: Any) -> Operand:
        """An equation's operand."""
        if x is None or isinstance(x.array, Symbol):
            return None if x is None else x.array
        if isinstance(raw, (bool, int, float, complex)):
            return Literal(raw.item() if isinstance(raw, np.generic) else raw, x.type)
        if not x.array.shape:
            # Gradient rules make their ones and zeros of the type's cached numbers.
            for cache in (x.type.floats, x.type.ints):
                for value, array in list(cache.items()):
                    if array is x.array and isinstance(value, (bool, int, float)):
                        return Literal(value, x.type)
            for value, array in ((0.0, x.type.zero), (1.0, x.type.one)):
                if array is x.array:
                    return Literal(value, x.type)
        return self.constant(x)

    def graph(self, outputs: Sequence[Tensor]) -> Graph:
        """The graph, once the function has returned ``outputs``."""
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
            tuple(self.locks.values()),
        )


def trace(
    name: str, inputs: Sequence[tuple[str, TensorType, Shape]], body: Callable[[list[Tensor]], Sequence[Tensor]]
) -> Graph:
    """The graph of ``body``, run on one symbolic tensor per input.

    The tapes that are open outside see nothing of it. Whatever the body raises passes through; no variable has been
    assigned then, and the scope is as before.

    Args:
        name: the graph's name.
        inputs: per argument its name, type and shape.
        body: from symbolic tensors to the results.
    """
    made = Trace(name)
    symbols = [(made.argument(label, tensor_type, shape), tensor_type) for label, tensor_type, shape in inputs]
    token = current_scope.set(Scope((), made))
    try:
        arguments = [symbolic(symbol, tensor_type) for symbol, tensor_type in symbols]
        return made.graph(body(arguments))
    finally:
        current_scope.reset(token)


def symbolic(symbol: Symbol, tensor_type: TensorType) -> Tensor:
    """A tensor on a symbol."""
    return wrap(symbol, tensor_type, None)


def normalised(op: Op, attributes: dict[str, Any]) -> dict[str, Any]:
    """Attributes as hashable values, in the signature's order, without those at their default."""
    found: dict[str, Any] = {}
    for name in op.attributes:
        if name not in attributes:
            continue
        value = hashable(attributes[name])
        if name == "dtype" and value is not None:
            value = dtypes.lookup(value)
        if name not in op.defaults or type(value) is not type(op.defaults[name]) or value != op.defaults[name]:
            found[name] = value
    return found


def hashable(value: Any) -> Any:
    """An attribute's value with tuples for lists."""
    if type(value) in (list, tuple):
        return tuple(hashable(one) for one in value)
    return value  # an index's key among them, which prints as it was written


def user_line() -> tuple[str, int]:
    """File and line of the nearest frame outside polytape."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
