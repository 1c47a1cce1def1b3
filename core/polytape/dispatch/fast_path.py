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
from .slow_path import apply, failure, finish, given, recover

__all__ = ["BinaryOp", "GeneralOp", "Op", "UnaryOp"]


class UnaryOp(Unary):
    """An op whose only operand is its first parameter."""

    latest: Resolution | None = None

    def __call__(self, x: Any, /, *args: Any, **attributes: Any) -> Any:
        """Run the op."""
        if not args and not attributes and not self.required:
            return self.operate(x)
        attributes = self.bind(args, attributes)
        if isinstance(x, Tensor):
            resolution = self.table.get(x.type)
            if resolution is not None and not given(self.dtype_attributes, attributes):
                return self.run(x, resolution, attributes)
        try:
            return apply(self, [x], attributes)
        except PolytapeError as error:
            raise trimmed(error) from None

    def bind(self, args: tuple[Any, ...], attributes: dict[str, Any]) -> dict[str, Any]:
        """The attributes of a call: those given by position are added to those given by name."""
        if args:
            names = self.parameters[1 : self.positional]
            if len(args) > len(names):
                raise too_many(self, 1 + len(args))
            for name, value in zip(names, args, strict=False):
                if name in attributes:
                    raise TypeError(f"{self.name}() got multiple values for argument {name!r}")
                attributes[name] = value
        try:
            check_attributes(self, attributes)
        except PolytapeError as error:
            raise trimmed(error) from None
        return attributes

    def operate(self, x: Any) -> Any:
        """Run the op on ``x`` with default attributes."""
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

    def run(self, x: Tensor, resolution: Resolution, attributes: dict[str, Any] | None) -> Any:
        """Run the op on a tensor whose type is resolved already."""
        array = x.array
        if x.node is not None:
            scope = current_scope.get()
            if scope.trace is not None or type(array) is Symbol or resolution.how != "kernel":
                try:
                    return apply(self, [x], attributes or {})
                except PolytapeError as error:
                    raise trimmed(error) from None
        try:
            result = resolution.fn(array, **attributes) if attributes else resolution.fn(array)
        except Exception as error:
            raise failure(self, [x], attributes or {}, error) from None
        if type(result) is not resolution.array_type:
            result = resolution.result_type.lift(result)
        node = None if x.node is None else self.make_node(x, resolution, array, attributes, result)
        return Tensor(result, resolution.result_type, node)

    def make_node(
        self, x: Tensor, resolution: Resolution, array: Any, attributes: dict[str, Any] | None, result: Any
    ) -> Node | None:
        """The node that records the op; None if no open tape follows the operand."""
        scope = current_scope.get()
        if scope is NO_SCOPE or resolution.result_type.category < FLOATING:
            return None
        tapes = active_tapes(x, scope)
        if not tapes:
            return None
        plan = plan_of_few(self, 1, 1)
        if not plan.useful:
            return None
        return record(self, resolution, plan, tapes, (x.node,), (array,), attributes, result)

    def forget(self) -> None:
        """Drop all resolutions, after a registration."""
        super().forget()
        self.latest = None


class BinaryOp(Binary):
    """An op with two operands and no attributes."""

    latest: Resolution | None = None

    def __call__(self, x1: Any, x2: Any, /) -> Any:
        """Run the op."""
        # The most common call, handled here to save another function call.
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
        """Run the op on two operands, one of which is a tensor; NotImplemented if the other one is foreign."""
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
                return self.apply_unless_foreign(x1, x2)
            if a2 is None:
                a2 = self.second_number(x2, tensor_type)
            elif a1 is None:
                a1 = tensor_type.scalar(x1)
            if not plain:
                recorded: Tensor = self.run_recorded(x1, x2, a1, a2, resolution)
                return recorded
            # The seed gradient is 1.0, so the first products simply return the other operand: this is safe, because a
            # tensor's array is never written.
            if self.one_is_neutral and (a1 is tensor_type.one or a2 is tensor_type.one):
                return Tensor(a2 if a1 is tensor_type.one else a1, tensor_type, None)
            result = resolution.fn(a1, a2)
        except Exception as error:
            outcome: list[Any] = [recover(self, x1, x2, error)]
            if isinstance(outcome[0], Exception):
                raise outcome.pop() from None  # a variable that keeps it would be a cycle with its traceback
            return outcome[0]  # type: ignore[no-any-return]  # see Result in tensor.py
        return Tensor(
            result if type(result) is resolution.array_type else resolution.result_type.lift(result),
            resolution.result_type,
            None,
        )

    def second_number(self, x2: Any, tensor_type: TensorType) -> Any:
        """The array of a Python number on the right of a tensor."""
        if self.number_rule is not None and type(x2) is int and x2 < 0:
            self.number_rule(1, x2, tensor_type.dtype)
        return tensor_type.scalar(x2)

    def apply_unless_foreign(self, x1: Any, x2: Any) -> Result:
        """Run the op by the slow path; NotImplemented if an operand is foreign."""
        if is_foreign(x1) or is_foreign(x2):
            return NotImplemented  # type: ignore[no-any-return]  # see Result in tensor.py
        result: Tensor = apply(self, [x1, x2], {})
        return result

    def run_recorded(self, x1: Any, x2: Any, a1: Any, a2: Any, resolution: Resolution) -> Any:
        """Run the op on operands of one type, at least one of which has a node, and record it on the open tapes."""
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
        """Drop all resolutions, after a registration."""
        super().forget()
        self.latest = None


class GeneralOp(Op):
    """Any other op: with several operands and attributes, with a sequence of operands, or without operands."""

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Run the op."""
        try:
            operands, attributes = self.split(args, keywords)
            result = self.repeat(operands, attributes)
            return apply(self, operands, attributes) if result is None else result
        except PolytapeError as error:
            raise trimmed(error) from None

    def repeat(self, operands: list[Any], attributes: dict[str, Any]) -> Any:
        """Run the op by the kernel of its latest call; None if that does not fit, or a trace follows an operand."""
        resolution = self.recent
        if resolution is None or not operands or len(operands) != len(resolution.operand_types):
            return None
        if self.host or given(self.dtype_attributes, attributes):
            return None  # if operands stay on the host, they do not decide the device
        arrays: list[Any] = []
        tensors = numbers = followed = False
        for position, x in enumerate(operands):
            operand_type = resolution.operand_types[position]
            if isinstance(x, Tensor):
                array = x.array
                if x.type is not operand_type or type(array) is Symbol:
                    return None
                if x.node is not None:
                    followed = True
                arrays.append(array)
                tensors = True
            elif x is None and operand_type is None:
                arrays.append(None)
            elif operand_type is not None and self.fits(position, x, operand_type):
                numbers = True
                arrays.append(operand_type.scalar(x))
            else:
                return None
        scope = current_scope.get() if followed else NO_SCOPE
        if not tensors or scope.trace is not None:
            return None
        if numbers and not any([isinstance(x, Tensor) and self.promoted(i) for i, x in enumerate(operands)]):
            return None  # the numbers alone decide the dtype
        try:
            result = resolution.fn(*arrays, **attributes) if attributes else resolution.fn(*arrays)
        except Exception as error:
            raise failure(self, operands, attributes, error) from None
        results = [resolution.lift(result)] if self.outputs is None else resolution.lift_all(result)
        if scope is NO_SCOPE and self.outputs is None:
            return Tensor(results[0], resolution.result_type, None)
        inputs = [x if isinstance(x, Tensor) else None for x in operands]
        return finish(self, resolution, inputs, tuple(arrays), attributes, results, scope)

    def fits(self, position: int, x: Any, operand_type: TensorType) -> bool:
        """Whether a Python number is converted to the type of the tensors that it promotes with."""
        return operand_type.takes(x) and operand_type.fits(x) and self.promoted(position) and self.number_rule is None

    def split(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The operands and the attributes of a call, given by position or by name."""
        by_name = keywords and any([name in self.operands for name in keywords])
        if self.leading and len(args) == len(self.operands) and not by_name:  # a short cut for most calls
            operands = list(args)
            if self.variadic:
                operands.extend(operands.pop())
            if keywords or self.attributes:
                check_attributes(self, keywords)
            return operands, keywords
        if len(args) > self.positional:
            raise too_many(self, len(args))
        for name, value in zip(self.parameters, args, strict=False):
            if name in keywords:
                raise TypeError(f"{self.name}() got multiple values for argument {name!r}")
            keywords[name] = value
        operands = []
        for name in self.operands:
            if name in keywords:
                operand = keywords.pop(name)
            elif name in self.optional:
                operand = None
            else:
                raise TypeError(f"{self.name}() missing required argument {name!r}")
            if self.variadic and name == self.operands[-1]:
                operands.extend(operand)
            else:
                operands.append(operand)
        check_attributes(self, keywords)
        return operands, keywords


def is_foreign(x: Any) -> bool:
    """Whether ``x`` has a type that ops do not accept, so that Python should try the operator of ``x`` itself."""
    return not isinstance(x, (Tensor, bool, int, float, complex, np.ndarray, np.generic, list, tuple))
