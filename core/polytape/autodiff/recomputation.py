"""`polytape.recompute`: a function whose intermediate results are computed again for its gradient, not kept.

Under a tape, the function runs without being recorded, and the call is one record. Its gradient rule runs the function
again on a new tape. Both runs are inside a trace that computes at once: the first one notes which variables, tensors
of enclosing scopes and random states the function reads, the second one gives it the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..dtypes import FLOATING
from ..errors import TapeError, TraceError
from ..registry.gradient_rule import G, GradientRule
from ..registry.op import Op
from ..registry.resolution import Resolution
from ..tensors import structure
from ..tensors.node import Node
from ..tensors.scope import Scope, current_scope
from ..tensors.tensor import Tensor, describe
from ..tensors.variable import Variable
from ..tracebacks import shortened
from .arguments import check_function, independent
from .backward import hooks
from .calling import call_op
from .cotangent import expanded
from .gradient_plan import plan_of
from .record import active_tapes, follow, record_several, wrap
from .several import Several
from .tape import GradientTape

__all__ = ["recompute"]


def recompute(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function so that tapes keep its arguments, not its intermediate results.

    The backward pass runs the function again, with the same arguments, variables and random numbers. That costs one
    more run of the function and saves the memory of its intermediate results. Calls can be nested, and differentiated
    to any order. Assignments to variables take place once, in the first run; item assignment to an argument does not
    change the caller's tensor.

    Args:
        f: takes and returns tensors, or structures of them, and any other arguments. It must do the same in both
            runs: what it reads from elsewhere, such as a list or a file, must not have changed.
    Returns:
        A function with the same arguments and results. Without an open tape it is ``f``.
    Raises:
        TapeError: from the backward pass: the second run reads another variable or draws more random numbers than the
            first one, or returns other tensors. TraceError: ``f`` creates a variable. DTypeError: ``f`` is
            no function.
    Source:
        A. Griewank, A. Walther (2000), ACM TOMS 26 (1), pp. 19-45; T. Chen et al. (2016), arXiv 1604.06174.

    Example:
        >>> import polytape as pt
        >>> @pt.recompute
        ... def block(x):
        ...     return pt.tanh(pt.exp(x) * 2.0)
        >>> (gradient,) = pt.gradients_function(block)(0.0)
        >>> float(gradient) == float(pt.gradients_function(lambda x: pt.tanh(pt.exp(x) * 2.0))(0.0)[0])
        True
    """

    check_function("recompute", f)

    @functools.wraps(f)
    def recomputed(*args: Any, **kwargs: Any) -> Any:
        scope = current_scope.get()
        if not scope.tapes:
            return f(*args, **kwargs)
        try:
            return _recorded(f, args, kwargs, scope)
        except Exception as error:
            raise shortened(error)  # noqa: B904  # it is the same error

    return recomputed


class _Run:
    """The trace of one run: ops compute at once, in the trace around it if there is one."""

    def __init__(self) -> None:
        scope = current_scope.get()
        self.outer: Any = scope.trace
        self.what: str = "polytape.recompute" if self.outer is None else self.outer.what
        self.mark = object() if self.outer is None else self.outer.mark

    def read(self, x: Tensor) -> Tensor:
        """The operand to use."""
        if self.outer is not None:
            operand: Tensor = self.outer.read(x)
            return operand
        return Tensor(x.array, x.type, x.node) if isinstance(x, Variable) else x

    def emit(
        self,
        op: Op,
        resolution: Any,
        operands: Sequence[Any],
        tensors: Sequence[Tensor | None],
        attributes: dict[str, Any],
    ) -> list[Any]:
        """Run an op on symbols of the trace around, or one without operands; the arrays of its outputs."""
        if self.outer is not None:
            arrays: list[Any] = self.outer.emit(op, resolution, operands, tensors, attributes)
            return arrays
        result = self.outside(lambda: call_op(op, tensors, attributes))
        return [y.array for y in ([result] if op.outputs is None else result)]

    def outside(self, call: Callable[[], Any]) -> Any:
        """``call()`` in the scope around this trace, not recorded."""
        scope = current_scope.get()
        try:
            current_scope.set(Scope((), self.outer))
            return call()
        finally:
            current_scope.set(scope)

    def with_gradient(self, attach: Any, inputs: list[Tensor], outputs: list[Tensor], grad: Any) -> list[Tensor]:
        """The outputs of a function with a hand-written gradient, as the trace around this one wants them."""
        around = getattr(self.outer, "with_gradient", None)
        attached: list[Tensor] = outputs if around is None else around(attach, inputs, outputs, grad)
        return attached

    def guard(self, condition: Callable[[], bool]) -> None:
        """Trace the function around again once ``condition()`` is false."""
        if self.outer is not None:
            self.outer.guard(condition)

    def source(self, owner: object, read: object) -> Any:
        """Raise TraceError: what changes at each call cannot be computed again."""
        raise TraceError(
            f"{owner!r} cannot be used inside polytape.recompute.",
            expected="a function that does the same when it runs again",
            got="an optimizer's step, or another object that changes at each call",
            fix="call it outside the function",
        )


class _First(_Run):
    """The first run, which notes what the function reads.

    Attributes:
        scope: that of the call. variables: those read, by id, with the value that they had before the run.
        captured: the tensors of enclosing scopes that a tape of the call follows, by node. known: the nodes of both.
        draws: the states of all random draws, in order.
    """

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope
        self.variables: dict[int, tuple[Variable, Tensor]] = {}
        self.written: set[int] = set()
        self.captured: dict[Node, Tensor] = {}
        self.known: set[Node | None] = set()
        self.draws: list[Tensor] = []

    def read(self, x: Tensor) -> Tensor:
        """The operand to use, which is noted if the second run will need it."""
        if isinstance(x, Variable):
            inner = current_scope.get()
            active_tapes(x, inner)  # for its effect: a tape starts to watch a variable when it is used
            operand = super().read(x)
            if id(x) not in self.variables and id(x) not in self.written:
                active_tapes(x, self.scope)
                self.variables[id(x)] = (x, operand)
                self.known.add(x.node)
                if x.node is not None:
                    self.captured.pop(x.node, None)
            return operand
        # A tape that the function opens has handles on its variables, which are no tensors of an enclosing scope.
        if x.node is not None and x.node not in self.known and active_tapes(x, self.scope):
            self.known.add(x.node)
            self.captured[x.node] = Tensor(x.array, x.type, x.node)
        return super().read(x)

    def write(self, variable: Variable, value: Tensor) -> None:
        """Assign a variable."""
        self.written.add(id(variable))
        if self.outer is not None:
            self.outer.write(variable, value)
        else:
            self.outside(lambda: variable.assign(Tensor(value.array, value.type, None)))

    def draw(self, take: Callable[[int], Tensor], words: int) -> Tensor:
        """Reserve a range of random numbers, and note its state."""
        state: Tensor = self.outside(lambda: take(words))
        self.draws.append(state)
        return state


class _Second(_Run):
    """A later run, which reads what the first one read.

    Attributes:
        variables: the value of each variable at this point of the run, by id. captured: the tensors of enclosing
            scopes, by node. unread: those of both that the run has not read yet. draws: the states of the first run
            that are left.
    """

    def __init__(
        self, name: str, variables: dict[int, Tensor], captured: dict[Node, Tensor], draws: Sequence[Tensor]
    ) -> None:
        super().__init__()
        self.name = name
        self.variables = variables
        self.captured = captured
        self.draws = list(draws)
        self.unread = {*captured, *variables}

    def read(self, x: Tensor) -> Tensor:
        """The operand to use: the value that the first run read."""
        if isinstance(x, Variable):
            active_tapes(x, current_scope.get())
            if id(x) not in self.variables:
                raise _changed(self.name, f"it read the variable {x.name or describe(x)}, which it had not read before")
            self.unread.discard(id(x))
            return self.known(self.variables[id(x)])
        if x.node is not None and x.node in self.captured:
            self.unread.discard(x.node)
            return self.known(self.captured[x.node])
        return super().read(x)

    def known(self, x: Tensor) -> Tensor:
        """A value of the first run, as an operand."""
        return x if self.outer is None else super().read(x)

    def write(self, variable: Variable, value: Tensor) -> None:
        """Use ``value`` for the variable from here on; it was assigned in the first run."""
        self.variables[id(variable)] = self.read(value)

    def draw(self, take: Callable[[int], Tensor], words: int) -> Tensor:
        """The state of the same draw in the first run."""
        if not self.draws:
            raise _changed(self.name, "it drew more random numbers")
        return self.draws.pop(0)

    def finish(self) -> None:
        """Raise TapeError if the run left out something that the first one read."""
        if self.draws:
            raise _changed(self.name, "it drew fewer random numbers")
        if self.unread:
            raise _changed(self.name, "it did not read a variable, or a tensor of an enclosing scope, that it had read")


def _recorded(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], scope: Scope) -> Any:
    """Run ``f`` without recording it, and record the call."""
    arguments = (args, kwargs)
    leaves = structure.leaves(arguments)
    given = [k for k, x in enumerate(leaves) if isinstance(x, Tensor) and not isinstance(x, Variable)]
    operands: list[Tensor] = [leaves[k] if scope.trace is None else scope.trace.read(leaves[k]) for k in given]
    run = _First(scope)
    y = _called(f, arguments, leaves, given, [wrap(x.array, x.type, None) for x in operands], Scope((), run))
    results = structure.leaves(y)
    positions = [k for k, x in enumerate(results) if isinstance(x, Tensor) and not isinstance(x, Variable)]
    if not positions:
        return y
    outputs = [results[k] if scope.trace is None else scope.trace.read(results[k]) for k in positions]
    inputs = [*operands, *run.captured.values(), *[value for _, value in run.variables.values()]]
    tapes, watched = follow(inputs, scope)
    if watched and any(x.type.category >= FLOATING for x in outputs):
        rule = _Again(f, arguments, leaves, given, run, positions, [k for k in range(len(inputs)) if watched >> k & 1])
        outputs = _record(rule, inputs, outputs, tapes)
    else:
        outputs = [wrap(x.array, x.type, None) for x in outputs]
    for k, x in zip(positions, outputs, strict=True):
        results[k] = x
    return structure.rebuild(y, results)


def _called(
    f: Callable[..., Any], arguments: Any, leaves: list[Any], given: list[int], values: list[Tensor], scope: Scope
) -> Any:
    """``f`` on its arguments, with ``values`` for the tensors among them, in ``scope``."""
    filled = list(leaves)
    for k, x in zip(given, values, strict=True):
        filled[k] = x
    args, kwargs = structure.rebuild(arguments, filled)
    before = current_scope.get()
    try:
        current_scope.set(scope)  # inside the try block: Ctrl-C may arrive as soon as it is set
        return f(*args, **kwargs)
    finally:
        current_scope.set(before)


def _body(*inputs: Any) -> Any:
    """The body of the op that a record has; never called."""
    return inputs


def _record(rule: _Again, inputs: list[Tensor], outputs: list[Tensor], tapes: Any) -> list[Tensor]:
    """The outputs, recorded as the results of one op. The rule does not refer to the op: it would be a cycle."""
    count, watched = len(inputs), sum(1 << k for k in rule.sources)
    operands = tuple(f"x{k}" for k in range(count))
    op = Op(f"recompute({rule.name})", _body, operands, operands, count)
    op.outputs = Several
    op.rules.append(GradientRule(rule, tuple(rule.sources), (G, *range(count)), ()))
    kinds = tuple([x.type for x in outputs])
    resolution = Resolution(None, None, tuple([x.type for x in inputs]), kinds, (), "kernel")
    nodes = tuple([x.node if watched >> k & 1 else None for k, x in enumerate(inputs)])
    arrays, plan = tuple([x.array for x in inputs]), plan_of(op, count, watched)
    if hooks.before_record is not None:
        hooks.before_record(op, arrays)
    return record_several(op, resolution, plan, tapes, nodes, arrays, None, [x.array for x in outputs])


class _Again:
    """The gradient rule of a call: it runs the function again, on a new tape, and takes the gradient."""

    def __init__(
        self,
        f: Callable[..., Any],
        arguments: Any,
        leaves: list[Any],
        given: list[int],
        run: _First,
        positions: list[int],
        sources: list[int],
    ) -> None:
        self.f = f
        self.name = getattr(f, "__name__", "the function")
        self.arguments = structure.rebuild(arguments, [None if k in given else x for k, x in enumerate(leaves)])
        self.given = given
        self.captured = list(run.captured)
        self.variables = [variable for variable, _ in run.variables.values()]
        self.draws = run.draws
        self.positions = positions
        self.sources = sources

    def __call__(self, g: Any, *inputs: Tensor) -> Any:
        """The gradients of the sources."""
        first, last = len(self.given), len(self.given) + len(self.captured)
        values = [independent(x) if x.type.category >= FLOATING else x for x in inputs[:first]]
        # A tensor of an enclosing scope, or a variable, keeps its node: a tape that the function opens may ask for it.
        for x, node in zip(inputs[first:], [*self.captured, *[x.node for x in self.variables]], strict=True):
            values.append(Tensor(x.array, x.type, node))
        sources = [values[k] for k in self.sources]
        with GradientTape(watch_accessed_variables=False) as tape:
            handles = list(values)
            for k, x in zip(self.sources, tape.watch_arguments(sources), strict=True):
                handles[k] = x
            captured = dict(zip(self.captured, handles[first:last], strict=True))
            variables = {id(x): value for x, value in zip(self.variables, handles[last:], strict=True)}
            run = _Second(self.name, variables, captured, self.draws)
            leaves = structure.leaves(self.arguments)
            inner = Scope(current_scope.get().tapes, run)
            y = _called(self.f, self.arguments, leaves, self.given, handles[:first], inner)
        run.finish()
        pairs = self.targets(structure.leaves(y), g)
        gradients = tape.gradient([x for x, _ in pairs], sources, [weight for _, weight in pairs])
        return tuple(gradients) if len(sources) > 1 else gradients[0]

    def targets(self, results: list[Any], g: Any) -> list[tuple[Tensor, Tensor]]:
        """The results that have a cotangent, each with it."""
        pairs = []
        for k, part in zip(self.positions, g.parts, strict=True):
            if part is None:
                continue
            x = results[k] if k < len(results) else None
            if not isinstance(x, Tensor) or x.type is not part.type or x.shape != part.shape:
                raise _changed(self.name, f"it returned {describe(x)} in the place of {describe(part)}")
            pairs.append((x, expanded(part, x.shape)))
        return pairs


def _changed(name: str, what: str) -> TapeError:
    return TapeError(
        f"recompute: {name} did something else when it ran again for its gradient.",
        expected="a function that does the same in both runs",
        got=what,
        fix="make what it does depend only on its arguments, variables and random draws",
    )
