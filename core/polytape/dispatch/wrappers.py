"""Wrappers that make kernels of functions which need their op: unchecked kernels, and the bodies of ops."""

from __future__ import annotations

from typing import Any

from ..registry.op import Op
from ..registry.tensor_type import TensorType
from ..tensors.scope import NO_SCOPE, current_scope
from ..tensors.tensor import Tensor

__all__ = ["Body", "Unchecked"]


class Unchecked:
    """A kernel that does not check shapes itself: the op's shape rule runs first and provides ``spec``."""

    __slots__ = ("fn", "op", "result_types")

    def __init__(self, fn: Any, op: Op, result_types: tuple[TensorType, ...]) -> None:
        self.fn: Any = fn
        self.op: Op = op
        self.result_types: tuple[TensorType, ...] = result_types

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Run the shape rule, then the kernel."""
        shapes = self.op.output_shapes(arrays, attributes)
        spec = tuple([(shape, tensor_type.dtype) for shape, tensor_type in zip(shapes, self.result_types, strict=True)])
        return self.fn(*arrays, spec=spec, **attributes)


class Body:
    """An op's body as a kernel: wraps native arrays in tensors, runs the body, and returns native arrays."""

    __slots__ = ("op", "operand_types")

    def __init__(self, op: Op, operand_types: tuple[TensorType | None, ...]) -> None:
        self.op: Op = op
        self.operand_types: tuple[TensorType | None, ...] = operand_types

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Run the body on tensors that no tape follows.

        The shape rule runs first: the ops in the body may accept more than the op itself.
        """
        self.op.output_shapes(list(arrays), attributes)
        operands = [
            None if tensor_type is None else Tensor(array, tensor_type, None)
            for array, tensor_type in zip(arrays, self.operand_types, strict=True)
        ]
        scope = current_scope.get()
        try:
            current_scope.set(NO_SCOPE)  # inside the try block: Ctrl-C may arrive as soon as it is set
            result = self.op.run_body(operands, attributes)
        finally:
            current_scope.set(scope)
        if isinstance(result, Tensor):
            return result.array
        return tuple([output.array for output in result])
