"""The eager fast path: ops as callable objects, one exact dict from Kind to kernel.

An op tries, in order: one pointer compare of the operands' Kinds and a call on their native arrays; the same with a
record for operands that have a node; and `apply`, which serves everything else.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .apply import apply, failure
from .context import NO_SCOPE, Scope, current_scope, settings
from .dtypes import FLOATING
from .entry import Entry
from .errors import KernelError, PolytapeError, ShapeError
from .node import Node
from .plan import Plan, Rule, make_rule
from .record import active_tapes, join, record
from .tensor import Result, Symbol, Tensor

if TYPE_CHECKING:
    from .kinds import Kind

__all__ = ["BinaryOp", "GeneralOp", "Op", "UnaryOp"]


def trimmed(error: PolytapeError) -> PolytapeError:
    """The error without the frames below, unless POLYTAPE_TRACEBACK=full asks for them."""
    if settings().full_traceback:
        return error
    error.__suppress_context__ = True
    return error.with_traceback(None)


class Op:
    """What an op is, without numbers; see `polytape.op.op`, which makes one from a declaration.

    Attributes:
        name: unique.
        body: the declared function; it raises for a primitive.
        operands: names of the operands; the last is a sequence where ``variadic``.
        attributes: names of everything else, in the signature's order, with ``defaults``.
        table: the fast path: Kind of all operands -> Entry. memo: everything else that was resolved.
    """

    def __init__(
        self,
        name: str,
        body: Callable[..., Any],
        parameters: tuple[str, ...],
        operands: tuple[str, ...],
        defaults: dict[str, Any],
        positional: int,
        dtype_rule: Callable[..., Any],
        dtype_attributes: tuple[str, ...],
        shape_rule: Callable[..., Any],
        shape_attributes: tuple[str, ...],
        outputs: Any,
        primitive: bool,
        variadic: bool,
        optional: tuple[str, ...],
        elementwise: bool,
        partial: bool,
        promotes: tuple[str, ...],
        floating: bool,
        host: tuple[str, ...],
        no_gradient: str,
        one_is_neutral: bool = False,
    ) -> None:
        self.name: str = name
        self.__name__: str = name
        self.__qualname__: str = name
        self.__module__: str = getattr(body, "__module__", "polytape")
        self.__doc__: str | None = body.__doc__
        self.__wrapped__: Any = body
        self.body: Any = body
        self.parameters: tuple[str, ...] = parameters
        self.positional: int = positional
        self.operands: tuple[str, ...] = operands
        self.attributes: tuple[str, ...] = tuple([name for name in parameters if name not in operands])
        self.defaults: dict[str, Any] = defaults
        self.dtype_rule: Any = dtype_rule
        self.dtype_attributes: tuple[str, ...] = dtype_attributes
        self.shape_rule: Any = shape_rule
        self.shape_attributes: tuple[str, ...] = shape_attributes
        self.outputs: Any = outputs  # the NamedTuple class of an op with several outputs
        self.primitive: bool = primitive
        self.variadic: bool = variadic
        self.optional: tuple[str, ...] = optional
        self.elementwise: bool = elementwise
        self.partial: bool = partial
        self.promotes: tuple[str, ...] = promotes
        self.floating: bool = floating
        self.host: tuple[str, ...] = host
        self.no_gradient: str = no_gradient
        self.creates: bool = "device" in parameters
        self.one_is_neutral: bool = one_is_neutral
        self.rules: list[Rule] = []
        self.contractions: dict[int, Rule] = {}
        self.table: dict[Kind, Entry] = {}
        self.memo: dict[Any, Entry] = {}
        self.plans: dict[tuple[int, int], Plan] = {}
        self.few: list[Plan | None] = [None] * 6  # those of one operand (1) and two (3, 4, 5), without a key to hash
        self.decomposed: bool = False  # whether something in the tables was resolved to the body

    # Here too, not only in the subclasses: mypyc 2.4 lays out a class with __call__ differently from a base without.
    def __call__(self, *args: Any, **attributes: Any) -> Any:
        raise KernelError(f"{self!r} is no op that can be called", fix="use UnaryOp, BinaryOp or GeneralOp")

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> str:
        return self.name

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self.body)

    def gradient(self, *names: str, **rules: Callable[..., Any]) -> Any:
        """Declare how a gradient flows back through this op.

        As ``op.gradient(x=lambda g, y: g * y)`` per operand, or as a decorator ``@op.gradient("a", "b")`` of one rule
        that returns a tuple. A rule's parameter names say what it needs: ``g``, ``y``, an operand, ``<operand>_shape``,
        an attribute, and for operands given as a sequence ``index`` and ``shapes``.

        Raises:
            RegistrationError: a name this op does not have.
        """
        for name, fn in rules.items():
            self.rules.append(make_rule(self, (name,), fn, parameter_names(fn), positional_count(fn)))
        self.forget_plans()

        def declare(fn: Any) -> Any:
            self.rules.append(make_rule(self, names, fn, parameter_names(fn), positional_count(fn)))
            return fn

        return declare

    def contraction(self, **rules: Callable[..., Any]) -> None:
        """Declare a shorter way to the gradient of an operand of shape () beside full ones.

        An elementwise rule would make a product of the full shape only for core to sum it up: ``x1=lambda g, x2:
        vdot(g, x2)`` does both at once. Used where ``g`` and the operands it asks for have the output's shape.

        Raises:
            RegistrationError: a name this op does not have.
        """
        for name, fn in rules.items():
            rule = make_rule(self, (name,), fn, parameter_names(fn), positional_count(fn))
            self.contractions[rule.operands[0]] = rule
        self.forget_plans()

    def forget_plans(self) -> None:
        """Drop the plans, after a rule was added."""
        self.plans = {}
        self.few = [None] * 6

    def forget(self) -> None:
        """Drop what was resolved, after a registration."""
        self.table = {}
        self.memo = {}
        self.decomposed = False

    def plan(self, count: int, watched: int) -> Plan:
        """The plan for ``count`` operands of which the bits of ``watched`` say which are followed."""
        found = self.plans.get((count, watched))
        if found is None:
            found = self.plans[(count, watched)] = Plan(self, count, watched)
        return found

    def plan_of_few(self, count: int, watched: int) -> Plan:
        """As `plan`, for one or two operands."""
        place = watched if count == 1 else watched + 2
        found = self.few[place]
        if found is None:
            found = self.few[place] = self.plan(count, watched)
        return found

    def on_host(self, position: int) -> bool:
        """Whether the operand at ``position`` stays a host array on every device."""
        return bool(self.host) and position < len(self.operands) and self.operands[position] in self.host

    def promoted(self, position: int) -> bool:
        """Whether the operand at ``position`` promotes with others."""
        name = self.operands[min(position, len(self.operands) - 1)] if self.operands else ""
        return name in self.promotes

    def output_shapes(self, arrays: Any, attributes: dict[str, Any]) -> list[tuple[int, ...]]:
        """The outputs' shapes, by the shape rule.

        Raises:
            ShapeError: the operands' shapes do not fit.
        """
        asked = {name: attributes.get(name, self.defaults.get(name)) for name in self.shape_attributes}
        shapes = [None if array is None else array.shape for array in arrays]
        try:
            found = self.shape_rule(*shapes, **asked)
        except ShapeError as error:
            operands = ", ".join([f"[{','.join(map(str, shape))}]" for shape in shapes if shape is not None])
            given = "".join([f", {name}={value!r}" for name, value in asked.items()])
            raise ShapeError(
                f"{self.name}({operands}{given}): {error.summary}",
                expected=error.expected,
                got=error.got,
                fix=error.fix,
            ) from None
        return list(found) if self.outputs is not None else [found]

    def run_body(self, operands: list[Tensor | None], attributes: dict[str, Any]) -> Any:
        """Run the declared function on tensors: as a decomposition, or to differentiate through it."""
        fixed = len(self.operands) - 1 if self.variadic else len(self.operands)
        given = dict(attributes)
        for name, operand in zip(self.operands, operands[:fixed], strict=False):
            given[name] = operand
        if self.variadic:
            given[self.operands[-1]] = operands[fixed:]
        leading = [given.pop(name) for name in self.parameters[: self.positional] if name in given]
        return self.body(*leading, **given)


def positional_count(fn: Any) -> int:
    """How many of a function's parameters can be given by position."""
    code = getattr(fn, "__code__", None)
    if code is None:
        kinds = [one.kind for one in inspect.signature(fn).parameters.values()]
        return len([kind for kind in kinds if kind is not inspect.Parameter.KEYWORD_ONLY])
    count: int = code.co_argcount
    return count


def parameter_names(fn: Any) -> tuple[str, ...]:
    """A function's parameter names in order, keyword-only ones last."""
    code = getattr(fn, "__code__", None)
    if code is None:
        return tuple(inspect.signature(fn).parameters)
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return names


class UnaryOp(Op):
    """An op whose only operand is its first parameter."""

    latest: Entry | None = None

    def __call__(self, x: Any, /, *args: Any, **attributes: Any) -> Any:
        if not args and not attributes:
            return self.operate(x)
        given = self.bind(args, attributes)
        if isinstance(x, Tensor):
            entry = self.table.get(x.kind)
            if entry is not None and not self.settled(given):
                return self.run(x, entry, given)
        try:
            return apply(self, [x], given)
        except PolytapeError as error:
            raise trimmed(error) from None

    def settled(self, given: dict[str, Any]) -> bool:
        """Whether an attribute is given that resolution depends on, so that the table does not serve."""
        for name in self.dtype_attributes:
            if name in given:
                return True
        return False

    def bind(self, args: tuple[Any, ...], attributes: dict[str, Any]) -> dict[str, Any]:
        """Attributes given by position and by name, together."""
        if args:
            names = self.parameters[1 : self.positional]
            if len(args) > len(names):
                raise too_many(self, 1 + len(args))
            for name, value in zip(names, args, strict=False):
                if name in attributes:
                    raise TypeError(f"{self.name}() got multiple values for argument {name!r}")
                attributes[name] = value
        check_attributes(self, attributes)
        return attributes

    def operate(self, x: Any) -> Any:
        """The op on ``x``, attributes at their defaults."""
        if isinstance(x, Tensor):
            kind = x.kind
            entry = self.latest
            if entry is None or entry.key is not kind:
                entry = self.table.get(kind)
                if entry is not None:
                    self.latest = entry
            if entry is not None:
                return self.run(x, entry, None)
        try:
            return apply(self, [x], {})
        except PolytapeError as error:
            raise trimmed(error) from None

    def run(self, x: Tensor, entry: Entry, given: dict[str, Any] | None) -> Any:
        """The op on a tensor whose Kind the table knows."""
        array = x.array
        if x.node is not None:
            scope = current_scope.get()
            if scope.trace is not None or type(array) is Symbol or entry.how != "kernel":
                try:
                    return apply(self, [x], given or {})
                except PolytapeError as error:
                    raise trimmed(error) from None
        try:
            result = entry.fn(array, **given) if given else entry.fn(array)
        except Exception as error:
            raise failure(self, [x], given or {}, error) from None
        if type(result) is not entry.array_type:
            result = entry.out.lift(result)
        node = None if x.node is None else self.follow(x, entry, array, given, result)
        return Tensor(result, entry.out, node)

    def follow(self, x: Tensor, entry: Entry, array: Any, given: dict[str, Any] | None, result: Any) -> Node | None:
        """The record of the op, where an open tape follows its operand."""
        scope = current_scope.get()
        if scope is NO_SCOPE or entry.out.category < FLOATING:
            return None
        tapes = active_tapes(x, scope)
        if not tapes:
            return None
        plan = self.plan_of_few(1, 1)
        if not plan.useful:
            return None
        return record(self, entry, plan, tapes, (x.node,), (array,), given, result)

    def forget(self) -> None:
        """Drop what was resolved, after a registration."""
        super().forget()
        self.latest = None


class BinaryOp(Op):
    """An op with two operands and no attributes."""

    latest: Entry | None = None

    def __call__(self, x1: Any, x2: Any, /) -> Any:
        result = self.operate(x1, x2)
        if result is NotImplemented:
            try:
                return apply(self, [x1, x2], {})
            except PolytapeError as error:
                raise trimmed(error) from None
        return result

    def operate(self, x1: Any, x2: Any) -> Result:
        """The op on two operands of which at least one is a tensor; NotImplemented for a foreign other one."""
        if isinstance(x1, Tensor):
            kind = x1.kind
            if isinstance(x2, Tensor):
                if x2.kind is not kind:
                    return self.slow(x1, x2)
                a1 = x1.array
                a2 = x2.array
                plain = x1.node is None and x2.node is None
            elif kind.takes(x2):
                a1 = x1.array
                a2 = None
                plain = x1.node is None
            else:
                return self.slow(x1, x2)
        elif isinstance(x2, Tensor):
            kind = x2.kind
            if not kind.takes(x1):
                return self.slow(x1, x2)
            a1 = None
            a2 = x2.array
            plain = x2.node is None
        else:
            return self.slow(x1, x2)
        entry = self.latest
        if entry is None or entry.key is not kind:
            entry = self.table.get(kind)
            if entry is None:
                return self.slow(x1, x2)
            self.latest = entry
        try:
            if a2 is None:
                a2 = kind.scalar(x2)
            elif a1 is None:
                a1 = kind.scalar(x1)
            if not plain:
                recorded: Tensor = self.recorded(x1, x2, a1, a2, entry)
                return recorded
            if self.one_is_neutral:
                # A backward pass starts at one: its products are the other factor, and arrays are never written.
                if a1 is kind.one:
                    return Tensor(a2, kind, None)
                if a2 is kind.one:
                    return Tensor(a1, kind, None)
            result = entry.fn(a1, a2)
        except Exception as error:
            raise failure(self, [x1, x2], {}, error) from None
        return Tensor(result if type(result) is entry.array_type else entry.out.lift(result), entry.out, None)

    def slow(self, x1: Any, x2: Any) -> Result:
        """Everything that is not two tensors of one Kind, or one beside a Python number that fits it."""
        try:
            if foreign(x1) or foreign(x2):
                return NotImplemented  # type: ignore[no-any-return]  # see Result in tensor.py
            result: Tensor = apply(self, [x1, x2], {})
            return result
        except PolytapeError as error:
            raise trimmed(error) from None

    def recorded(self, x1: Any, x2: Any, a1: Any, a2: Any, entry: Entry) -> Any:
        """The op on operands of one Kind of which at least one has a node."""
        scope: Scope = current_scope.get()
        if scope.trace is not None or type(a1) is Symbol or type(a2) is Symbol or entry.how != "kernel":
            return apply(self, [x1, x2], {})
        one = entry.out.one if self.one_is_neutral else None
        if one is not None and (a1 is one or a2 is one):
            result = a2 if a1 is one else a1
        else:
            result = entry.fn(a1, a2)
            if type(result) is not entry.array_type:
                result = entry.out.lift(result)
        if scope is NO_SCOPE or entry.out.category < FLOATING:
            return Tensor(result, entry.out, None)
        tapes1 = active_tapes(x1, scope) if isinstance(x1, Tensor) else ()
        tapes2 = active_tapes(x2, scope) if isinstance(x2, Tensor) else ()
        if not tapes1 and not tapes2:
            return Tensor(result, entry.out, None)
        plan = self.plan_of_few(2, (1 if tapes1 else 0) | (2 if tapes2 else 0))
        if not plan.useful:
            return Tensor(result, entry.out, None)
        nodes = (x1.node if tapes1 else None, x2.node if tapes2 else None)
        node = record(self, entry, plan, join(tapes1, tapes2, scope), nodes, (a1, a2), None, result)
        return Tensor(result, entry.out, node)

    def forget(self) -> None:
        """Drop what was resolved, after a registration."""
        super().forget()
        self.latest = None


class GeneralOp(Op):
    """Any other op: several operands with attributes, sequences, none at all."""

    def __call__(self, *args: Any, **given: Any) -> Any:
        try:
            operands, attributes = self.split(args, given)
            return apply(self, operands, attributes)
        except PolytapeError as error:
            raise trimmed(error) from None

    def split(self, args: tuple[Any, ...], given: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Operands and attributes of a call, whichever way they were given."""
        if len(args) > self.positional:
            raise too_many(self, len(args))
        for name, value in zip(self.parameters, args, strict=False):
            if name in given:
                raise TypeError(f"{self.name}() got multiple values for argument {name!r}")
            given[name] = value
        operands: list[Any] = []
        for name in self.operands:
            if name in given:
                operand = given.pop(name)
            elif name in self.optional:
                operand = None
            else:
                raise TypeError(f"{self.name}() missing required argument {name!r}")
            if self.variadic and name == self.operands[-1]:
                operands.extend(operand)
            else:
                operands.append(operand)
        check_attributes(self, given)
        return operands, given


def check_attributes(op: Op, given: dict[str, Any]) -> None:
    """Whether the attributes given are the op's, and none is missing."""
    for name in given:
        if name not in op.attributes:
            near = f" (has {', '.join(op.attributes)})" if op.attributes else ""
            raise TypeError(f"{op.name}() got an unexpected keyword argument {name!r}{near}")
    for name in op.attributes:
        if name not in given and name not in op.defaults:
            raise TypeError(f"{op.name}() missing required argument {name!r}")


def too_many(op: Op, got: int) -> TypeError:
    """Python's own error for too many positional arguments."""
    return TypeError(f"{op.name}() takes {op.positional} positional arguments but {got} were given")


def foreign(x: Any) -> bool:
    """Whether ``x`` is an object that ops take no operand from, so that its own operator may have a say."""
    import numpy as np

    return not isinstance(x, (Tensor, bool, int, float, complex, np.ndarray, np.generic, list, tuple))
