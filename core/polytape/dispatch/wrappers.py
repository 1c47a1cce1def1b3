"""Wrappers that make kernels of functions which need their op: unchecked kernels, and the bodies of ops."""

from __future__ import annotations

from typing import Any, Final

from ..registry.op import Op
from ..registry.tensor_type import TensorType
from ..tensors.scope import NO_SCOPE, current_scope
from ..tensors.tensor import Tensor

__all__ = ["Body", "Unchecked"]


SPECS: Final = 256  # how many specs an unchecked kernel remembers


def fixed(value: Any) -> bool:
    """Whether an attribute may be part of a dict's key: 2 and 2.0 are the same key, but not the same size."""
    if type(value) is tuple:
        for item in value:
            if type(item) is not int:
                return False
        return True
    return type(value) is int or value is None or type(value) is bool


class Unchecked:
    """A kernel that does not check shapes itself: the op's shape rule runs first and provides ``spec``.

    The rule is interpreted and takes microseconds, so its results are remembered by the operands' shapes and the
    attributes that it reads.
    """

    __slots__ = ("fn", "latest", "op", "result_types", "specs")

    def __init__(self, fn: Any, op: Op, result_types: tuple[TensorType, ...]) -> None:
        self.fn: Any = fn
        self.op: Op = op
        self.result_types: tuple[TensorType, ...] = result_types
        self.specs: dict[Any, Any] = {}
        # The shapes and the spec of the latest call with two operands and no attributes, the most common one.
        self.latest: tuple[Any, Any, Any] = (None, None, None)

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Run the shape rule, then the kernel."""
        if not attributes and len(arrays) == 2 and arrays[0] is not None and arrays[1] is not None:
            x1, x2 = arrays[0], arrays[1]
            shape1, shape2 = x1.shape, x2.shape
            latest = self.latest
            if shape1 == latest[0] and shape2 == latest[1]:
                return self.fn(x1, x2, spec=latest[2])
            if not self.op.shape_attributes:
                spec = self.spec(arrays, attributes)
                self.latest = (shape1, shape2, spec)
                return self.fn(x1, x2, spec=spec)
        key: Any = tuple([None if array is None else array.shape for array in arrays])
        op = self.op
        if op.shape_attributes:
            values = [attributes[name] if name in attributes else op.defaults.get(name) for name in op.shape_attributes]
            key = (key, *values)
            for value in values:
                if not fixed(value):
                    return self.fn(*arrays, spec=self.spec(arrays, attributes), **attributes)
        spec = self.specs.get(key)
        if spec is None:
            spec = self.spec(arrays, attributes)
            if len(self.specs) >= SPECS:
                self.specs.clear()
            self.specs[key] = spec
        return self.fn(*arrays, spec=spec, **attributes)

    def spec(self, arrays: Any, attributes: dict[str, Any]) -> Any:
        """Shape and dtype of each output."""
        shapes = self.op.output_shapes(arrays, attributes)
        return tuple([(shape, tensor_type.dtype) for shape, tensor_type in zip(shapes, self.result_types, strict=True)])


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
