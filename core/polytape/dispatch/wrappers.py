"""What core wraps around a function before it serves as a kernel and needs the op to do so."""

from __future__ import annotations

from typing import Any

from ..registry.kinds import Kind
from ..registry.op import Op
from ..tensors.scope import NO_SCOPE, current_scope
from ..tensors.tensor import Tensor

__all__ = ["Body", "Unchecked"]


class Unchecked:
    """A kernel that cannot see a bad shape itself: the op's shape rule runs first and hands it the outputs' spec."""

    __slots__ = ("fn", "op", "outs")

    def __init__(self, fn: Any, op: Op, outs: tuple[Kind, ...]) -> None:
        self.fn: Any = fn
        self.op: Op = op
        self.outs: tuple[Kind, ...] = outs

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Run the shape rule, then the kernel."""
        shapes = self.op.output_shapes(arrays, attributes)
        spec = tuple([(shape, kind.dtype) for shape, kind in zip(shapes, self.outs, strict=True)])
        return self.fn(*arrays, spec=spec, **attributes)


class Body:
    """An op's body as a kernel: wraps native arrays, runs the ops it is made of, unwraps."""

    __slots__ = ("kinds", "op")

    def __init__(self, op: Op, kinds: tuple[Kind | None, ...]) -> None:
        self.op: Op = op
        self.kinds: tuple[Kind | None, ...] = kinds

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Run the body on tensors that no tape follows."""
        operands = [
            None if kind is None else Tensor(array, kind, None) for array, kind in zip(arrays, self.kinds, strict=True)
        ]
        token = current_scope.set(NO_SCOPE)
        try:
            result = self.op.run_body(operands, attributes)
        finally:
            current_scope.reset(token)
        if isinstance(result, Tensor):
            return result.array
        return tuple([one.array for one in result])
