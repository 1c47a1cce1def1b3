"""What a tape keeps of a traced call: the values that its gradient needs, so that the function does not run again.

The function is traced once more, under a tape, together with the gradients of its results. The part of this graph that
the results and assignments need is the forward graph; the rest is the backward graph. Its operands from the forward
graph are the residuals, which the forward graph returns beside the results.

A residual that only arranges other values (a reshape, a permutation, a broadcast) is recomputed instead of kept: it
costs no arithmetic, and often no copy. Everything else is kept, as an eager tape keeps operands and results.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from ..errors import PolytapeError
from ..registry.tensor_type import TensorType
from ..tensors.tensor import Tensor
from .calls import Program
from .execution import Executable
from .ir import Equation, Graph, Input, Literal
from .passes import dead_code, optimise
from .stages import dump
from .tracing import trace

__all__ = ["Split", "Tracing", "split", "traced_once"]

# For each watched input which output its gradient is, and of those whose gradient may be rows, which two the rows are.
Numbers = tuple[tuple[int | None, ...], tuple[tuple[int, int] | None, ...]]
# Takes symbolic tensors; returns outputs, and which gradient is which of them.
Body = Callable[[list[Tensor]], tuple[list[Tensor], Any]]
# Takes a name, the inputs and a body; returns the graph, and what the body returns beside it.
Tracing = Callable[[str, Sequence[Any], Body], tuple[Graph, Any]]
# Ops whose result has no number that its operand lacks.
ARRANGING: Final = frozenset(
    {"broadcast_to", "expand_dims", "flip", "permute_dims", "matrix_transpose", "moveaxis", "reshape", "squeeze"}
)


class Split:
    """The forward and the backward graph of a function for one set of watched inputs, and of outputs with a gradient.

    Attributes:
        forward: ``(*arguments, *state) -> (*outputs, *residuals, *assigned values)``, on native arrays.
        backward: ``(*residuals and inputs, *seeds) -> gradients``.
        program: `forward`, on the arrays of the function's inputs.
        pull: `backward`, on the arrays of the function's inputs, the residuals and the seeds.
        residuals: how many residuals there are.
        gradients: for each watched input, which result of the backward graph is its gradient; None if nothing is.
        rows: for each watched input None, or which two results of the joint graph, counted behind those of the
            function, are the rows and positions of a gradient that may be rows. The gradients come before these.
        gradient_types: of the results of the backward graph.
        seeded: which outputs have a seed.
    """

    __slots__ = (
        "backward", "forward", "gradient_types", "gradients", "parts", "program", "pull", "residuals", "rows", "seeded",
    )  # fmt: skip

    def __init__(
        self, parts: Parts, state: Sequence[int], total: int, numbers: Numbers, seeded: tuple[int, ...]
    ) -> None:
        self.parts: Final = parts
        self.gradients: Final = list(numbers[0])
        self.rows: Final = numbers[1]
        dense = _given(self.gradients)
        self.forward: Final = Executable(optimise(dump(parts.forward())))
        self.backward: Final = Executable(optimise(dump(parts.backward(dense))))
        first = len(parts.arguments)
        positions = [*range(first), *(first + position for position in state)]
        self.program: Final = Program(self.forward.run, positions, self.forward.explain)
        self.residuals: Final = len(parts.residuals)
        last = total + self.residuals
        kept = [*parts.kept(state, total), *range(last, last + len(seeded))]
        self.pull: Final = Program(self.backward.run, kept, self.backward.explain)
        self.gradient_types: Final = parts.types_of(dense)
        self.seeded: Final = seeded

    def pull_of(self, numbers: Sequence[int | None]) -> tuple[Program, tuple[TensorType, ...], list[int | None]]:
        """`pull` for other results of the joint graph than the gradients: the program, its results' types, and which of
        them each number is."""
        given = _given(numbers)
        executable = Executable(optimise(dump(self.parts.backward(given))))
        places = [None if number is None else given.index(number) for number in numbers]
        return Program(executable.run, self.pull.positions, executable.explain), self.parts.types_of(given), places

    def unit(self, numbers: Sequence[int | None] | None = None) -> Program | None:
        """`pull` for the seed 1.0 of the only output, which has shape (); constant folding leaves less of it to do."""
        parts = self.parts
        if len(parts.seeds) != 1 or parts.seeds[0].symbol.shape or parts.outputs != 1:
            return None
        given = _given(self.gradients if numbers is None else numbers)
        executable = Executable(optimise(dump(parts.backward_of_one(given))))
        return Program(executable.run, self.pull.positions[:-1], executable.explain)


class Parts:
    """The two graphs that a joint graph of results and gradients falls into.

    Args:
        joint: its arguments are those of the function, then the seeds; its outputs the results, then the gradients.
        outputs: how many of its outputs are results of the function.
        seeds: how many seeds there are.
    """

    def __init__(self, joint: Graph, outputs: int, seeds: int) -> None:
        self.joint = joint
        self.outputs = outputs
        count = len(joint.arguments) - seeds
        self.arguments, self.seeds = joint.arguments[:count], joint.arguments[count:]
        self.inputs = (*self.arguments, *joint.state())
        results = replace(joint, outputs=joint.outputs[:outputs], output_types=joint.output_types[:outputs])
        self.early = dead_code(results).equations
        needed_first = set(self.early)
        self.late = [equation for equation in joint.equations if equation not in needed_first]
        self.late = self.with_arrangements()
        computed = {symbol for equation in self.late for symbol in equation.outputs}
        known = {x.symbol for x in (*self.inputs, *joint.constants, *self.seeds)}
        needed = dict.fromkeys([*(x for equation in self.late for x in equation.symbols()), *joint.outputs[outputs:]])
        self.operands = [x for x in needed if x not in computed and x not in {y.symbol for y in joint.constants}]
        self.residuals = [x for x in self.operands if x not in known]
        self.types = {
            symbol: tensor_type
            for equation in joint.equations
            for symbol, tensor_type in zip(equation.outputs, equation.resolution.result_types, strict=True)
        } | {x.symbol: x.type for x in (*self.inputs, *self.seeds)}

    def with_arrangements(self) -> list[Equation]:
        """The equations of the backward graph, with the arrangements of other values that they need in front."""
        producer = {equation.outputs[0]: equation for equation in self.early if equation.op.name in ARRANGING}
        wanted = {x for equation in self.late for x in equation.symbols()} | set(self.joint.outputs[self.outputs :])
        repeated: list[Equation] = []
        for equation in reversed(self.early):
            if equation.outputs[0] in wanted and producer.get(equation.outputs[0]) is equation:
                repeated.append(equation)
                wanted.update(equation.symbols())
        return [*reversed(repeated), *self.late]

    def forward(self) -> Graph:
        """The results and the residuals; it assigns the variables."""
        joint = self.joint
        return replace(
            joint,
            arguments=self.arguments,
            equations=tuple(self.early),
            outputs=(*joint.outputs[: self.outputs], *self.residuals),
            output_types=(*joint.output_types[: self.outputs], *(self.types[x] for x in self.residuals)),
        )

    def types_of(self, numbers: Sequence[int]) -> tuple[TensorType, ...]:
        """The types of some gradients."""
        return tuple([self.joint.output_types[self.outputs + number] for number in numbers])

    def backward(self, numbers: Sequence[int]) -> Graph:
        """Some gradients; everything that it needs of the forward graph and its state is an argument."""
        joint = self.joint
        operands = [x for x in self.operands if x not in {y.symbol for y in self.seeds}]
        arguments = [Input(f"r{position}", x, self.types[x]) for position, x in enumerate(operands)]
        return replace(
            joint,
            name=f"{joint.name}_backward",
            arguments=(*arguments, *self.seeds),
            variables=(),
            sources=(),
            equations=tuple(self.late),
            outputs=tuple([joint.outputs[self.outputs + number] for number in numbers]),
            output_types=self.types_of(numbers),
            writes=(),
        )

    def backward_of_one(self, numbers: Sequence[int]) -> Graph:
        """`backward` with the number 1.0 in the place of its only seed."""
        graph = self.backward(numbers)
        seed = self.seeds[0]
        one = Literal(1.0, seed.type)
        equations = [
            replace(equation, operands=tuple([one if x is seed.symbol else x for x in equation.operands]))
            for equation in graph.equations
        ]
        # As a gradient, it is a constant.
        constant = Input("", seed.symbol, seed.type, Tensor(one.array(), seed.type, None))
        return replace(
            graph,
            arguments=graph.arguments[:-1],
            equations=tuple(equations),
            constants=(*graph.constants, constant),
        )

    def kept(self, state: Sequence[int], total: int) -> list[int]:
        """Where each argument of the backward graph but the seeds comes from: see `Split`.

        Args:
            state: for each value of this graph's state, its position in the state of the function.
            total: how many inputs the function has, with its state and what it captures.
        """
        seeds = {x.symbol for x in self.seeds}
        first = len(self.arguments)
        position = {x.symbol: index for index, x in enumerate(self.arguments)}
        position |= {x.symbol: first + index for x, index in zip(self.joint.state(), state, strict=True)}
        position |= {x: total + index for index, x in enumerate(self.residuals)}
        return [position[x] for x in self.operands if x not in seeds]


def split(
    name: str,
    inputs: Sequence[tuple[str, TensorType, tuple[int, ...]]],
    graph: Graph,
    state_keys: Sequence[Any],
    total: int,
    seeded: tuple[int, ...],
    joint_body: Any,
    tracing: Tracing | None = None,
) -> Split | None:
    """The forward and the backward graph of a traced function; None if it has no such pair.

    Args:
        name, inputs: of the function.
        graph: the function's own graph.
        state_keys: what identifies the values of its state.
        total: how many inputs it has, with its state and what it captures.
        seeded: the outputs that have a gradient.
        joint_body: ``(tensors, then seeds) -> (results, gradients, rows)``; a gradient is None where nothing is
            connected, and rows are None where a gradient cannot be rows.
        tracing: traces the results and gradients, in place of a trace for these inputs.
    """
    seeds = [(f"g{position}", graph.output_types[position], graph.outputs[position].shape) for position in seeded]
    count = len(graph.outputs)

    def body(tensors: list[Tensor]) -> tuple[list[Tensor], Numbers]:
        results, gradients, rows = joint_body(tensors)
        connected = [x for x in gradients if x is not None]
        parts = [part for x in rows if x is not None for part in x]
        numbers = iter(range(len(connected) + len(parts)))
        whole = tuple([None if x is None else next(numbers) for x in gradients])
        return [*results, *connected, *parts], (
            whole,
            tuple([None if x is None else (next(numbers), next(numbers)) for x in rows]),
        )

    try:
        joint, numbers = (tracing or traced_once)(name, [*inputs, *seeds], body)
    except PolytapeError:
        return None  # the gradient raises it when it is asked for
    keys: list[Any] = [id(x.holder) for x in joint.variables]
    keys += [(source.key, index) for source in joint.sources for index in range(len(source.inputs))]
    written = [variable for variable, _ in graph.writes]
    same = len(joint.outputs) - count == len(_given(numbers[0])) + 2 * len([x for x in numbers[1] if x is not None])
    if not same or not set(keys) <= set(state_keys) or [variable for variable, _ in joint.writes] != written:
        return None
    parts = Parts(optimise(joint, fuse=False), count, len(seeds))
    return Split(parts, [list(state_keys).index(key) for key in keys], total, numbers, seeded)


def _given(numbers: Sequence[int | None]) -> list[int]:
    return [x for x in numbers if x is not None]


def traced_once(name: str, inputs: Sequence[Any], body: Body) -> tuple[Graph, Any]:
    """The graph of a body for these inputs, and what else it returns."""
    extra: list[Any] = []

    def run(tensors: list[Tensor]) -> list[Tensor]:
        outputs, rest = body(tensors)
        extra.append(rest)
        return outputs

    graph, _ = trace(name, inputs, run)
    return graph, extra[0]
