"""`polytape.while_loop` and `polytape.fori_loop`: loops whose number of steps may depend on tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count as counting
from typing import Any, ClassVar

from ..autodiff.arguments import check_function
from ..autodiff.batching.interpreter import Batching
from ..dtypes import INTEGER
from ..errors import DTypeError, TraceError
from ..graph import wiring as ports
from ..graph.interpreting import interpret
from ..graph.region_tracing import Region, carrying, closed, trace_region
from ..graph.regions import Regions, emit, followed
from ..graph.wiring import Wiring, connected
from ..registry import tables
from ..tensors.scope import current_scope
from ..tensors.tensor import Tensor, describe, operators
from ..tensors.variable import Variable
from .batching import any_element, around, known, lifted, selected, undecided, whole
from .branching import check_predicate, cond
from .calling import public
from .gradients import batch, batch_in_graph, is_traced
from .scanning import scan
from .structures import Values, value_of

__all__ = ["fori_loop", "while_loop"]


@public
def while_loop(
    condition: Callable[[Any], Any], body: Callable[[Any], Any], state: Any, maximum_iterations: int | None = None
) -> Any:
    """``while condition(state): state = body(state)``; returns the last state.

    In a traced function it is one equation. Its gradient there needs ``maximum_iterations``: under a tape the loop is
    then a `scan` of that many steps, those after the last one do nothing. Outside traced functions a tape records the
    steps. The body may assign variables and draw random numbers, the condition only read variables. Under
    `polytape.vmap`, the loop runs until it has ended for every element.

    Args:
        condition: ``(state) -> bool[]``.
        body: ``(state) -> state``, with the same structure, shapes and dtypes.
        state: a structure of tensors; numbers become tensors.
        maximum_iterations: the loop ends after so many steps, even if the condition is still true.
    Raises:
        DTypeError, ShapeError: the body changes the structure or a type of the state; the condition is no bool[].
        TraceError: the gradient of a loop without ``maximum_iterations`` in a traced function; the condition assigns a
            variable or draws random numbers there.
    Source:
        JAX, ``jax.lax.while_loop``; TensorFlow, ``tf.while_loop``, for ``maximum_iterations``.

    Example:
        >>> import polytape as pt
        >>> @pt.function
        ... def digits(n):
        ...     return pt.while_loop(lambda s: s[0] > 0, lambda s: (s[0] // 10, s[1] + 1), (n, 0))[1]
        >>> digits(pt.asarray(2026)).tolist()
        4
    """
    check_function("while_loop", condition)
    check_function("while_loop", body)
    limit = _limit(maximum_iterations)
    loop = _While(condition, body, Values("state", state), limit)
    if is_traced():
        return loop.traced()
    trace = batch_in_graph()
    if trace is not None:
        return loop.lifted(trace)
    return loop.eager() if batch() is None else loop.batched()


@public
def fori_loop(lower: Any, upper: Any, body: Callable[[Any, Any], Any], state: Any) -> Any:
    """``for i in range(lower, upper): state = body(i, state)``; returns the last state.

    Args:
        lower, upper: Python ints, or integer[]. In a traced function the loop can be differentiated if both are
            Python ints: it is a `scan` then, otherwise a `while_loop`.
        body: ``(i, state) -> state`` with the same structure, shapes and dtypes; ``i`` is a tensor, int32 for ints.
        state: a structure of tensors; numbers become tensors.
    Raises:
        DTypeError: a bound that is no integer. DTypeError, ShapeError: as `while_loop`.
    Source:
        JAX, ``jax.lax.fori_loop``.

    Example:
        >>> import polytape as pt
        >>> pt.fori_loop(0, 5, lambda i, total: total + i, 0).tolist()
        10
    """
    check_function("fori_loop", body)
    first, last = _bound(lower), _bound(upper)
    if isinstance(first, int) and isinstance(last, int):

        def step(carry: Any, _: Any) -> Any:
            i, inner = carry
            return (i + 1, body(i, inner)), None

        return scan(step, (_start(first, state), state), None, max(0, last - first))[0][1]
    start = _start(first, state) if isinstance(first, int) else first
    if isinstance(last, Tensor):
        start = operators.astype(start, last.dtype) if isinstance(first, int) else start
    return while_loop(lambda s: s[0] < last, lambda s: (s[0] + 1, body(*s)), (start, state))[1]


def _start(first: int, state: Any) -> Tensor:
    return Values("lower", first, Values("state", state).tensors).tensors[0]


def _bound(x: Any) -> Any:
    """A bound of a loop: an int or a tensor."""
    if isinstance(x, Tensor) and x.type.category == INTEGER and not x.shape:
        return x.read_value() if isinstance(x, Variable) else x
    if isinstance(x, (bool, Tensor)) or not hasattr(x, "__index__"):
        raise DTypeError(
            f"fori_loop cannot count to or from {describe(x)}.",
            expected="a Python int, or an integer tensor of shape ()",
            got=describe(x),
            fix="cast it, for example with int(x) or polytape.astype(x, 'int32')",
        )
    return x.__index__()


def _limit(maximum: Any) -> int | None:
    if maximum is None:
        return None
    if isinstance(maximum, (bool, Tensor)) or not hasattr(maximum, "__index__") or maximum.__index__() < 0:
        raise DTypeError(
            f"while_loop cannot have {describe(maximum)} as maximum_iterations.",
            expected="an int that is not negative, or None",
            got=describe(maximum),
            fix="pass a Python int; a limit that is a tensor belongs into the condition",
        )
    return int(maximum.__index__())


class _While:
    """One call of `while_loop`."""

    def __init__(self, condition: Any, body: Any, state: Values, limit: int | None) -> None:
        self.condition = condition
        self.body = body
        self.state = state
        self.limit = limit

    def predicate(self, tensors: Sequence[Tensor]) -> Any:
        """The condition of a state: a bool or a tensor."""
        return check_predicate("while_loop's condition", self.condition(self.state.filled(tensors)))

    def step(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The tensors of the next state."""
        after = Values("state", self.body(self.state.filled(tensors)), tensors)
        return self.state.like("while_loop's body", after).tensors

    def rounds(self) -> Any:
        """One number per step that may run."""
        return counting() if self.limit is None else range(self.limit)

    def eager(self) -> Any:
        """Run the steps one by one."""
        tensors = self.state.tensors
        for _ in self.rounds():
            if not bool(self.predicate(tensors)):
                break
            tensors = self.step(tensors)
        return self.state.filled(tensors)

    def batched(self) -> Any:
        """Run the steps until the loop has ended for every element of the batch."""
        tensors = self.state.tensors
        going: Any = True  # for the elements whose loop has not ended
        for _ in self.rounds():
            condition = self.predicate(tensors)
            same = condition if isinstance(condition, bool) else known(condition)
            if same is False:
                break
            if same and going is True:
                tensors = self.step(tensors)
                continue
            going = condition if going is True else going & condition
            any_going = any_element(going)
            if any_going is None and self.limit is None:
                raise _unbounded()
            if any_going is False:
                break
            with undecided("while_loop"):
                after = self.step(tensors)
            tensors = selected(going, after, tensors)
        return self.state.filled(tensors)

    def lifted(self, trace: Batching) -> Any:
        """Run the steps on whole batches, in the traced function around."""

        def test(tensors: Sequence[Tensor]) -> list[Tensor]:
            return Values("condition", self.predicate(tensors), tensors).tensors

        def step(tensors: Sequence[Tensor]) -> list[Tensor]:
            going, *before = tensors
            with undecided("while_loop"):
                after = selected(going, self.step(before), before)
                return [going & test(after)[0], *after]

        some = tables.get_op("any")
        with around(trace):
            values = whole(trace, self.state.tensors)
            start = [*lifted(trace, test)(values), *values]
            body = lifted(trace, step)
            _, *values = while_loop(lambda state: some(state[0]), body, start, self.limit)
        return self.state.filled([trace.element(x) for x in values])

    def regions(self, carried: Sequence[Variable]) -> tuple[Region, list[Tensor], Region, list[Tensor]]:
        """The regions of the condition and of the body, with their results."""
        values = [(label, value_of(x)) for label, x in zip(self.state.labels, self.state.tensors, strict=True)]

        def tested(handles: list[Tensor]) -> list[Tensor]:
            predicate = self.predicate(handles)
            return Values("condition", predicate, handles).tensors

        test, condition = trace_region("condition", values, tested, carried)
        if test.written:
            variable = next(iter(test.written.values()))
            raise TraceError(
                f"while_loop's condition assigns {variable.name or describe(variable)} in a traced function.",
                expected="a condition that only reads",
                got="an assignment, or a random draw, which assigns the generator's state",
                fix="assign or draw in the body, and let the condition read it from the state",
            )
        return test, condition, *trace_region("body", values, self.step, carried)

    def traced(self) -> Any:
        """Emit the equation; assign the variables that the body assigns."""
        (test, condition, region, results), written = carrying(self.regions)
        trace = current_scope.get().trace
        count = len(self.state.tensors)
        last = [Tensor(region.value(x), x.type, x.node) for x in written]
        graphs, captured = closed([(test, condition), (region, [*results, *last])])
        operands = [trace.read(x) for x in (*self.state.tensors, *written, *captured)]
        values = tuple(map(value_of, operands))
        variables = list({**test.read_variables, **region.read_variables}.values())
        carries = values[: count + len(written)]
        if self.limit is not None and followed(operands, variables, [x for x, _ in carries]):
            return self.bounded(self.limit)
        regions = Repeated(tuple(graphs), values, carries, self.limit)
        outputs = emit("while_loop", regions, operands, variables)
        for variable, value in zip(written, outputs[count:], strict=True):
            trace.write(variable, value)
        return self.state.filled(outputs[:count])

    def bounded(self, limit: int) -> Any:
        """The loop as a scan, which can be differentiated."""

        def step(tensors: list[Tensor], _: Any) -> tuple[list[Tensor], None]:
            after: list[Tensor] = cond(self.predicate(tensors), lambda *x: self.step(x), lambda *x: list(x), *tensors)
            return after, None

        return self.state.filled(scan(step, list(self.state.tensors), None, limit)[0])


def _unbounded() -> TraceError:
    return TraceError(
        "while_loop under vmap in a traced function does not know when to end.",
        expected="maximum_iterations, vmap outside traced functions, or no tape inside vmap",
        got="a tape inside vmap, and a condition per element, whose values are not known while tracing",
        fix="pass maximum_iterations; the loop is unrolled to so many steps",
    )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Repeated(Regions):
    """The regions of `while_loop`. Operands: the state, then captures. Results: the state."""

    DATA: ClassVar[dict[str, tuple[type, ...]]] = {"limit": (int, type(None))}

    limit: int | None

    @classmethod
    def wiring(cls, data: dict[str, Any], operands: int, results: int) -> Wiring | None:
        """The condition and the body take all operands; the body gives the state of the next step."""
        limit = data["limit"]
        if results > operands or (limit is not None and limit < 0):
            return None
        state = connected(ports.operands(0, results), ports.outputs(0, results, 1), ports.results(0, results))
        inputs = (ports.arguments(0, operands, region) for region in range(2))
        return Wiring(
            ((operands, 1), (operands, results)),
            (*connected(ports.operands(0, operands), *inputs), *state),
            predicates=(ports.Port("output", 0, 0),),
        )

    def run(self, *arrays: Any) -> Sequence[Any]:
        """Run the steps on native arrays."""
        condition, body = self.runners()
        count = len(self.results)
        state, captured = arrays[:count], arrays[count:]
        predicate = self.graphs[0].output_types[0]
        for _ in counting() if self.limit is None else range(self.limit):
            if not bool(Tensor(condition(*state, *captured)[0], predicate, None)):
                break
            state = body(*state, *captured)
        return state

    def replay(self, operands: Sequence[Tensor]) -> list[Tensor]:
        """The results, by the ops of each step."""
        count = len(self.results)
        captured = operands[count:]
        condition, body = self.graphs
        state: list[Tensor] = while_loop(
            lambda x: interpret(condition, [*x, *captured])[0],
            lambda x: interpret(body, [*x, *captured]),
            list(operands[:count]),
            self.limit,
        )
        return state

    def gradients(self, sources: Sequence[int], g: Any, y: Any, operands: Sequence[Tensor]) -> Sequence[Any]:
        """Raise TraceError: nothing bounds what the gradient would have to keep."""
        raise TraceError(
            "while_loop without maximum_iterations has no gradient in a traced function.",
            expected="a loop whose number of steps is bounded",
            got="a gradient of its result",
            fix="pass maximum_iterations=n, use polytape.scan or a fori_loop between ints, or run the loop outside "
            "traced functions",
        )
