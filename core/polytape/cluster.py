"""The contract of ``Backend(compile=...)``: what a backend is given to compile.

A cluster is a part of a graph that may run as one call: steps on one device, of arrays that all have one shape. Its
values are numbered: the inputs first, then each step's result. A step is elementwise, or a reduction (``sum``,
``mean``, ``max``, ``min``) along the last axis or of all elements. The result of a reduction along the last axis that
keeps the axis has one element per row; other steps may read it, and elementwise ones of such values have results like
it. No step reads the result of another reduction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["Cluster", "Compiled", "Number", "Step", "Value"]

Compiled = Callable[..., Any]


class Value(NamedTuple):
    """An input of a cluster, or the result of a step.

    Attributes:
        shape: of an input, it broadcasts to the cluster's shape; of a result, it is the cluster's shape, or that of a
            reduction's result.
        dtype: a NumPy dtype.
    """

    shape: tuple[int, ...]
    dtype: Any


class Number(NamedTuple):
    """A number as an operand.

    Attributes:
        value: the Python number.
        dtype: the NumPy dtype that it has in the step.
        array: the same as a native array of shape ().
    """

    value: complex
    dtype: Any
    array: Any


class Step(NamedTuple):
    """One call of an op.

    Attributes:
        op: the op's name.
        operands: numbers of values, or numbers as operands.
        attributes: of the call; without those that have their default.
        result: the type of the result.
        kernel: the backend's kernel that serves the call: ``(*native arrays, **attributes) -> array``.
        out: whether the kernel accepts ``out=``; see `polytape.Kernel`.
        checked: if False, the kernel needs ``spec=``; see `polytape.Kernel`.
    """

    op: str
    operands: tuple[int | Number, ...]
    attributes: dict[str, Any]
    result: Value
    kernel: Callable[..., Any]
    out: bool
    checked: bool


class Cluster(NamedTuple):
    """Steps that a backend may compile to one function.

    Attributes:
        shape: of the arrays: of all results but those of reductions.
        device: where the arrays are.
        inputs: the types of the arguments.
        steps: in an order in which they can run.
        outputs: the numbers of the values that the function returns.
    """

    shape: tuple[int, ...]
    device: Any
    inputs: tuple[Value, ...]
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]

    def key(self) -> str:
        """A text that is equal for clusters that compute the same: for caches in memory and on disk."""
        lines = [f"{self.device.backend}:{self.device.kind} {list(self.shape)} -> {list(self.outputs)}"]
        lines += [f"{number}: {value.dtype}{list(value.shape)}" for number, value in enumerate(self.inputs)]
        for number, step in enumerate(self.steps, start=len(self.inputs)):
            operands = [f"{x.dtype}({x.value!r})" if isinstance(x, Number) else f"%{x}" for x in step.operands]
            attributes = [f"{name}={value!r}" for name, value in sorted(step.attributes.items())]
            shape = "" if step.result.shape == self.shape else list(step.result.shape)
            lines.append(f"{number}: {step.result.dtype}{shape} = {step.op}({', '.join([*operands, *attributes])})")
        return "\n".join(lines)

    def run(self, *arrays: Any) -> Any:
        """The results of the steps' kernels one after another, as a compiled function returns them."""
        values = list(arrays)
        for step in self.steps:
            operands = [x.array if isinstance(x, Number) else values[x] for x in step.operands]
            spec = {} if step.checked else {"spec": ((step.result.shape, step.result.dtype),)}
            values.append(step.kernel(*operands, **step.attributes, **spec))
        results = tuple(values[number] for number in self.outputs)
        return results if len(results) > 1 else results[0]

    def merged(self) -> tuple[tuple[int, ...], list[tuple[int, ...]]]:
        """The shape and those of the inputs, with neighbouring axes merged wherever all inputs allow it.

        An axis of length 1 disappears, and so does each of two axes along which every input is either full or
        broadcast: in C order, elements lie as before. A loop over the result has as few axes as possible, and the shape
        of an input has its full length or 1 along each.
        """
        padded = [(1,) * (len(self.shape) - len(value.shape)) + value.shape for value in self.inputs]
        axes: list[int] = []
        parts: list[list[int]] = [[] for _ in padded]
        before: list[bool] | None = None
        for axis, length in enumerate(self.shape):
            if length == 1:
                continue
            full = [shape[axis] == length for shape in padded]
            if full != before:
                axes.append(1)
                for part in parts:
                    part.append(1)
            axes[-1] *= length
            for part, is_full in zip(parts, full, strict=True):
                part[-1] *= length if is_full else 1
            before = full
        return tuple(axes), [tuple(part) for part in parts]
