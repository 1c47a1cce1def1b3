"""One trace of a function, ready to be called; under tapes, the whole call is one record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..autodiff.cotangent import expanded
from ..autodiff.gradient_plan import plan_of
from ..autodiff.record import follow, record_several
from ..autodiff.several import Several
from ..autodiff.tape import GradientTape
from ..dtypes import FLOATING
from ..errors import TraceError
from ..locks import renewed_lock
from ..registry.gradient_rule import G, GradientRule
from ..registry.op import Op
from ..registry.resolution import Resolution
from ..registry.tensor_type import TensorType
from ..state.update import replace_all
from ..tensors.in_place import settled
from ..tensors.scope import Scope, current_scope
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable
from .execution import ATTEMPTS, Executable, contended
from .interpreting import interpret
from .ir import Graph
from .passes import optimise
from .signature import Structure, check_results
from .tracing import Trace, trace

__all__ = ["Concrete"]

Body = Callable[[list[Tensor]], Any]
STATICS = "statics"  # the attribute of a record that keeps static arguments alive


class Concrete:
    """A function traced for one signature.

    Attributes:
        body: the Python function with its static arguments filled in; takes the tensors, returns the results.
        inputs: name, type and shape of each tensor.
        traced: the graph as traced; ``graph``: the graph after the passes.
        structure: the results' structure, with the static values.
        output_positions: which leaves of the structure are outputs of the graph.
        variables: the variables that the graph reads.
        captured: the constants that a tape may follow; ``plain``: the other constants that come from a user's tensor.
    """

    def __init__(
        self, name: str, inputs: Sequence[tuple[str, TensorType, tuple[int, ...]]], body: Body, writes: bool
    ) -> None:
        self.name = name
        self.body = body
        self.inputs = tuple(inputs)
        self.structure: Structure
        self.output_positions: list[int]
        traced, self.guards = trace(name, inputs, self.results)
        self.traced: Graph = traced if writes else replace(traced, writes=())
        self.graph: Graph = optimise(self.traced)
        self.single = self.structure.spec is None and bool(self.output_positions)
        self.executable = Executable(self.graph, self.single)
        self.variables = [x.holder for x in self.graph.variables if isinstance(x.holder, Variable)]
        self.state_keys = [id(variable) for variable in self.variables] + [
            (source.key, position) for source in self.graph.sources for position in range(len(source.inputs))
        ]
        constants = [x.holder for x in self.traced.constants if x.holder is not None]
        self.captured = [x for x in constants if x.node is not None]
        self.plain = [x for x in self.traced.constants if x.holder is not None and x.holder.node is None]
        self.differentiable = any(tensor_type.category >= FLOATING for tensor_type in self.graph.output_types)
        self.records: dict[int, Record] = {}
        self.derivatives: dict[tuple[int, tuple[int, ...]], Concrete] = {}
        self.lock = renewed_lock()

    def results(self, tensors: list[Tensor]) -> list[Tensor]:
        """Run the body, remember its results' structure, and return the results that are outputs of the graph."""
        self.structure = Structure(self.body(tensors))
        leaves = self.structure.leaves
        check_results(self.name, leaves, current_scope.get().trace.mark)
        self.output_positions = [position for position, leaf in enumerate(leaves) if is_output(leaf)]
        outputs = [leaves[position] for position in self.output_positions]
        self.structure.leaves = [None if is_output(leaf) else leaf for leaf in leaves]
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
        values = [
            Tensor(array, x.type, None)
            for source in self.graph.sources
            for x, array in zip(source.inputs, source.read(), strict=True)
        ]
        return self.rebuild(self.recorded(tensors, [*self.variables, *values], scope, statics))

    def recorded(
        self, tensors: Sequence[Tensor], state: Sequence[Tensor], scope: Scope, statics: Sequence[Any] = ()
    ) -> list[Tensor]:
        """The outputs, recorded.

        Args:
            tensors: the arguments.
            state: the graph's variables and the values of its sources, or both from an earlier run.
            scope: has the tapes.
            statics: kept alive by the record.
        """
        inputs = (*tensors, *state, *self.captured)
        arrays, results = self.run_and_assign(inputs)
        count = len(self.output_positions)
        tapes, watched = follow(inputs, scope) if scope.tapes else ((), 0)
        tensor_types = self.graph.output_types
        if not watched or not self.differentiable:
            return [
                Tensor(array, tensor_type, None)
                for array, tensor_type in zip(results[:count], tensor_types, strict=True)
            ]
        record = self.records.get(watched)
        if record is None:
            record = self.records[watched] = Record(self, watched, inputs)
        nodes = tuple([x.node if watched >> position & 1 else None for position, x in enumerate(inputs)])
        outputs = list(results[:count])
        kept = {STATICS: statics}
        return record_several(record.op, record.resolution, record.plan, tapes, nodes, arrays, kept, outputs)

    def run_and_assign(self, inputs: Sequence[Tensor]) -> tuple[tuple[Any, ...], Any]:
        """Run the graph and assign the variables; return the inputs' arrays before the run and the graph's results."""
        graph = self.graph
        last = len(inputs) - len(self.captured)
        first = len(self.inputs)
        written = [variable for variable, _ in graph.writes]
        for _ in ATTEMPTS:
            arrays = tuple([settled(x) for x in inputs])
            results = self.run(arrays[:last])
            known = dict(zip(map(id, self.variables), arrays[first:], strict=False))
            before = [known.get(id(variable)) for variable in written]
            if replace_all(written, before, results[len(self.output_positions) :]):
                return arrays, results
        raise contended(self.name)

    def run(self, arrays: Sequence[Any]) -> Any:
        """The graph's results on native arrays."""
        try:
            return self.executable.run(*arrays)
        except Exception as error:
            self.executable.explain(error)
            raise

    # --- differentiating ------------------------------------------------------------------------------------------

    def derivative(self, watched: int, seeded: tuple[int, ...]) -> Concrete:
        """The trace that computes the gradients of the outputs ``seeded`` with respect to the watched inputs.

        It takes the same tensors as this trace, followed by the gradient of each of those outputs.
        """
        with self.lock:
            derivative = self.derivatives.get((watched, seeded))
            if derivative is None:
                outputs = [self.graph.outputs[position] for position in seeded]
                seeds = [
                    (f"g{position}", self.graph.output_types[position], symbol.shape)
                    for position, symbol in zip(seeded, outputs, strict=True)
                ]
                body = Gradients(self, watched, seeded)
                derivative = Concrete(f"{self.name}_gradient", [*self.inputs, *seeds], body, False)
                self.derivatives[watched, seeded] = derivative
        return derivative


class Record:
    """The parts that all records of one trace and one set of watched inputs share.

    Attributes:
        op: an op whose only gradient rule runs another trace.
        plan: what a record keeps: every input, because the rule computes the results again.
    """

    __slots__ = ("op", "plan", "resolution")

    def __init__(self, concrete: Concrete, watched: int, inputs: Sequence[Tensor]) -> None:
        count = len(inputs)
        operands = tuple([f"x{position}" for position in range(count)])
        self.op = Op(concrete.name, concrete.body, operands, operands, count)
        self.op.outputs = Several
        sources = tuple([position for position in range(count) if watched >> position & 1])
        self.op.rules.append(GradientRule(Backward(concrete, watched), sources, (G, *range(count)), (STATICS,)))
        self.plan = plan_of(self.op, count, watched)
        self.resolution = Resolution(
            None, None, tuple([x.type for x in inputs]), concrete.graph.output_types, (), "kernel"
        )


class Gradients:
    """The body of a derivative: run the function's body under a tape and compute the gradients."""

    def __init__(self, concrete: Concrete, watched: int, seeded: tuple[int, ...]) -> None:
        self.concrete = concrete
        self.watched = watched
        self.seeded = seeded

    def __call__(self, tensors: list[Tensor]) -> list[Any]:
        concrete = self.concrete
        count = len(concrete.inputs)
        values = [None] * (len(concrete.state_keys) - len(concrete.variables))  # no tape follows them
        inputs = [*tensors[:count], *concrete.variables, *values, *concrete.captured]
        sources = [x for position, x in enumerate(inputs) if x is not None and self.watched >> position & 1]
        with GradientTape(watch_accessed_variables=False) as tape:
            tape.watch_arguments(sources)
            # New handles: item assignment in the body must not change the sources.
            result = concrete.body([Tensor(x.array, x.type, x.node) for x in tensors[:count]])
        outputs = [leaf for leaf in Structure(result).leaves if is_output(leaf)]
        targets = [outputs[position] for position in self.seeded]
        gradients: list[Any] = tape.gradient(targets, sources, tensors[count:])
        return gradients


class Backward:
    """The gradient rule of a record: calls the derivative on the inputs that the record keeps."""

    def __init__(self, concrete: Concrete, watched: int) -> None:
        self.concrete = concrete
        self.watched = watched

    def __call__(self, g: Any, *inputs: Tensor, statics: Sequence[Any]) -> Any:
        concrete = self.concrete
        scope = current_scope.get()
        if isinstance(scope.trace, Trace):
            raise TraceError(
                f"the gradient of {concrete.name} cannot be computed inside another traced function.",
                expected="tape.gradient called where the traced function was called",
                got="tape.gradient called inside a traced function, for a call made outside it",
                fix="open the tape inside the traced function, or call gradient outside it",
            )
        seeded = tuple([position for position, part in enumerate(g.parts) if part is not None])
        derivative = concrete.derivative(self.watched, seeded)
        seeds = [expanded(g.parts[position], concrete.graph.outputs[position].shape) for position in seeded]
        count = len(concrete.inputs)
        values = dict(zip(concrete.state_keys, inputs[count:], strict=False))
        state = [values[key] for key in derivative.state_keys if key in values]
        if len(state) < len(derivative.state_keys):
            raise impure(concrete.name)
        if scope.trace is not None:  # of polytape.vmap, whose values a compiled graph cannot take
            outputs = interpret(derivative.graph, [*inputs[:count], *seeds, *state])
        else:
            outputs = derivative.recorded([*inputs[:count], *seeds], state, scope, statics)
        gradients = derivative.rebuild(outputs)
        return gradients if len(gradients) > 1 else gradients[0]


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
