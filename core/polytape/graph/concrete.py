"""One trace of a function, ready to be called: by itself, or under tapes as one record."""

from __future__ import annotations

from _thread import RLock
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..autodiff.cotangent import expanded
from ..autodiff.functional import Several
from ..autodiff.gradient_plan import plan_of
from ..autodiff.record import follow, record_several
from ..autodiff.tape import GradientTape
from ..dtypes import FLOATING
from ..errors import TraceError
from ..registry.gradient_rule import G, GradientRule
from ..registry.op import Op
from ..registry.resolution import Resolution
from ..registry.tensor_type import TensorType
from ..tensors.scope import Scope, current_scope
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable
from .execution import Executable
from .ir import Graph
from .passes import optimise
from .signature import Structure
from .tracing import trace

__all__ = ["Concrete"]

Body = Callable[[list[Tensor]], Any]


class Concrete:
    """A function traced for one signature.

    Attributes:
        body: from tensors to a structure of results: the Python function, its static arguments filled in.
        inputs: name, type and shape of each tensor.
        traced: the graph as traced; ``graph``: after the passes.
        structure: the results' structure, static values in their places.
        places: which of its leaves are outputs of the graph.
        holders: the variables it reads; ``captured``: the constants that a tape may
            follow; ``plain``: the others.
    """

    def __init__(
        self, name: str, inputs: Sequence[tuple[str, TensorType, tuple[int, ...]]], body: Body, writes: bool
    ) -> None:
        self.name = name
        self.body = body
        self.inputs = tuple(inputs)
        self.structure: Structure
        self.places: list[int]
        traced = trace(name, inputs, self.results)
        self.traced: Graph = traced if writes else replace(traced, writes=(), locks=())
        self.graph: Graph = optimise(self.traced)
        self.single = self.structure.spec is None and bool(self.places)
        self.executable = Executable(self.graph, self.single)
        self.holders = [one.holder for one in self.graph.variables if one.holder is not None]
        constants = [one.holder for one in self.traced.constants if one.holder is not None]
        self.captured = [x for x in constants if x.node is not None]
        self.plain = [one for one in self.traced.constants if one.holder is not None and one.holder.node is None]
        self.differentiable = any(tensor_type.category >= FLOATING for tensor_type in self.graph.output_types)
        self.records: dict[int, Record] = {}
        self.derivatives: dict[tuple[int, tuple[int, ...]], Concrete] = {}
        self.lock = RLock()

    def results(self, tensors: list[Tensor]) -> list[Tensor]:
        """Run the body; the results that are tensors."""
        self.structure = Structure(self.body(tensors))
        leaves = self.structure.leaves
        self.places = [place for place, leaf in enumerate(leaves) if is_output(leaf)]
        outputs = [leaves[place] for place in self.places]
        self.structure.leaves = [None if is_output(leaf) else leaf for leaf in leaves]
        return outputs

    def rebuild(self, outputs: Sequence[Tensor]) -> Any:
        """The results' structure around the outputs."""
        leaves = list(self.structure.leaves)
        for place, output in zip(self.places, outputs, strict=True):
            leaves[place] = output
        return self.structure.rebuild(leaves)

    # --- calling --------------------------------------------------------------------------------------------------

    def call(self, tensors: Sequence[Tensor]) -> Any:
        """Run the graph on these arguments, assign the variables, and give the results."""
        try:
            results = self.executable.call(*tensors)
        except Exception as error:
            self.executable.explain(error)
            raise
        return results if self.single else self.rebuild(results)

    def taped(self, tensors: Sequence[Tensor], scope: Scope) -> Any:
        """As `call`, recorded by the open tapes of ``scope`` that follow an input."""
        return self.rebuild(self.recorded(tensors, self.holders, scope))

    def recorded(self, tensors: Sequence[Tensor], variables: Sequence[Tensor], scope: Scope) -> list[Tensor]:
        """The outputs; ``variables`` are the graph's own, or tensors with the values they had in an earlier run."""
        inputs = (*tensors, *variables, *self.captured)
        arrays, results = self.assigned(inputs)
        count = len(self.places)
        tapes, watched = follow(inputs, scope) if scope.tapes else ((), 0)
        tensor_types = self.graph.output_types
        if not watched or not self.differentiable:
            return [
                Tensor(array, tensor_type, None)
                for array, tensor_type in zip(results[:count], tensor_types, strict=True)
            ]
        found = self.records.get(watched)
        if found is None:
            found = self.records[watched] = Record(self, watched, inputs)
        nodes = tuple([x.node if watched >> place & 1 else None for place, x in enumerate(inputs)])
        return record_several(found.op, found.resolution, found.plan, tapes, nodes, arrays, None, list(results[:count]))

    def assigned(self, inputs: Sequence[Tensor]) -> tuple[tuple[Any, ...], Any]:
        """The inputs' arrays and the graph's results, the variables assigned."""
        graph = self.graph
        last = len(inputs) - len(self.captured)
        with self.executable.locks:
            arrays = tuple([x.array for x in inputs])
            results = self.run(arrays[:last])
            for (variable, _), value in zip(graph.writes, results[len(self.places) :], strict=True):
                variable.array = value
        return arrays, results

    def run(self, arrays: Sequence[Any]) -> Any:
        """The graph's results on native arrays."""
        try:
            return self.executable.run(*arrays)
        except Exception as error:
            self.executable.explain(error)
            raise

    # --- differentiating ------------------------------------------------------------------------------------------

    def derivative(self, watched: int, seeded: tuple[int, ...]) -> Concrete:
        """The trace of the gradients of the outputs ``seeded`` by the followed inputs; it takes the seeds as well."""
        with self.lock:
            found = self.derivatives.get((watched, seeded))
            if found is None:
                outputs = [self.graph.outputs[place] for place in seeded]
                seeds = [
                    (f"g{place}", self.graph.output_types[place], symbol.shape)
                    for place, symbol in zip(seeded, outputs, strict=True)
                ]
                body = Gradients(self, watched, seeded)
                found = Concrete(f"{self.name}_gradient", [*self.inputs, *seeds], body, False)
                self.derivatives[watched, seeded] = found
        return found


class Record:
    """What records of one trace, for one set of followed inputs, have in common.

    Attributes:
        op: an op whose one rule is another trace.
        plan: what a record keeps: every input, for the rule computes the results again.
    """

    __slots__ = ("op", "plan", "resolution")

    def __init__(self, concrete: Concrete, watched: int, inputs: Sequence[Tensor]) -> None:
        count = len(inputs)
        operands = tuple([f"x{place}" for place in range(count)])
        self.op = Op(concrete.name, concrete.body, operands, operands, count)
        self.op.outputs = Several
        sources = tuple([place for place in range(count) if watched >> place & 1])
        self.op.rules.append(GradientRule(Backward(concrete, watched), sources, (G, *range(count)), ()))
        self.plan = plan_of(self.op, count, watched)
        self.resolution = Resolution(
            None, None, tuple([x.type for x in inputs]), concrete.graph.output_types, (), "kernel"
        )


class Gradients:
    """The body of a derivative: run the function's body under a tape, and take the gradients."""

    def __init__(self, concrete: Concrete, watched: int, seeded: tuple[int, ...]) -> None:
        self.concrete = concrete
        self.watched = watched
        self.seeded = seeded

    def __call__(self, tensors: list[Tensor]) -> list[Any]:
        concrete = self.concrete
        count = len(concrete.inputs)
        inputs = [*tensors[:count], *concrete.holders, *concrete.captured]
        sources = [x for place, x in enumerate(inputs) if self.watched >> place & 1]
        with GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(sources)
            result = concrete.body(tensors[:count])
        outputs = [leaf for leaf in Structure(result).leaves if is_output(leaf)]
        targets = [outputs[place] for place in self.seeded]
        gradients: list[Any] = tape.gradient(targets, sources, tensors[count:])
        return gradients


class Backward:
    """The gradient rule of a record: calls the derivative on the values that the record kept."""

    def __init__(self, concrete: Concrete, watched: int) -> None:
        self.concrete = concrete
        self.watched = watched

    def __call__(self, g: Any, *kept: Tensor) -> Any:
        concrete = self.concrete
        scope = current_scope.get()
        if scope.trace is not None:
            raise TraceError(
                f"the gradient of {concrete.name}, called outside, inside another traced function.",
                expected="the tape's gradient taken where the traced function was called",
                got="a tape from outside in a traced function",
                fix="open the tape inside the traced function, or call gradient outside it",
            )
        seeded = tuple([place for place, part in enumerate(g.parts) if part is not None])
        derivative = concrete.derivative(self.watched, seeded)
        seeds = [expanded(g.parts[place], concrete.graph.outputs[place].shape) for place in seeded]
        count = len(concrete.inputs)
        held = dict(zip(map(id, concrete.holders), kept[count:], strict=False))
        variables = [held.get(id(variable)) for variable in derivative.holders]
        if any(one is None for one in variables):
            raise impure(concrete.name)
        outputs = derivative.recorded([*kept[:count], *seeds], variables, scope)  # type: ignore[arg-type]
        gradients = derivative.rebuild(outputs)
        return gradients if len(gradients) > 1 else gradients[0]


def is_output(leaf: Any) -> bool:
    """Whether a result is an output of the graph; a variable is returned as itself."""
    return isinstance(leaf, Tensor) and not isinstance(leaf, Variable)


def impure(name: str) -> TraceError:
    """The error for a body that reads other variables each time it runs."""
    return TraceError(
        f"{name} read other variables when it was traced again for its gradient.",
        expected="a function that uses the same variables each time its body runs",
        got="a variable that the first trace did not read",
        fix="make the function depend on its arguments alone",
    )
