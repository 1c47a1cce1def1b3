"""Tracing of regions: a branch or a loop's body becomes a graph that captures what it reads from around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from ..autodiff.cotangent import expanded
from ..autodiff.functional import HandRule, custom_gradient
from ..autodiff.record import wrap
from ..autodiff.several import Several
from ..dispatch.rejections import leaked_symbol
from ..dtypes import FLOATING
from ..errors import TraceError
from ..tensors.scope import Scope, current_scope
from ..tensors.symbol import Symbol
from ..tensors.tensor import Tensor, describe
from ..tensors.variable import Variable
from . import wiring as ports
from .interpreting import interpret
from .ir import Graph, Input
from .regions import Regions, Value, emit
from .tracing import Trace
from .wiring import Wiring, connected

__all__ = ["FORMS", "Captures", "Region", "carrying", "closed", "trace_region"]

Captures = dict[tuple[int, int], tuple[Tensor, Input]]  # by the ids of array and node: the tensor around, the input


class Region(Trace):
    """The trace of one region.

    Attributes:
        outer: the trace around it; None if the region is traced only to learn its results' types.
        captures: what the function reads from around it, by the ids of array and node: the tensor outside, and the
            input that stands for it here.
        read_variables: the variables that it reads, by id. initial: their values around the region.
        assigned: for a value that a variable got by an assignment, what reads of the variable give.
    """

    def __init__(self, name: str, outer: Any) -> None:
        super().__init__(name)
        self.outer = outer
        self.what = "a traced function" if outer is None else outer.what
        self.captures: Captures = {}
        self.read_variables: dict[int, Variable] = {}
        self.initial: dict[int, Symbol] = {}
        self.assigned: dict[Symbol, Symbol] = {}

    def read(self, x: Tensor) -> Tensor:
        """The operand to record, as `Trace.read`; a symbol of a trace around this one is captured."""
        array = x.array
        if isinstance(x, Variable) or not isinstance(array, Symbol) or array.trace is self.mark:
            return super().read(x)
        if self.outer is None:
            raise leaked_symbol(self.name, [x])
        return Tensor(self.capture(self.outer.read(x)), x.type, x.node)

    def variable(self, variable: Variable) -> Symbol:
        """The symbol of a variable at this point.

        What it got by an assignment, in this step or one before, has the gradient of any use of the variable: it goes
        to the variable itself, not to the value that was assigned. Eager tapes do the same.
        """
        symbol = self.value(variable)
        if self.outer is None or variable.type.category < FLOATING:
            return symbol
        initial = self.outside(variable)
        if symbol is initial:
            return symbol
        if symbol not in self.assigned:
            operands = [wrap(x, variable.type, None) for x in (initial, symbol)]
            value = (variable.type, symbol.shape)
            scope = current_scope.get()
            try:
                # Read from a region in this one, too; and tapes in here follow the variable's own node.
                current_scope.set(Scope((), self))
                (result,) = emit("assigned", Assigned((), (value, value), (value,)), operands, ())
            finally:
                current_scope.set(scope)
            self.assigned[symbol] = result.array
        return self.assigned[symbol]

    def value(self, variable: Variable) -> Symbol:
        """The symbol of a variable's value, as the region returns it if it assigns the variable."""
        self.read_variables[id(variable)] = variable
        return self.values.setdefault(id(variable), self.outside(variable))

    def outside(self, variable: Variable) -> Symbol:
        """The symbol of the value that a variable has around the region."""
        if id(variable) not in self.initial:
            value = Tensor(variable.array, variable.type, variable.node)
            value = value if self.outer is None else self.outer.read(variable)
            self.initial[id(variable)] = self.capture(value, variable.name)
        return self.initial[id(variable)]

    def constant(self, x: Tensor) -> Symbol:
        """The symbol of a captured tensor."""
        return self.capture(x)

    def capture(self, x: Tensor, name: str = "") -> Symbol:
        """The symbol of a value from around the region."""
        key = (id(x.array), id(x.node))
        if key not in self.captures:
            symbol = Symbol(self.mark, None, len(self.captures), tuple(x.array.shape), x.type.dtype)
            self.captures[key] = x, Input(name, symbol, x.type)
        return self.captures[key][1].symbol

    def write(self, variable: Variable, value: Tensor) -> None:
        """Use ``value`` for the variable from here on; the region returns its last value."""
        self.value(variable)
        super().write(variable, value)

    def reads(self, variable: Variable) -> bool:
        """True: a generator's draws take its state from the variable, so that they go on from one step to the next."""
        return True

    def guard(self, condition: Callable[[], bool]) -> None:
        """Trace the function around again once ``condition()`` is false."""
        if self.outer is not None:
            self.outer.guard(condition)

    def source(self, owner: Any, read: Any) -> Any:
        """Add a source to the trace around, which is read at the start of each run, not at each step."""
        return super().source(owner, read) if self.outer is None else self.outer.source(owner, read)

    def with_gradient(self, attach: Any, inputs: list[Tensor], outputs: list[Tensor], grad: Any) -> list[Tensor]:
        """The outputs of a function with a hand-written gradient, which becomes a region beside them."""
        inputs = [self.read(x) for x in inputs]
        values = [(x.type, tuple(x.array.shape)) for x in outputs]
        rule = HandRule("custom_gradient", grad, [(x.type, x.array.shape) for x in inputs],
                        [x for x, _ in values], [shape for _, shape in values])  # fmt: skip
        connected: list[int] = []

        def body(seeds: list[Tensor]) -> list[Tensor]:
            returned = rule(Several(*seeds))
            gradients = list(returned) if isinstance(returned, tuple) else [returned]
            connected[:] = [k for k, x in enumerate(gradients) if x is not None]
            return [expanded(gradients[k], inputs[k].array.shape) for k in connected]

        region, gradients = trace_region("gradient", [(f"g{k}", value) for k, value in enumerate(values)], body)
        if region.written:
            variable = next(iter(region.written.values()))
            raise TraceError(
                f"a custom_gradient assigns {variable.name or describe(variable)} inside a loop or branch.",
                expected="a gradient function that computes and assigns nothing, in a traced loop or branch",
                got="an assignment, or a random draw, which assigns the generator's state",
                fix="assign or draw in the function itself, and use the result in its gradient",
            )
        (graph,), captures = closed([(region, gradients)])
        operands = [self.read(x) for x in (*inputs, *captures, *outputs)]
        regions = Attached(
            (graph,), tuple((x.type, tuple(x.array.shape)) for x in operands), tuple(values),
            attach, len(inputs), tuple(connected),
        )  # fmt: skip
        return emit("custom_gradient", regions, operands, list(region.read_variables.values()))


def trace_region(
    name: str,
    values: Sequence[tuple[str, Value]],
    body: Callable[[list[Tensor]], Sequence[Tensor]],
    carried: Sequence[Variable] = (),
) -> tuple[Region, list[Tensor]]:
    """Run a function on symbolic tensors, inside the trace that is open; returns the region and the results.

    Args:
        name: of the region.
        values: name, type and shape of each argument.
        body: takes the arguments, returns the results.
        carried: variables whose values at the start are arguments too, after the others.
    """
    scope = current_scope.get()
    region = Region(name, scope.trace)
    try:
        current_scope.set(Scope((), region))  # inside the try block: Ctrl-C may arrive as soon as it is set
        handles = [wrap(region.argument(label, *value), value[0], None) for label, value in values]
        for variable in carried:
            shape = tuple(variable.array.shape)
            region.values[id(variable)] = region.argument(variable.name, variable.type, shape)
            region.read_variables[id(variable)] = variable
        return region, list(body(handles))
    finally:
        current_scope.set(scope)


def carrying(traced: Callable[[Sequence[Variable]], Any]) -> tuple[Any, list[Variable]]:
    """Trace a loop's body until every variable that it assigns is an argument, whose value comes from the step before.

    Args:
        traced: ``(variables) -> (..., region, results)``, with these variables carried.
    Returns:
        What ``traced`` returned last, and the variables.
    """
    carried: list[Variable] = []
    while True:
        found = traced(carried)
        more = [x for x in found[-2].written.values() if all([x is not known for known in carried])]
        if not more:
            return found, carried
        carried = [*carried, *more]


def closed(traced: Sequence[tuple[Region, Sequence[Tensor]]]) -> tuple[list[Graph], list[Tensor]]:
    """Graphs of the regions of one equation, and what they capture.

    Returns:
        Each graph takes its region's arguments, then what all regions capture, of which it may use a part.
    """
    graphs = [region.graph(results) for region, results in traced]  # it may capture more: a result from around
    captures: Captures = {}
    for region, _ in traced:
        captures.update({key: pair for key, pair in region.captures.items() if key not in captures})
    complete = []
    for graph, (region, _) in zip(graphs, traced, strict=True):
        inputs = [
            region.captures[key][1] if key in region.captures else _unused(given)
            for key, (_, given) in captures.items()
        ]
        complete.append(replace(graph, arguments=(*graph.arguments, *inputs), writes=()))
    return complete, [x for x, _ in captures.values()]


def _unused(given: Input) -> Input:
    symbol = given.symbol
    return Input(given.name, Symbol(None, None, 0, symbol.shape, symbol.dtype), given.type)


_reading = custom_gradient(lambda initial, value: (value, lambda g: (g, None)))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Assigned(Regions):
    """A use of a variable that has been assigned, without regions: the operands are the value before and after."""

    @classmethod
    def wiring(cls, data: dict[str, Any], operands: int, results: int) -> Wiring | None:
        """Both operands and the result have one type."""
        if (operands, results) != (2, 1):
            return None
        return Wiring((), connected(ports.operands(0, 1), ports.operands(1, 1), ports.results(0, 1)))

    def run(self, *arrays: Any) -> Sequence[Any]:
        """The value after the assignment."""
        return arrays[1:]

    def replay(self, operands: Sequence[Tensor]) -> list[Tensor]:
        """The value after the assignment, with the gradient."""
        return [_reading(*operands)]

    def gradients(self, sources: Sequence[int], g: Any, y: Any, operands: Sequence[Tensor]) -> Sequence[Any]:
        """The cotangent for the first operand, nothing for the other."""
        return [expanded(g.parts[0], self.results[0][1]) if k == 0 else None for k in sources]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Attached(Regions):
    """A hand-written gradient: the operands are inputs, what the gradient captures, and outputs; it returns the last.

    Attributes:
        attach: ``(inputs, outputs, grad) -> outputs`` that have this gradient in the scope that is open.
        inputs: how many there are. connected: which of them have a gradient.
    """

    DATA: ClassVar[dict[str, tuple[type, ...]]] = {"inputs": (int,), "connected": (tuple,)}

    attach: Any
    inputs: int
    connected: tuple[int, ...]

    @classmethod
    def wiring(cls, data: dict[str, Any], operands: int, results: int) -> Wiring | None:
        """The region takes the cotangents and what it captures, and gives the gradients of connected inputs."""
        inputs, linked = data["inputs"], data["connected"]
        captured = operands - inputs - results
        if min(inputs, captured) < 0 or any(type(k) is not int for k in linked):
            return None
        if not all(0 <= k < inputs for k in linked) or len(set(linked)) < len(linked):
            return None
        return Wiring(
            ((results + captured, len(linked)),),
            (
                *connected(
                    ports.results(0, results), ports.arguments(0, results), ports.operands(operands - results, results)
                ),
                *connected(ports.arguments(results, captured), ports.operands(inputs, captured)),
                *connected(ports.outputs(0, len(linked)), [ports.Port("operand", k) for k in linked]),
            ),
        )

    @classmethod
    def restored(
        cls, graphs: Sequence[Graph], operands: Sequence[Value], results: Sequence[Value], data: dict[str, Any]
    ) -> Regions:
        """The inverse of `data`."""
        return cls(tuple(graphs), tuple(operands), tuple(results), _attach, data["inputs"], data["connected"])

    def run(self, *arrays: Any) -> Sequence[Any]:
        """The outputs."""
        return arrays[len(arrays) - len(self.results) :]

    def replay(self, operands: Sequence[Tensor]) -> list[Tensor]:
        """The outputs, with the gradient."""
        first, last = self.inputs, len(operands) - len(self.results)
        captured = operands[first:last]
        attached: list[Tensor] = self.attach(
            list(operands[:first]), list(operands[last:]), lambda *seeds: self.of_inputs(seeds, captured)
        )
        return attached

    def of_inputs(self, seeds: Sequence[Tensor], captured: Sequence[Tensor]) -> list[Any]:
        """The gradient of each input; None where there is none."""
        gradients: list[Any] = [None] * self.inputs
        for k, x in zip(self.connected, interpret(self.graphs[0], [*seeds, *captured]), strict=True):
            gradients[k] = x
        return gradients

    def gradients(self, sources: Sequence[int], g: Any, y: Any, operands: Sequence[Tensor]) -> Sequence[Any]:
        """The hand-written gradients; the other operands have none."""
        captured = operands[self.inputs : len(operands) - len(self.results)]
        seeds = [
            expanded(wrap(x.scalar(0.0), x, None) if part is None else part, shape)
            for part, (x, shape) in zip(g.parts, self.results, strict=True)
        ]
        found = self.of_inputs(seeds, captured)
        return [found[k] if k < self.inputs else None for k in sources]


def _attach(inputs: list[Tensor], outputs: list[Tensor], grad: Any) -> list[Tensor]:
    attached: list[Tensor] = custom_gradient(lambda *_: (outputs, grad))(*inputs)
    return attached


# The kinds of equations that traces add by themselves, by the names of their ops.
FORMS: Final[dict[str, type[Regions]]] = {"assigned": Assigned, "custom_gradient": Attached}
