"""`polytape.scan`: a loop over the first axis of tensors that carries state; and `polytape.map`, which carries none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ..autodiff.arguments import check_function
from ..autodiff.batching.interpreter import Batching
from ..autodiff.cotangent import expanded, zeros_like
from ..errors import DTypeError, ShapeError
from ..graph import wiring as ports
from ..graph.interpreting import interpret
from ..graph.region_tracing import carrying, closed, trace_region
from ..graph.regions import Regions, Value, emit, followed
from ..graph.wiring import Wiring, connected
from ..registry import tables
from ..tensors.scope import current_scope
from ..tensors.tensor import Tensor, describe, operators
from ..tensors.variable import Variable
from .batching import around, lifted, whole
from .calling import public
from .gradients import batch_in_graph, floating, is_traced, pull
from .structures import Values, stacked, value_of

__all__ = ["map", "scan"]

Function = Callable[[Any, Any], Any]


@public
def scan(f: Function, carry: Any, xs: Any = None, length: int | None = None, reverse: bool = False) -> tuple[Any, Any]:
    """Call ``f(carry, x) -> (carry, y)`` for each element ``x`` of ``xs``; returns the last carry, and all ``y``.

    In a traced function it is one equation, whose graph has one copy of the body whatever the length. ``f`` may read
    and assign variables and draw random numbers. The gradient keeps the carry of each step, and runs each step again
    in the backward pass. A variable that ``f`` assigns is carried too; then ``f`` is traced twice.

    Args:
        f: ``carry`` has the same structure, shapes and dtypes before and after every step. ``y`` is any structure of
            tensors, or None.
        carry: a structure of tensors; numbers become tensors.
        xs: a structure of tensors with the same size n of their first axis, over which the loop goes; or None.
        length: n, needed if ``xs`` is None.
        reverse: go from the last element to the first; the results ``y`` have the order of ``xs``.
    Returns:
        ``(carry, ys)``; each tensor of ``ys`` has a first axis of size n.
    Raises:
        DTypeError, ShapeError: ``f`` changes the structure or a type of the carry, or returns no pair; ``xs`` have
            different sizes, or no axis.
    Source:
        JAX, ``jax.lax.scan``.

    Example:
        >>> import polytape as pt
        >>> total, sums = pt.scan(lambda total, x: (total + x, total + x), 0.0, pt.asarray([1.0, 2.0, 3.0]))
        >>> total.tolist(), sums.tolist()
        (6.0, [1.0, 3.0, 6.0])
    """
    check_function("scan", f)
    rows = Values("xs", xs)
    state = Values("carry", carry, rows.tensors)
    loop = _Loop(f, state, rows, _length(rows, length), bool(reverse))
    if is_traced():
        return loop.traced()
    trace = batch_in_graph()
    return loop.eager() if trace is None else loop.batched(trace)


@public
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """Call ``f`` for each element of ``xs`` along the first axis, one after the other, and stack the results.

    `polytape.vmap` computes the same, all elements at once; ``map`` needs the memory of one at a time.

    Args:
        f: takes an element, a structure as ``xs``; returns a structure of tensors.
        xs: a structure of tensors with the same size of their first axis.
    Returns:
        The results, each with a first axis of that size.
    Raises:
        DTypeError, ShapeError: as `scan`.
    Source:
        JAX, ``jax.lax.map``.

    Example:
        >>> import polytape as pt
        >>> pt.map(lambda x: x * x, pt.asarray([1.0, 2.0, 3.0])).tolist()
        [1.0, 4.0, 9.0]
    """
    check_function("map", f)
    return scan(lambda _, x: (None, f(x)), None, xs)[1]


def _length(rows: Values, length: Any) -> int:
    """How many steps there are.

    Raises:
        ShapeError, DTypeError: the sizes differ, or there are none.
    """
    if length is not None and (isinstance(length, bool) or not hasattr(length, "__index__") or int(length) < 0):
        raise DTypeError(
            f"scan cannot run {describe(length)} steps.",
            expected="an int that is not negative, or None",
            got=describe(length),
            fix="pass the number of steps as a Python int; polytape.fori_loop takes a tensor",
        )
    sizes: dict[str, Any] = {} if length is None else {"length": int(length)}
    for label, x in zip(rows.labels, rows.tensors, strict=True):
        if not x.shape:
            raise ShapeError(f"scan cannot go over {label}, which has no axis.",
                             expected="tensors with a first axis, one element per step", got=describe(x),
                             fix="let the function read it from an enclosing scope")  # fmt: skip
        sizes[label] = x.shape[0]
    if not sizes:
        raise ShapeError("scan does not know how many steps to run.", expected="xs, or length",
                         got="xs without a tensor, and no length", fix="pass length=n")  # fmt: skip
    if len(set(sizes.values())) > 1:
        raise ShapeError("scan got different numbers of steps.", expected="one size of the first axis, and of length",
                         got=", ".join(f"{name}: {size}" for name, size in sizes.items()),
                         fix="cut the longer ones, or let the function read what is not iterated")  # fmt: skip
    return int(next(iter(sizes.values())))


class _Loop:
    """One call of `scan`."""

    def __init__(self, f: Function, state: Values, rows: Values, length: int, reverse: bool) -> None:
        self.f = f
        self.state = state
        self.rows = rows
        self.length = length
        self.reverse = reverse
        self.columns: Any = None  # the structure of y

    def step(self, carry: Sequence[Tensor], x: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Run the function once; the tensors of the new carry and of y."""
        result = self.f(self.state.filled(carry), self.rows.filled(x))
        if not isinstance(result, tuple) or len(result) != 2:
            raise DTypeError("scan's function did not return a pair.", expected="(carry, y), where y may be None",
                             got=describe(result), fix="return carry, y")  # fmt: skip
        beside = (*carry, *x)
        after = self.state.like("scan's function", Values("carry", result[0], beside))
        y = Values("y", result[1], beside)
        self.columns = y if self.columns is None else self.columns
        return after.tensors, self.columns.like("scan's function", y).tensors

    def eager(self) -> tuple[Any, Any]:
        """Run the steps one by one."""
        carry = self.state.tensors
        collected: list[list[Tensor]] = []
        for k in _order(self.length, self.reverse):
            carry, y = self.step(carry, [x[k] for x in self.rows.tensors])
            collected.append(y)
        if not collected:
            self.trace()  # for its effect: it learns the structure of y
        columns = list(zip(*(reversed(collected) if self.reverse else collected), strict=True))
        ys = [stacked(columns[k] if columns else [], value_of(x)) for k, x in enumerate(self.columns.tensors)]
        return self.state.filled(carry), self.columns.filled(ys)

    def batched(self, trace: Batching) -> tuple[Any, Any]:
        """Run the steps on whole batches, in the traced function around."""
        count = len(self.state.tensors)

        def step(tensors: Sequence[Tensor]) -> list[Tensor]:
            after, y = self.step(tensors[:count], tensors[count:])
            return [*after, *y]

        whole_step = lifted(trace, step)

        def body(carry: list[Tensor], x: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            results = whole_step([*carry, *x])
            return results[:count], results[count:]

        with around(trace):
            xs = [_swapped(x) for x in whole(trace, self.rows.tensors)]
            carry, ys = scan(body, whole(trace, self.state.tensors), xs, self.length, self.reverse)
            ys = [_swapped(y) for y in ys]
        return (
            self.state.filled([trace.element(x) for x in carry]),
            self.columns.filled([trace.element(y) for y in ys]),
        )

    def trace(self, carried: Sequence[Variable] = ()) -> tuple[Any, list[Tensor]]:
        """The region of one step, and its results: the carry, then y."""
        self.columns = None
        values = [(label, value_of(x)) for label, x in zip(self.state.labels, self.state.tensors, strict=True)]
        values += [
            (label, (x.type, tuple(x.shape[1:]))) for label, x in zip(self.rows.labels, self.rows.tensors, strict=True)
        ]
        count = len(self.state.tensors)

        def body(handles: list[Tensor]) -> list[Tensor]:
            after, y = self.step(handles[:count], handles[count:])
            return [*after, *y]

        return trace_region("step", values, body, carried)

    def traced(self) -> tuple[Any, Any]:
        """Emit the equation; assign the variables that the function assigns."""
        (region, results), written = carrying(self.trace)
        trace = current_scope.get().trace
        count, assigned = len(self.state.tensors), len(written)
        last = [Tensor(region.value(x), x.type, x.node) for x in written]
        (graph,), captured = closed([(region, [*results[:count], *last, *results[count:]])])
        graph = _with_carry_first(graph, count, len(self.rows.tensors), assigned)
        before = [trace.read(x) for x in written]
        operands = [*[trace.read(x) for x in self.state.tensors], *before]
        operands += [trace.read(x) for x in (*self.rows.tensors, *captured)]
        variables = list(region.read_variables.values())
        steps = Steps.of(graph, operands, count + assigned, len(self.rows.tensors), self.length, self.reverse)
        if followed(operands, variables, [x for x, _ in steps.results]):
            steps = Steps.of(graph, operands, count + assigned, len(self.rows.tensors), self.length, self.reverse, True)
        outputs = emit("scan", steps, operands, variables)
        for variable, value in zip(written, outputs[count : count + assigned], strict=True):
            trace.write(variable, value)
        ys = outputs[count + assigned : count + assigned + len(self.columns.tensors)]
        return self.state.filled(outputs[:count]), self.columns.filled(ys)


def _swapped(x: Tensor) -> Tensor:
    """The first two axes exchanged: steps and elements of a batch."""
    result: Tensor = tables.get_op("permute_dims")(x, axes=(1, 0, *range(2, x.ndim)))
    return result


def _with_carry_first(graph: Any, count: int, rows: int, more: int) -> Any:
    """The body with the carried variables, which are its last own arguments, behind the carry."""
    own = graph.arguments
    first = count + rows
    order = (*own[:count], *own[first : first + more], *own[count:first], *own[first + more :])
    return replace(graph, arguments=order)


def _order(length: int, reverse: bool) -> Iterable[int]:
    return range(length - 1, -1, -1) if reverse else range(length)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Steps(Regions):
    """The region of `scan`. Operands: the carry, xs, captures. Results: the carry, ys, and what ``keep`` adds.

    Attributes:
        carries, rows: how many tensors the carry and xs have.
        length: how many steps. reverse: whether the last comes first.
        keep: whether the carry before each step is a result too, which the gradient needs.
    """

    DATA: ClassVar[dict[str, tuple[type, ...]]] = {
        "carries": (int,), "rows": (int,), "length": (int,), "reverse": (bool,), "keep": (bool,),
    }  # fmt: skip

    carries: int
    rows: int
    length: int
    reverse: bool
    keep: bool

    @classmethod
    def wiring(cls, data: dict[str, Any], operands: int, results: int) -> Wiring | None:
        """A step takes the carry, a row of each of xs and captures; it gives the carry, and a row of each of ys."""
        count, rows = data["carries"], data["rows"]
        captured, columns = operands - count - rows, results - count * (1 + data["keep"])
        if min(count, rows, data["length"], captured, columns) < 0:
            return None
        carry = (ports.arguments(0, count), ports.outputs(0, count), ports.results(0, count))
        stacked = [
            *connected(ports.operands(count, rows), ports.arguments(count, rows)),
            *connected(ports.results(count, columns), ports.outputs(count, columns)),
        ]
        if data["keep"]:
            stacked += connected(ports.results(count + columns, count), ports.operands(0, count))
        return Wiring(
            ((operands, count + columns),),
            (
                *connected(ports.operands(0, count), *carry),
                *connected(ports.operands(count + rows, captured), ports.arguments(count + rows, captured)),
            ),
            tuple(stacked),
            data["length"],
        )

    @classmethod
    def of(
        cls, graph: Any, operands: Sequence[Tensor], carries: int, rows: int, length: int, reverse: bool,
        keep: bool = False,
    ) -> Steps:  # fmt: skip
        """The region for these operands."""
        results: list[Value] = [value_of(x) for x in operands[:carries]]
        for symbol, tensor_type in zip(graph.outputs[carries:], graph.output_types[carries:], strict=True):
            results.append((tensor_type, (length, *symbol.shape)))
        if keep:
            results += [(x.type, (length, *x.array.shape)) for x in operands[:carries]]
        types = tuple([value_of(x) for x in operands])
        return cls((graph,), types, tuple(results), carries, rows, length, reverse, keep)

    def run(self, *arrays: Any) -> Sequence[Any]:
        """Run the steps on native arrays."""
        (step,) = self.runners()
        count, first = self.carries, self.carries + self.rows
        carry, captured = arrays[:count], arrays[first:]
        types = [x for x, _ in self.operands]
        xs = [Tensor(array, x, None) for array, x in zip(arrays[count:first], types[count:first], strict=True)]
        collected = []
        for k in _order(self.length, self.reverse):
            results = step(*carry, *[x[k].array for x in xs], *captured)
            collected.append((*results[count:], *carry) if self.keep else results[count:])
            carry = results[:count]
        if self.reverse:
            collected.reverse()
        outputs = list(carry)
        for k, (tensor_type, shape) in enumerate(self.results[count:]):
            rows = [Tensor(row[k], tensor_type, None) for row in collected]
            outputs.append(stacked(rows, (tensor_type, shape[1:])).array)
        return outputs

    def replay(self, operands: Sequence[Tensor]) -> list[Tensor]:
        """The results, by the ops of each step."""
        count, first = self.carries, self.carries + self.rows
        captured = operands[first:]

        def step(carry: list[Tensor], x: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            results = interpret(self.graphs[0], [*carry, *x, *captured])
            return results[:count], [*results[count:], *(carry if self.keep else ())]

        carry, ys = scan(step, list(operands[:count]), list(operands[count:first]), self.length, self.reverse)
        return [*carry, *ys]

    def gradients(self, sources: Sequence[int], g: Any, y: Any, operands: Sequence[Tensor]) -> Sequence[Any]:
        """The gradients, by a loop in the other direction, each step of which runs its step again."""
        return _Backward(self, sources, g, y, operands).gradients()


class _Backward:
    """The backward pass of one `Steps`."""

    def __init__(self, steps: Steps, sources: Sequence[int], g: Any, y: Any, operands: Sequence[Tensor]) -> None:
        count, first = steps.carries, steps.carries + steps.rows
        self.steps = steps
        self.sources = list(sources)
        self.operands = list(operands)
        self.kept = list(y[len(y) - count :]) if count else []
        self.parts = list(g.parts)
        self.moving = [k for k in range(count) if k in floating(operands[:count])]
        self.rows = [k for k in sources if count <= k < first]
        self.captures = [k for k in sources if k >= first]
        self.columns = len(steps.results) - count - (count if steps.keep else 0)

    def seed(self, k: int) -> Tensor:
        """The cotangent of a result, zeros if there is none."""
        part = self.parts[k]
        tensor_type, shape = self.steps.results[k]
        if part is None:
            part = Tensor(tensor_type.scalar(0.0), tensor_type, None)
        return expanded(part, shape)

    def gradients(self) -> list[Any]:
        """The gradients of the sources."""
        steps = self.steps
        count, first = steps.carries, steps.carries + steps.rows
        seeded = [count + k for k in range(self.columns) if self.parts[count + k] is not None]
        kept_parts = [len(steps.results) - count + k for k in self.moving]
        extra = [k for k in kept_parts if self.parts[k] is not None]  # under a tape around this gradient
        xs = (self.kept, self.operands[count:first], [self.seed(k) for k in seeded], [self.seed(k) for k in extra])
        start = ([self.seed(k) for k in self.moving], [zeros_like(self.operands[k]) for k in self.captures])

        def step(carry: Any, x: Any) -> Any:
            (moving, totals), (before, rows, seeds, added) = carry, x
            cotangents: list[Tensor | None] = [None] * (count + self.columns)
            for k, part in zip([*self.moving, *seeded], [*moving, *seeds], strict=True):
                cotangents[k] = part
            found = pull(
                steps.graphs[0],
                [*before, *rows, *self.operands[first:]],
                [*self.moving, *self.rows, *self.captures],
                cotangents,
            )
            moved = found[: len(self.moving)]
            for k, part in zip(extra, added, strict=True):
                place = kept_parts.index(k)
                moved[place] = operators.add(moved[place], part)
            rest = found[len(self.moving) :]
            sums = [operators.add(a, b) for a, b in zip(totals, rest[len(self.rows) :], strict=True)]
            return (moved, sums), rest[: len(self.rows)]

        (moving, totals), rows = scan(step, start, xs, steps.length, not steps.reverse)
        found = dict(zip([*self.moving, *self.rows, *self.captures], [*moving, *rows, *totals], strict=True))
        return [found[k] for k in self.sources]
