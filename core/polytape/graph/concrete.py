"""One trace of a function, ready to be called; under tapes, the whole call is one record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from ..autodiff.cotangent import expanded
from ..autodiff.gradient_plan import plan_of
from ..autodiff.indexed_slices import IndexedSlices
from ..autodiff.several import Several
from ..autodiff.sparse_gradients import of_rows
from ..autodiff.tape import GradientTape
from ..dtypes import FLOATING
from ..errors import TraceError
from ..locks import renewed_lock
from ..registry.gradient_rule import GradientRule
from ..registry.op import Op
from ..registry.resolution import Resolution
from ..registry.tensor_type import TensorType
from ..tensors.scope import Scope, current_scope
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable
from .calls import Program, Pull, Recorder, Recording
from .execution import Executable, contended
from .interpreting import interpret
from .ir import Graph
from .passes import optimise
from .residuals import Split, Tracing, split
from .row_gradients import RowsPull
from .signature import Structure, check_results
from .stages import dump
from .tracing import Trace, trace

__all__ = ["Concrete"]

Body = Callable[[list[Tensor]], Any]
Named = tuple[str, TensorType, tuple[int, ...]]
# Of a derivative: the watched inputs, the outputs with a gradient, and the watched inputs whose gradients are rows.
Derivation = tuple[int, tuple[int, ...], tuple[int, ...]]


class Concrete:
    """A function traced for one signature.

    Attributes:
        body: the Python function with its static arguments filled in; takes the tensors, returns the results.
        inputs: name, type and shape of each tensor.
        traced: the graph as traced; ``graph``: the graph after the passes.
        structure: the results' structure, with the static values.
        output_positions: which leaves of the structure are outputs of the graph.
        variables: the variables that the graph reads.
        captured: the constants that a tape may follow.
        total: how many inputs it has: its arguments, its state, and what it captures.
        recorder: runs the graph under tapes.
        seeded: for each set of watched inputs the outputs whose gradients the latest backward pass computed.
    """

    def __init__(self, name: str, inputs: Sequence[Named], body: Body, writes: bool) -> None:
        self.name = name
        self.body = body
        self.inputs = tuple(inputs)
        self.structure: Structure
        self.output_positions: list[int]
        traced, self.guards = self.record()
        self.traced: Graph = dump(traced if writes else replace(traced, writes=()))
        self.graph: Graph = optimise(self.traced)
        self.single = self.structure.spec is None and bool(self.output_positions)
        self.executable = Executable(self.graph, self.single)
        self.floating = tuple(
            [position for position, x in enumerate(self.graph.output_types) if x.category >= FLOATING]
        )
        self.variables = [x.holder for x in self.graph.variables if isinstance(x.holder, Variable)]
        self.state_keys = [id(variable) for variable in self.variables] + [
            (source.key, position) for source in self.graph.sources for position in range(len(source.inputs))
        ]
        constants = [x.holder for x in self.traced.constants if x.holder is not None]
        self.captured = [x for x in constants if x.node is not None]
        self.total = len(self.inputs) + len(self.state_keys) + len(self.captured)
        self.recorder = self.new_recorder()
        self.seeded: dict[int, tuple[int, ...]] = {}
        self.splits: dict[tuple[int, tuple[int, ...]], Split | None] = {}
        self.derivatives: dict[Derivation, Concrete] = {}
        self.lock = renewed_lock()

    def record(self) -> tuple[Graph, tuple[Callable[[], bool], ...]]:
        """The graph, and the conditions under which it is valid."""
        return trace(self.name, self.inputs, self.results)

    @cached_property
    def unfused(self) -> Graph:
        """The graph after all passes but fusion: every equation is a call of an op."""
        return optimise(self.traced, fuse=False)

    @cached_property
    def looks_up(self) -> bool:
        """Whether an op takes rows of a variable: only then is any gradient rows."""
        variables = {x.symbol for x in self.traced.variables}
        return any(x.op.name == "take" and x.operands[0] in variables for x in self.traced.equations)

    def results(self, tensors: list[Tensor]) -> list[Tensor]:
        """Run the body, remember its results' structure, and return the results that are outputs of the graph."""
        outputs, self.structure, self.output_positions = flattened(self.name, self.body(tensors))
        return outputs

    def rebuild(self, outputs: Sequence[Tensor]) -> Any:
        """The results' structure, filled with these outputs."""
        leaves = list(self.structure.leaves)
        for position, output in zip(self.output_positions, outputs, strict=True):
            leaves[position] = output
        return self.structure.rebuild(leaves)

    # --- calling --------------------------------------------------------------------------------------------------

    def call(self, tensors: Sequence[Tensor]) -> Any:
        """Run the graph on these arguments, assign the variables, and return the results."""
        try:
            results = self.executable.call(*tensors)
        except Exception as error:
            self.executable.explain(error)
            raise
        return results if self.single else self.rebuild(results)

    def taped(self, tensors: Sequence[Tensor], scope: Scope, statics: Sequence[Any] = ()) -> Any:
        """As `call`, recorded by the open tapes of ``scope`` that follow an input.

        The record keeps ``statics`` alive: static arguments that the trace does not keep alive, but that its gradient
        needs, because it traces the function again.
        """
        outputs = self.recorder.call(tensors, scope, statics)
        return outputs[0] if self.single else self.rebuild(outputs)

    # --- differentiating ------------------------------------------------------------------------------------------

    def new_recorder(self) -> Recorder:
        """What runs this trace under tapes."""
        graph = self.graph
        plain = [
            (x.handle, x.holder.array)
            for x in self.traced.constants
            if x.holder is not None and x.holder.node is None and x.handle is not None
        ]
        return Recorder(
            self.recording,
            Program(self.executable.run, list(range(self.total - len(self.captured))), self.executable.explain),
            self.variables,
            [(source.read, tuple([x.type for x in source.inputs])) for source in graph.sources],
            self.captured,
            plain,
            graph.output_types,
            [variable for variable, _ in graph.writes],
            partial(contended, self.name),
        )

    def recording(self, watched: int, inputs: Sequence[Tensor]) -> Recording:
        """What the records of calls with these watched inputs share."""
        halves = self.halves(watched, self.seeded.get(watched, self.floating))
        operands = tuple([f"x{position}" for position in range(self.total)])
        op = Op(self.name, self.body, operands, operands, self.total)
        op.outputs = Several if len(self.graph.outputs) > 1 else None
        sources = tuple([position for position in range(self.total) if watched >> position & 1])
        rule = GradientRule(self.pull(watched, halves), sources, (), ())
        if halves is not None and self.looks_up:
            again, other = partial(self.again, watched), partial(self.halves, watched)
            rule.rows = RowsPull(halves, sources, self.result_types, again, other)
        op.rules.append(rule)
        types = tuple([x.type for x in inputs])
        resolution = Resolution(None, None, types, self.graph.output_types, (), "kernel")
        program, residuals = (self.recorder.program, 0) if halves is None else (halves.program, halves.residuals)
        return Recording(op, plan_of(op, self.total, watched), resolution, program, residuals)

    def pull(self, watched: int, halves: Split | None) -> Pull:
        """The gradient rule for these watched inputs."""
        outputs, again = self.result_types, partial(self.again, watched, ())
        if halves is None:
            return Pull(None, None, (), [], outputs, (), again)
        types, gradients, seeded = halves.gradient_types, halves.gradients, halves.seeded
        return Pull(halves.pull, halves.unit, types, gradients, outputs, seeded, again)

    @property
    def result_types(self) -> list[tuple[TensorType, tuple[int, ...]]]:
        """Type and shape of each output."""
        graph = self.graph
        return [(kind, symbol.shape) for symbol, kind in zip(graph.outputs, graph.output_types, strict=True)]

    def halves(self, watched: int, seeded: tuple[int, ...]) -> Split | None:
        """The forward and the backward graph for these watched inputs and outputs with a gradient.

        None if the gradient has to run the function again.
        """
        key = (watched, seeded)
        with self.lock:
            if key not in self.splits:
                body = Gradients(self, watched, seeded).joint
                self.splits[key] = split(
                    self.name, self.inputs, self.traced, self.state_keys, self.total, seeded, body,
                    self.tracing(watched, seeded),
                )  # fmt: skip
            return self.splits[key]

    def tracing(self, watched: int, seeded: tuple[int, ...]) -> Tracing | None:
        """How results and gradients are traced together; None for a trace for this signature."""
        return None

    def again(
        self,
        watched: int,
        wanted: tuple[int, ...],
        parts: Sequence[Tensor | None],
        inputs: Sequence[Tensor],
        statics: Sequence[Any],
    ) -> Any:
        """The gradients of the watched inputs by a run of the derivative, which tapes may record.

        Args:
            watched: the inputs that have a gradient.
            wanted: those whose gradient is rows: two results, the rows and their positions.
            parts: for each output its gradient, or None.
            inputs: those of the call.
            statics: what the call kept alive.
        """
        scope = current_scope.get()
        if isinstance(scope.trace, Trace):
            raise TraceError(
                f"the gradient of {self.name} cannot be computed inside another traced function.",
                expected="tape.gradient called where the traced function was called",
                got="tape.gradient called inside a traced function, for a call made outside it",
                fix="open the tape inside the traced function, or call gradient outside it",
            )
        seeded = tuple([position for position, part in enumerate(parts) if part is not None])
        if seeded != self.seeded.get(watched, self.floating):
            # The program needs the gradients of other outputs than the records keep residuals for.
            self.seeded[watched] = seeded
            self.recorder.recordings.pop(watched, None)
        derivative = self.derivative(watched, seeded, wanted)
        seeds = [expanded(part, self.graph.outputs[k].shape) for k, part in enumerate(parts) if part is not None]
        count = len(self.inputs)
        values = dict(zip(self.state_keys, inputs[count:], strict=False))
        state = [values[key] for key in derivative.state_keys if key in values]
        if len(state) < len(derivative.state_keys):
            raise impure(self.name)
        operands = [*inputs[:count], *seeds]
        if scope.trace is not None:  # of polytape.vmap, whose values a compiled graph cannot take
            outputs = interpret(derivative.unfused, [*operands, *state])
        else:
            outputs = derivative.recorder.recorded([*operands, *state], len(operands), scope, statics)
        return derivative.rebuild(outputs)

    def derivative(self, watched: int, seeded: tuple[int, ...], wanted: tuple[int, ...] = ()) -> Concrete:
        """The trace that computes the gradients of the outputs ``seeded`` with respect to the watched inputs, as rows
        for the ``wanted`` ones.

        It takes the same tensors as this trace, followed by the gradient of each of those outputs.
        """
        with self.lock:
            derivative = self.derivatives.get((watched, seeded, wanted))
            if derivative is None:
                outputs = [self.graph.outputs[position] for position in seeded]
                seeds = [
                    (f"g{position}", self.graph.output_types[position], symbol.shape)
                    for position, symbol in zip(seeded, outputs, strict=True)
                ]
                body = partial(Gradients(self, watched, seeded).alone, wanted)
                derivative = self.derived((watched, seeded, wanted), [*self.inputs, *seeds], body)
                self.derivatives[watched, seeded, wanted] = derivative
        return derivative

    def derived(self, key: Derivation, inputs: Sequence[Named], body: Body) -> Concrete:
        """The trace of a derivative; what it assigns again is left out."""
        return Concrete(f"{self.name}_gradient", inputs, body, False)


class Gradients:
    """The bodies of derivatives: they run the function under a tape and compute the gradients of ``seeded`` outputs."""

    def __init__(self, concrete: Concrete, watched: int, seeded: tuple[int, ...]) -> None:
        self.concrete = concrete
        self.watched = watched
        self.seeded = seeded

    def joint(self, tensors: list[Tensor]) -> tuple[list[Tensor], list[Any], list[Any]]:
        """The outputs, the gradients of the watched inputs, and those that may be rows also as rows."""
        sources, outputs, tape = self.recorded(tensors)
        targets, seeds = [outputs[position] for position in self.seeded], tensors[len(self.concrete.inputs) :]
        gradients: list[Any] = tape.gradient(targets, sources, seeds)
        taken = of_rows(tape, targets, sources)
        tables = [x for x in sources if x.node in taken]
        slices = iter(tape.gradient(targets, tables, seeds, sparse=True) if tables else ())
        return outputs, gradients, [pair(next(slices)) if x.node in taken else None for x in sources]

    def alone(self, wanted: tuple[int, ...], tensors: list[Tensor]) -> list[Any]:
        """The gradients of the watched inputs; for each wanted one two results, the rows and their positions."""
        sources, outputs, tape = self.recorded(tensors)
        targets, seeds = [outputs[position] for position in self.seeded], tensors[len(self.concrete.inputs) :]
        positions = [position for position in range(self.concrete.total) if self.watched >> position & 1]
        whole = [x for x, position in zip(sources, positions, strict=True) if position not in wanted]
        tables = [x for x, position in zip(sources, positions, strict=True) if position in wanted]
        gradients = iter(tape.gradient(targets, whole, seeds) if whole else ())
        slices = iter(tape.gradient(targets, tables, seeds, sparse=True) if tables else ())
        results: list[Any] = []
        for position in positions:
            results += pair(next(slices)) or (None, None) if position in wanted else [next(gradients)]
        return results

    def recorded(self, tensors: list[Tensor]) -> tuple[list[Tensor], list[Tensor], GradientTape]:
        """Run the function: the watched inputs, the outputs, and the tape."""
        concrete = self.concrete
        count = len(concrete.inputs)
        values = [None] * (len(concrete.state_keys) - len(concrete.variables))  # no tape follows them
        inputs = [*tensors[:count], *concrete.variables, *values, *concrete.captured]
        sources = [x for position, x in enumerate(inputs) if x is not None and self.watched >> position & 1]
        with GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch_arguments(sources)
            # New handles: item assignment in the body must not change the sources.
            result = concrete.body([Tensor(x.array, x.type, x.node) for x in tensors[:count]])
        return sources, [leaf for leaf in Structure(result).leaves if is_output(leaf)], tape


def pair(slices: IndexedSlices | None) -> tuple[Tensor, Tensor] | None:
    """The rows of a gradient and their positions."""
    return None if slices is None else (slices.values, slices.indices)


def flattened(name: str, result: Any) -> tuple[list[Tensor], Structure, list[int]]:
    """The outputs among the results of a function that is being traced, the structure without them, their positions."""
    structure = Structure(result)
    leaves = structure.leaves
    check_results(name, leaves, current_scope.get().trace.mark)
    positions = [position for position, leaf in enumerate(leaves) if is_output(leaf)]
    outputs = [leaves[position] for position in positions]
    structure.leaves = [None if is_output(leaf) else leaf for leaf in leaves]
    return outputs, structure, positions


def is_output(leaf: Any) -> bool:
    """Whether a result is an output of the graph; a variable is returned as itself."""
    return isinstance(leaf, Tensor) and not isinstance(leaf, Variable)


def impure(name: str) -> TraceError:
    """The error for a body that does not read the same variables each time it runs."""
    return TraceError(
        f"{name} read different variables when it was traced again for its gradient.",
        expected="a function that uses the same variables each time its body runs",
        got="a variable that the first trace did not read",
        fix="make the choice of variables depend on the function's arguments only",
    )
