"""Control flow under `polytape.vmap`: what differs between elements is computed for all and selected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..autodiff.batching.interpreter import Batching
from ..errors import TraceError
from ..registry import tables
from ..tensors.scope import Scope, current_scope
from ..tensors.symbol import Symbol
from ..tensors.tensor import Tensor, describe, operators
from ..tensors.variable import Variable

__all__ = ["any_element", "around", "known", "lifted", "selected", "undecided", "whole"]


def known(condition: Tensor) -> bool | None:
    """The value of a predicate that is the same for all elements of a batch; None if it differs or is symbolic."""
    x = condition
    while isinstance(x.array, Symbol):
        if x.array.value is None or x.array.index == 1:
            return None
        x = x.array.value
    return bool(condition if x is condition else Tensor(x.array, x.type, None))


def any_element(condition: Tensor) -> bool | None:
    """Whether a predicate is true for any element of the batch; None if it is symbolic in a traced function."""
    x = condition
    while isinstance(x.array, Symbol):
        if x.array.value is None:
            return None
        x = x.array.value
    return bool(tables.get_op("any")(Tensor(x.array, x.type, None)))


def selected(condition: Tensor, yes: Sequence[Tensor], no: Sequence[Tensor]) -> list[Tensor]:
    """For each pair of tensors, the one that the predicate chooses, element by element."""
    where = tables.get_op("where")
    return [where(condition, a, b) for a, b in zip(yes, no, strict=True)]


class _Undecided:
    """The trace of a batch, in which no variable can be assigned; everything else is passed on.

    Attributes:
        outer: the trace of the batch.
    """

    def __init__(self, what: str, outer: Any) -> None:
        self.called = what
        self.outer = outer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.outer, name)

    def write(self, variable: Variable, value: Tensor) -> None:
        """Raise TraceError: the assignment takes place for some elements only."""
        raise TraceError(
            f"{variable.name or describe(variable)} cannot be assigned inside polytape.{self.called} under vmap.",
            expected="a predicate that is the same for all elements of the batch",
            got="a predicate per element, so that the function runs for some elements only",
            fix="return the value from the function, and assign to the variable outside vmap",
        )


@contextmanager
def undecided(what: str) -> Iterator[None]:
    """Run what some elements of a batch need and others do not."""
    scope = current_scope.get()
    try:
        current_scope.set(Scope(scope.tapes, _Undecided(what, scope.trace)))
        yield
    finally:
        current_scope.set(scope)


def whole(trace: Batching, tensors: Sequence[Tensor]) -> list[Tensor]:
    """The tensors of all elements that these stand for, with the batch first."""
    values = []
    for x in tensors:
        value, batched = trace.value(trace.read(x))
        values.append(value if batched else operators.broadcast_to(value, (trace.size, *value.shape)))
    return values


def lifted(
    trace: Batching, f: Callable[[Sequence[Tensor]], Sequence[Tensor]]
) -> Callable[[Sequence[Tensor]], list[Tensor]]:
    """A function of one element as one of the whole batch, in whatever scope it is called."""

    def of_batch(values: Sequence[Tensor]) -> list[Tensor]:
        before = trace.outer
        try:
            with trace:
                results = f([trace.element(x) for x in values])
            return whole(trace, results)
        finally:
            trace.outer = before

    return of_batch


@contextmanager
def around(trace: Batching) -> Iterator[None]:
    """Run in the scope around a batch."""
    scope = current_scope.get()
    try:
        current_scope.set(trace.outer)
        yield
    finally:
        current_scope.set(scope)
