"""The eager fast path: ops as callable objects, and one dict per op from tensor type to kernel.

An op tries in this order: compare the operands' types by identity and call the kernel on their native arrays; do the
same and record it, for operands that have a node; otherwise call `apply`, which handles every other case.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.gradient_plan import plan_of_few
from ..autodiff.record import active_tapes, join, record
from ..dtypes import FLOATING
from ..errors import PolytapeError
from ..registry.op import Binary, Op, Unary, check_attributes, too_many
from ..registry.resolution import Resolution
from ..registry.tensor_type import TensorType
from ..settings import trimmed
from ..tensors.node import Node
from ..tensors.scope import NO_SCOPE, Scope, current_scope
from ..tensors.tensor import Result, Symbol, Tensor
from .slow_path import apply, failure

__all__ = ["BinaryOp", "GeneralOp", "Op", "UnaryOp"]


class UnaryOp(Unary):
    """An op whose only operand is its first parameter."""

    latest: Resolution | None = None

    def __call__(self, x: Any, /, *args: Any, **attributes: Any) -> Any:
        """Run the op."""
        if not args and not attributes and not self.required:
            return self.operate(x)
        given = self.bind(args, attributes)
        if isinstance(x, Tensor):
            resolution = self.table.get(x.type)
            if resolution is not None and not self.settled(given):
                return self.run(x, resolution, given)
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
            tensor_type = x.type
            resolution = self.latest
            if resolution is None or resolution.shared_type is not tensor_type:
                resolution = self.table.get(tensor_type)
                if resolution is not None:
                    self.latest = resolution
            if resolution is not None:
                return self.run(x, resolution, None)
        try:
            return apply(self, [x], {})
        except PolytapeError as error:
            raise trimmed(error) from None

    def run(self, x: Tensor, resolution: Resolution, given: dict[str, Any] | None) -> Any:
        """The op on a tensor whose type the table knows."""
        array = x.array
        if x.node is not None:
            scope = current_scope.get()
            if scope.trace is not None or type(array) is Symbol or resolution.how != "kernel":
                try:
                    return apply(self, [x], given or {})
                except PolytapeError as error:
                    raise trimmed(error) from None
        try:
            result = resolution.fn(array, **given) if given else resolution.fn(array)
        except Exception as error:
            raise failure(self, [x], given or {}, error) from None
        if type(result) is not resolution.array_type:
            result = resolution.result_type.lift(result)
        node = None if x.node is None else self.follow(x, resolution, array, given, result)
        return Tensor(result, resolution.result_type, node)

    def follow(
        self, x: Tensor, resolution: Resolution, array: Any, given: dict[str, Any] | None, result: Any
    ) -> Node | None:
        """The record of the op, where an open tape follows its operand."""
        scope = current_scope.get()
        if scope is NO_SCOPE or resolution.result_type.category < FLOATING:
            return None
        tapes = active_tapes(x, scope)
        if not tapes:
            return None
        plan = plan_of_few(self, 1, 1)
        if not plan.useful:
            return None
        return record(self, resolution, plan, tapes, (x.node,), (array,), given, result)

    def forget(self) -> None:
        """Drop what was resolved, after a registration."""
        super().forget()
        self.latest = None


class BinaryOp(Binary):
    """An op with two operands and no attributes."""

    latest: Resolution | None = None

    def __call__(self, x1: Any, x2: Any, /) -> Any:
        """Run the op."""
        # The commonest call, without another function's frame in between.
        if isinstance(x1, Tensor) and isinstance(x2, Tensor) and x1.node is None and x2.node is None:
            tensor_type = x1.type
            resolution = self.latest
            if x2.type is tensor_type and resolution is not None and resolution.shared_type is tensor_type:
                try:
                    result = resolution.fn(x1.array, x2.array)
                except Exception as error:
                    raise failure(self, [x1, x2], {}, error) from None
                return Tensor(
                    result if type(result) is resolution.array_type else resolution.result_type.lift(result),
                    resolution.result_type,
                    None,
                )
        result = self.operate(x1, x2)
        if result is NotImplemented:
            try:
                return apply(self, [x1, x2], {})
            except PolytapeError as error:
                raise trimmed(error) from None
        return result

    def operate(self, x1: Any, x2: Any) -> Result:
        """The op on two operands of which at least one is a tensor; NotImplemented for a foreign other one."""
        tensor_type: TensorType | None = None
        a1 = a2 = None
        plain = True
        if isinstance(x1, Tensor):
            a1 = x1.array
            plain = x1.node is None
            if isinstance(x2, Tensor):
                if x2.type is x1.type:
                    tensor_type = x1.type
                    a2 = x2.array
                    plain = plain and x2.node is None
            elif x1.type.takes(x2):
                tensor_type = x1.type
        elif isinstance(x2, Tensor) and x2.type.takes(x1):
            tensor_type = x2.type
            a2 = x2.array
            plain = x2.node is None
        resolution = self.latest
        if tensor_type is not None and (resolution is None or resolution.shared_type is not tensor_type):
            resolution = self.table.get(tensor_type)
            if resolution is not None:
                self.latest = resolution
        try:
            if tensor_type is None or resolution is None:
                return self.slow(x1, x2)
            if a2 is None:
                a2 = tensor_type.scalar(x2)
            elif a1 is None:
                a1 = tensor_type.scalar(x1)
            if not plain:
                recorded: Tensor = self.recorded(x1, x2, a1, a2, resolution)
                return recorded
            if self.one_is_neutral:
                # A backward pass starts at one: its products are the other factor, and arrays are never written.
                if a1 is tensor_type.one:
                    return Tensor(a2, tensor_type, None)
                if a2 is tensor_type.one:
                    return Tensor(a1, tensor_type, None)
            result = resolution.fn(a1, a2)
        except Exception as error:
            raise failure(self, [x1, x2], {}, error) from None
        return Tensor(
            result if type(result) is resolution.array_type else resolution.result_type.lift(result),
            resolution.result_type,
            None,
        )

    def slow(self, x1: Any, x2: Any) -> Result:
        """Everything that is not two tensors of one type, or one beside a Python number that fits it."""
        if foreign(x1) or foreign(x2):
            return NotImplemented  # type: ignore[no-any-return]  # see Result in tensor.py
        result: Tensor = apply(self, [x1, x2], {})
        return result

    def recorded(self, x1: Any, x2: Any, a1: Any, a2: Any, resolution: Resolution) -> Any:
        """The op on operands of one type of which at least one has a node."""
        scope: Scope = current_scope.get()
        if scope.trace is not None or type(a1) is Symbol or type(a2) is Symbol or resolution.how != "kernel":
            return apply(self, [x1, x2], {})
        one = resolution.result_type.one if self.one_is_neutral else None
        if one is not None and (a1 is one or a2 is one):
            result = a2 if a1 is one else a1
        else:
            result = resolution.fn(a1, a2)
            if type(result) is not resolution.array_type:
                result = resolution.result_type.lift(result)
        if scope is NO_SCOPE or resolution.result_type.category < FLOATING:
            return Tensor(result, resolution.result_type, None)
        tapes1 = active_tapes(x1, scope) if isinstance(x1, Tensor) else ()
        tapes2 = active_tapes(x2, scope) if isinstance(x2, Tensor) else ()
        if not tapes1 and not tapes2:
            return Tensor(result, resolution.result_type, None)
        plan = plan_of_few(self, 2, (1 if tapes1 else 0) | (2 if tapes2 else 0))
        if not plan.useful:
            return Tensor(result, resolution.result_type, None)
        nodes = (x1.node if tapes1 else None, x2.node if tapes2 else None)
        node = record(self, resolution, plan, join(tapes1, tapes2, scope), nodes, (a1, a2), None, result)
        return Tensor(result, resolution.result_type, node)

    def forget(self) -> None:
        """Drop what was resolved, after a registration."""
        super().forget()
        self.latest = None


class GeneralOp(Op):
    """Any other op: several operands with attributes, sequences, none at all."""

    def __call__(self, *args: Any, **given: Any) -> Any:
        """Run the op."""
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


def foreign(x: Any) -> bool:
    """Whether ``x`` is an object that ops take no operand from, so that its own operator may have a say."""
    return not isinstance(x, (Tensor, bool, int, float, complex, np.ndarray, np.generic, list, tuple))
