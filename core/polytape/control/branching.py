"""`polytape.cond`: one of two functions runs, depending on a tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autodiff.arguments import check_function
from ..dtypes import bool_
from ..errors import DTypeError, ShapeError
from ..graph import wiring as ports
from ..graph.interpreting import interpret
from ..graph.region_tracing import closed, trace_region
from ..graph.regions import Regions, emit
from ..graph.wiring import Wiring, connected
from ..tensors.scope import current_scope
from ..tensors.tensor import Tensor, describe
from ..tensors.variable import Variable
from .batching import known, selected, undecided
from .calling import public
from .gradients import batch, is_traced, pull
from .structures import Values, value_of

__all__ = ["check_predicate", "cond"]


@public
def cond(predicate: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], *operands: Any) -> Any:
    """``true_fn(*operands)`` if ``predicate`` is true, otherwise ``false_fn(*operands)``; only one of them runs.

    In a traced function both are traced, and the graph has one equation that runs one of them. The gradient is that of
    the function that ran; its backward pass runs that function again. Both may read and assign variables and draw
    random numbers. Under `polytape.vmap`, a predicate that differs between elements runs both on all elements and
    selects, so neither may assign a variable; a gradient that is infinite or NaN in the one that was not chosen is NaN.

    Args:
        predicate: bool[], or a Python bool.
        true_fn, false_fn: take the operands; both return the same structure with tensors of the same types.
        operands: tensors, or structures of them; what the functions read from enclosing scopes need not be among them.
    Returns:
        The result of the function that ran; numbers in it are tensors.
    Raises:
        DTypeError: the predicate is not bool; in a traced function, the results differ in structure or dtype.
        ShapeError: the predicate has axes; in a traced function, the results differ in shape.

    Example:
        >>> import polytape as pt
        >>> @pt.function
        ... def absolute(x):
        ...     return pt.cond(x > 0, lambda x: x, lambda x: -x, x)
        >>> absolute(pt.asarray(-3.0)).tolist()
        3.0
    """
    check_function("cond", true_fn)
    check_function("cond", false_fn)
    condition = check_predicate("cond's predicate", predicate)
    given = Values("operands", operands)
    if not isinstance(condition, Tensor):
        return _result(true_fn if condition else false_fn, given)
    if is_traced():
        return _traced(condition, true_fn, false_fn, given)
    decided = known(condition)
    if decided is not None:
        return _result(true_fn if decided else false_fn, given)
    if batch() is None:
        return _result(true_fn if bool(condition) else false_fn, given)
    with undecided("cond"):
        results = [_values(f, given) for f in (true_fn, false_fn)]
    results[0].check("cond's false_fn", results[1])
    return results[0].filled(selected(condition, results[0].tensors, results[1].tensors))


def check_predicate(what: str, predicate: Any) -> Any:
    """A predicate as a Python bool or a tensor.

    Raises:
        DTypeError: it is not bool. ShapeError: it has axes.
    """
    if isinstance(predicate, (bool, np.bool_)):
        return bool(predicate)
    x = predicate.read_value() if isinstance(predicate, Variable) else predicate
    if not isinstance(x, Tensor) or x.dtype is not bool_:
        raise DTypeError(
            f"{what} is {describe(predicate)}, not a bool.",
            expected="a tensor of dtype bool and shape (), or a Python bool",
            got=describe(predicate),
            fix="compare it, as in x > 0 or x != 0",
        )
    if x.shape:
        raise ShapeError(
            f"{what} has {x.size} elements.",
            expected="shape ()",
            got=str(x.shape),
            fix="reduce it with polytape.any or polytape.all; polytape.where chooses element by element",
        )
    return x


def _values(f: Callable[..., Any], operands: Values) -> Values:
    return Values("the result", f(*operands.filled(operands.tensors)), operands.tensors)


def _result(f: Callable[..., Any], operands: Values) -> Any:
    values = _values(f, operands)
    return values.filled(values.tensors)


def _traced(condition: Tensor, true_fn: Any, false_fn: Any, operands: Values) -> Any:
    """Emit the equation; assign the variables that a branch assigns."""
    labels = [(label, value_of(x)) for label, x in zip(operands.labels, operands.tensors, strict=True)]
    results: list[Values] = []

    def body(f: Any) -> Callable[[list[Tensor]], list[Tensor]]:
        def run(handles: list[Tensor]) -> list[Tensor]:
            results.append(Values("the result", f(*operands.filled(handles)), handles))
            return results[-1].tensors

        return run

    traced = [trace_region(name, labels, body(f)) for name, f in (("true", true_fn), ("false", false_fn))]
    results[0].check("cond's false_fn", results[1])
    written = list({key: x for region, _ in traced for key, x in region.written.items()}.values())
    # A branch that does not assign the variable returns the value that it had before.
    complete = [(region, [*tensors, *_current(region, written)]) for region, tensors in traced]
    graphs, captured = closed(complete)
    trace = current_scope.get().trace
    inputs = [trace.read(x) for x in (condition, *operands.tensors, *captured)]
    regions = Branches(tuple(graphs), tuple(map(value_of, inputs)), tuple(map(value_of, complete[0][1])))
    variables = {key: x for region, _ in traced for key, x in region.read_variables.items()}
    outputs = emit("cond", regions, inputs, list(variables.values()))
    count = len(results[0].tensors)
    for variable, value in zip(written, outputs[count:], strict=True):
        trace.write(variable, value)
    return results[0].filled(outputs[:count])


def _current(region: Any, variables: Sequence[Variable]) -> list[Tensor]:
    """The values of variables at the end of a region."""
    return [Tensor(region.value(x), x.type, x.node) for x in variables]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Branches(Regions):
    """The regions of `cond`. Operands: the predicate, then what both branches take."""

    @classmethod
    def wiring(cls, data: dict[str, Any], operands: int, results: int) -> Wiring | None:
        """Both branches take the operands behind the predicate, and give the results."""
        count = operands - 1
        if count < 0:
            return None
        return Wiring(
            ((count, results),) * 2,
            (
                *connected(ports.operands(1, count), ports.arguments(0, count, 0), ports.arguments(0, count, 1)),
                *connected(ports.results(0, results), ports.outputs(0, results, 0), ports.outputs(0, results, 1)),
            ),
            predicates=(ports.Port("operand", 0),),
        )

    def run(self, *arrays: Any) -> Sequence[Any]:
        """The results of the branch that the predicate chooses."""
        chosen, other = self.runners()
        branch = chosen if bool(Tensor(arrays[0], self.operands[0][0], None)) else other
        results: Sequence[Any] = branch(*arrays[1:])
        return results

    def replay(self, operands: Sequence[Tensor]) -> list[Tensor]:
        """The results, by the ops of a branch."""
        true, false = self.graphs
        results: list[Tensor] = cond(
            operands[0], lambda *x: interpret(true, x), lambda *x: interpret(false, x), *operands[1:]
        )
        return results

    def gradients(self, sources: Sequence[int], g: Any, y: Any, operands: Sequence[Tensor]) -> Sequence[Any]:
        """The gradients of the branch that ran, which runs again."""
        positions = [k - 1 for k in sources]
        connected = [k for k, part in enumerate(g.parts) if part is not None]
        seeds = [g.parts[k] for k in connected]
        count = len(operands) - 1

        def gradient(graph: Any) -> Callable[..., list[Tensor]]:
            def run(*values: Tensor) -> list[Tensor]:
                cotangents: list[Tensor | None] = [None] * len(self.results)
                for k, x in zip(connected, values[count:], strict=True):
                    cotangents[k] = x
                return pull(graph, values[:count], positions, cotangents)

            return run

        true, false = self.graphs
        results: list[Tensor] = cond(operands[0], gradient(true), gradient(false), *operands[1:], *seeds)
        return results
