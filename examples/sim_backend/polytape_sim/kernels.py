"""NumPy's kernels, wrapped: each runs in the queue, on memory that is allocated when the kernel is called.

All are registered with ``checked=False``: core applies the op's shape rule first and passes the outputs' shapes and
dtypes as ``spec``, so an output exists, with its shape, before anything has run.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from polytape.backend import Cluster, Kernel, Number
from polytape.device import Device
from polytape.errors import BackendError
from polytape_numpy.kernels import build

from .memory import SimAccessError, SimArray, memory_of
from .stream import current

__all__ = ["compile_cluster", "kernels"]

Spec = tuple[tuple[tuple[int, ...], Any], ...]


def kernels() -> list[Kernel]:
    """One queued kernel for each of NumPy's kernels."""
    return [
        Kernel(
            kernel.op,
            _queued(kernel),
            dtypes=kernel.dtypes,
            when=kernel.when,
            priority=kernel.priority,
            checked=False,
            writes=kernel.writes,
            fresh=not kernel.writes,  # every call allocates its results
        )
        for kernel in build(np)
    ]


def _written_positions(kernel: Kernel) -> list[int]:
    """Positions of the operands that ``kernel`` overwrites."""
    if not kernel.writes:
        return []
    names = list(inspect.signature(kernel.fn).parameters)
    return [names.index(name) for name in kernel.writes]


def _device_of(op: str, operands: tuple[Any, ...], device: Device | None) -> int:
    """The index of the device that an op runs on.

    Raises:
        SimAccessError: its operands are on different devices.
    """
    indices = {operand.index for operand in operands if type(operand) is SimArray}
    if device is not None:
        indices.add(device.index)
    if len(indices) > 1:
        raise SimAccessError(
            f"{op} cannot read the memory of two devices.",
            expected="all operands on one device",
            got=", ".join(f"sim:{index}" for index in sorted(indices)),
            fix="copy one operand to the other's device first",
        )
    return indices.pop() if indices else 0


def _queued(kernel: Kernel) -> Callable[..., Any]:
    """A function that queues ``kernel``, to run later on the device's memory."""
    op, fn, written = kernel.op, kernel.fn, _written_positions(kernel)

    def launch(*operands: Any, spec: Spec, **attributes: Any) -> Any:
        index = _device_of(op, operands, attributes.get("device"))
        if written:
            outputs = [operands[position] for position in written]
        else:
            outputs = [SimArray(shape, dtype, index) for shape, dtype in spec]
        buffers = [memory_of(output) for output in outputs]
        # A host operand is copied now: its owner may write to it before the queued work runs.
        arrays = [memory_of(a) if type(a) is SimArray else None if a is None else np.array(a) for a in operands]

        def work() -> None:
            result = fn(*arrays, **attributes)
            for buffer, value in zip(buffers, result if isinstance(result, tuple) else (result,), strict=True):
                if value is not buffer:
                    _store(op, buffer, value)

        read = [operand for operand in operands if type(operand) is SimArray]
        current(index).enqueue(op, work, read, outputs)
        return tuple(outputs) if len(outputs) > 1 else outputs[0]

    launch.__name__ = launch.__qualname__ = op
    launch.on_host = fn  # type: ignore[attr-defined]  # for `compile_cluster`
    return launch


def compile_cluster(cluster: Cluster) -> Callable[..., Any] | None:
    """A function that queues all steps of a cluster as one piece of work, whose intermediate results take no memory."""
    if not all(hasattr(step.kernel, "on_host") for step in cluster.steps):
        return None  # a kernel of another distribution
    count = len(cluster.inputs)
    name = f"fused[{', '.join(step.op for step in cluster.steps)}]"
    specs = [cluster.steps[number - count].result for number in cluster.outputs]

    def launch(*operands: SimArray) -> Any:
        index = _device_of(name, operands, cluster.device)
        outputs = [SimArray(shape, dtype, index) for shape, dtype in specs]
        arrays, buffers = [memory_of(x) for x in operands], [memory_of(y) for y in outputs]

        def work() -> None:
            values: list[Any] = list(arrays)
            for step in cluster.steps:
                given = [np.asarray(x.value, x.dtype) if isinstance(x, Number) else values[x] for x in step.operands]
                values.append(step.kernel.on_host(*given, **step.attributes))  # type: ignore[attr-defined]
            for buffer, number in zip(buffers, cluster.outputs, strict=True):
                _store(name, buffer, values[number])

        current(index).enqueue(name, work, operands, outputs)
        return tuple(outputs) if len(outputs) > 1 else outputs[0]

    return launch


def _store(op: str, buffer: np.ndarray[Any, Any], value: Any) -> None:
    """Store a result in the buffer that was allocated for it.

    Raises:
        BackendError: the kernel returned another shape or dtype than the op's rules announced.
    """
    if np.shape(value) != buffer.shape or value.dtype != buffer.dtype:
        raise BackendError(
            f"{op} returned an output that does not match its shape and dtype rules.",
            expected=f"{buffer.dtype}{list(buffer.shape)}",
            got=f"{value.dtype}{list(np.shape(value))}",
            fix="correct the op's shape= or dtype= rule, or the kernel",
        )
    buffer[...] = value
