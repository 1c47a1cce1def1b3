"""The trace that is open while `polytape.vmap` runs a function: ops on one element run at once on all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from ...dtypes import uint64
from ...errors import TraceError
from ...registry import tables
from ...registry.op import Op
from ...tensors.scope import Scope, current_scope
from ...tensors.symbol import Symbol
from ...tensors.tensor import Tensor, describe, operators
from ...tensors.variable import Variable
from ..calling import call_op
from ..record import active_tapes, wrap
from .rules import Call, rule_of

__all__ = ["Batching"]

_BLOCK = 4  # 32-bit words per step of a generator's counter


class Batching:
    """The trace of one batch: its symbols have the shape of one element and hold the tensor of all elements.

    Ops run in the scope that was open around the trace: tapes and traces there see ops on whole batches.

    Attributes:
        size: the number of elements.
        randomness: what a random draw does: ``"error"``, ``"same"`` or ``"different"``.
        outer: the scope that is open around the trace.
        mark: identifies the trace in its symbols.
    """

    what = "polytape.vmap"

    def __init__(self, size: int, randomness: str) -> None:
        self.size = size
        self.randomness = randomness
        self.outer: Scope = current_scope.get()
        self.mark = object()
        self.variables: dict[int, tuple[Any, Symbol]] = {}  # by id(variable): the array that the symbol stands for

    def __repr__(self) -> str:
        return f"<batch of {self.size}>"

    def __enter__(self) -> Batching:
        self.outer = current_scope.get()
        current_scope.set(Scope((), self))
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        current_scope.set(self.outer)

    # --- symbols --------------------------------------------------------------------------------------------------

    def element(self, x: Tensor) -> Tensor:
        """One element of ``x``, whose first axis is the batch."""
        return wrap(Symbol(self.mark, x, 1, x.shape[1:], x.dtype), x.type, None)

    def shared(self, x: Tensor) -> Symbol:
        """A symbol for a tensor that is the same for all elements."""
        return Symbol(self.mark, x, 0, x.shape, x.dtype)

    def value(self, x: Tensor) -> tuple[Tensor, bool]:
        """The tensor that an operand stands for, and whether its first axis is the batch."""
        array = x.array
        if isinstance(array, Symbol) and array.trace is self.mark:
            return array.value, array.index == 1
        return x, False

    # --- called by the ring ---------------------------------------------------------------------------------------

    def read(self, x: Tensor) -> Tensor:
        """The operand to use: a symbol for a variable or a tensor that has a node, otherwise ``x`` itself."""
        if isinstance(x, Variable):
            scope = current_scope.get()
            if scope.tapes:
                active_tapes(x, scope)  # for its effect: a tape starts to watch a variable when it is used
            known = self.variables.get(id(x))
            if known is None or known[0] is not x.array:
                known = self.variables[id(x)] = (x.array, self.shared(x))
            return Tensor(known[1], x.type, x.node)
        if x.node is None or (isinstance(x.array, Symbol) and x.array.trace is self.mark):
            return x
        # The op that runs in the scope around the trace looks whether a symbol of another trace belongs there.
        return Tensor(self.shared(Tensor(x.array, x.type, x.node)), x.type, x.node)

    def emit(
        self,
        op: Op,
        resolution: Any,
        operands: Sequence[Any],
        tensors: Sequence[Tensor | None],
        attributes: dict[str, Any],
    ) -> list[Any]:
        """Run one op on all elements.

        Args:
            op, resolution: the op, and the kernel resolved for it, which is not used: batches may have another.
            operands: as the caller passed them.
            tensors: the operands as tensors, cast and passed through `read`.
            attributes: as the caller passed them.
        Returns:
            The symbols of its outputs.
        """
        shapes = op.output_shapes([None if x is None else x.array for x in tensors], attributes)
        pairs = [(None, False) if x is None else self.value(x) for x in tensors]
        values, batched = [value for value, _ in pairs], [whether for _, whether in pairs]
        scope = current_scope.get()
        try:
            current_scope.set(self.outer)
            if not any(batched):
                return [self.shared(y) for y in _several(op, call_op(op, values, attributes))]
            element_shapes = tuple(None if x is None else tuple(x.array.shape) for x in tensors)
            call = Call(op, values, tuple(batched), attributes, self.size, element_shapes, tuple(map(tuple, shapes)))
            results = self.run(call)
        finally:
            current_scope.set(scope)
        if results is None:
            return self.through_body(op, list(tensors), attributes)
        for y, shape in zip(results, call.results, strict=True):
            assert y.shape == (self.size, *shape), f"the batching rule of {op.name} gave {describe(y)} for {shape}"
        return [Symbol(self.mark, y, 1, y.shape[1:], y.dtype) for y in results]

    def run(self, call: Call) -> list[Tensor] | None:
        """The outputs for all elements; None if the op's body has to run instead."""
        op = call.op
        rule = rule_of(op)
        result = rule(call) if rule is not None and self.size else NotImplemented
        if result is not NotImplemented:
            return _several(op, result)
        if not op.primitive and not op.host:
            return None
        return self.one_by_one(call)

    def through_body(self, op: Op, tensors: list[Tensor | None], attributes: dict[str, Any]) -> list[Any]:
        """The outputs of an op's body, whose ops are batched one by one."""
        scope = current_scope.get()
        try:
            current_scope.set(Scope((), self))
            handles = [None if x is None else wrap(x.array, x.type, None) for x in tensors]
            outputs = _several(op, op.run_body(handles, attributes))
            return [self.read(y).array for y in outputs]
        finally:
            current_scope.set(scope)

    def one_by_one(self, call: Call) -> list[Tensor]:
        """The outputs of an op that runs once per element."""
        op = call.op
        if not self.size:
            return call.empty()
        rows = [_several(op, call_op(op, call.row(position), call.attributes)) for position in range(self.size)]
        stack = tables.get_op("stack")
        return [stack([row[index] for row in rows], axis=0) for index in range(len(rows[0]))]

    # --- what a function may do besides calling ops ----------------------------------------------------------------

    def draw(self, take: Callable[[int], Tensor], words: int) -> Tensor:
        """The state for a random draw; ``take(words)`` reserves so many words and returns the state before them.

        Raises:
            TraceError: the draw's meaning was not chosen.
        """
        scope = current_scope.get()
        if self.randomness == "error":
            raise TraceError(
                "a random draw inside polytape.vmap is ambiguous.",
                expected="vmap(..., randomness='different') or randomness='same'",
                got="a draw, and no choice",
                fix="choose 'different' for numbers of its own per element, 'same' for the same numbers in all",
            )
        try:
            current_scope.set(self.outer)
            if self.randomness == "same":
                state = take(words)
                return wrap(self.shared(state), state.type, None)
            blocks = -(-words // _BLOCK)
            first = take(blocks * _BLOCK * self.size)
            arange, stack = tables.get_op("arange"), tables.get_op("stack")
            count = arange(start=0, stop=self.size, step=1, dtype=uint64, device=first.device)
            steps = stack([count * 0, count * blocks], axis=1)
            return self.element(operators.add(first, steps))
        finally:
            current_scope.set(scope)

    def with_gradient(
        self,
        attach: Callable[[list[Tensor], list[Tensor], Any], Any],
        inputs: list[Tensor],
        outputs: list[Tensor],
        grad: Any,
    ) -> list[Tensor]:
        """The outputs of a function with a hand-written gradient, which tapes around the trace use too.

        Args:
            attach: ``(inputs, outputs, grad) -> outputs`` that have this gradient in the scope around the trace.
            inputs, outputs: of one element. grad: ``(*output gradients) -> input gradients`` of one element.
        """
        pairs = [self.value(self.read(x)) for x in inputs]
        results = [self.value(y) for y in outputs]
        mapped = any(whether for _, whether in (*pairs, *results))
        # If one output is batched, all are: otherwise the gradient of a shared input would be ambiguous.
        values = [
            operators.broadcast_to(y, (self.size, *y.shape)) if mapped and not whether else y for y, whether in results
        ]
        lifted = _Lifted(self, grad, [(x.shape, whether) for x, whether in pairs], mapped)
        scope = current_scope.get()
        try:
            current_scope.set(self.outer)
            attached = list(attach([x for x, _ in pairs], values, lifted))
        finally:
            current_scope.set(scope)
        return [self.element(y) if mapped else wrap(self.shared(y), y.type, None) for y in attached]

    def write(self, variable: Variable, value: Tensor) -> None:
        """Assign a variable, in the scope around the trace.

        Raises:
            TraceError: the value differs from element to element.
        """
        y, batched = self.value(self.read(value))
        if batched:
            raise TraceError(
                f"{variable.name or describe(variable)} cannot be assigned inside polytape.vmap.",
                expected="a value that is the same for all elements",
                got=f"a value per element of the batch, {describe(value)}",
                fix="return the value from the function, and assign to the variable outside",
            )
        scope = current_scope.get()
        try:
            current_scope.set(self.outer)
            variable.assign(y)
        finally:
            current_scope.set(scope)

    def guard(self, condition: Callable[[], bool]) -> None:
        """Nothing: the function runs only once."""

    def source(self, owner: object, read: object) -> Any:
        """Raise TraceError: what reads a value at each run of a graph has no meaning here."""
        raise TraceError(
            f"{owner!r} cannot be used inside polytape.vmap.",
            expected="a function of tensors",
            got="an optimizer's step, or another object that changes at each call",
            fix="map the function that computes the gradients, and apply them outside",
        )


class _Lifted:
    """A hand-written gradient of one element as that of the batch."""

    def __init__(self, trace: Batching, grad: Any, inputs: list[tuple[Any, bool]], mapped: bool) -> None:
        self.trace = trace
        self.grad = grad
        self.inputs = inputs  # per input its shape, and whether it is a batch
        self.mapped = mapped

    def __call__(self, *gradients: Tensor) -> Any:
        """The gradients of the inputs; that of a shared one is the sum over the batch."""
        trace, before = self.trace, self.trace.outer
        try:
            with trace:
                elements = [trace.element(g) if self.mapped else wrap(trace.shared(g), g.type, None) for g in gradients]
                returned = self.grad(*elements)
                results = list(returned) if isinstance(returned, (tuple, list)) else [returned]
                pairs = [trace.value(trace.read(x)) if isinstance(x, Tensor) else (x, False) for x in results]
        finally:
            trace.outer = before
        if len(pairs) != len(self.inputs):
            return [x for x, _ in pairs]  # the record raises the error
        return [self.of_batch(x, whether, *own) for (x, whether), own in zip(pairs, self.inputs, strict=True)]

    def of_batch(self, x: Any, whether: bool, shape: Any, is_batch: bool) -> Any:
        """One gradient for all elements, from ``x``, which is that of each element if ``whether``."""
        if x is None or (is_batch and whether) or not self.mapped:
            return x
        if is_batch:
            return x if not isinstance(x, Tensor) else operators.broadcast_to(x, shape)
        return operators.sum(x, axis=0) if whether else x * self.trace.size


def _several(op: Op, result: Any) -> list[Tensor]:
    return [result] if op.outputs is None else list(result)
