"""NumPy's kernels, taken over: each runs in the queue, on memory allocated when it was called.

All are registered with ``checked=False``: core has then passed the shape rule and gives the outputs' shapes and dtypes
as ``spec``, so an output exists, and shows its shape, before anything has run.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from polytape.backend import Kernel
from polytape.device import Device
from polytape.errors import BackendError
from polytape_numpy.kernels import build

from .memory import SimAccessError, SimArray, memory_of
from .stream import streams

__all__ = ["kernels"]

Spec = tuple[tuple[tuple[int, ...], Any], ...]


def kernels() -> list[Kernel]:
    """One queued kernel for each of NumPy's."""
    return [
        Kernel(
            kernel.op,
            _queued(kernel),
            dtypes=kernel.dtypes,
            when=kernel.when,
            priority=kernel.priority,
            checked=False,
            writes=kernel.writes,
        )
        for kernel in build(np)
    ]


def _written(kernel: Kernel) -> list[int]:
    """Positions of the operands that ``kernel`` overwrites."""
    if not kernel.writes:
        return []
    names = list(inspect.signature(kernel.fn).parameters)
    return [names.index(name) for name in kernel.writes]


def _device_of(op: str, operands: tuple[Any, ...], device: Device | None) -> int:
    """The index of the device an op runs on.

    Raises:
        SimAccessError: its operands are on different devices.
    """
    found = {operand.index for operand in operands if type(operand) is SimArray}
    if device is not None:
        found.add(device.index)
    if len(found) > 1:
        raise SimAccessError(
            f"{op} cannot read the memory of two devices.",
            expected="all operands on one device",
            got=", ".join(f"sim:{index}" for index in sorted(found)),
            fix="copy one operand to the other's device first",
        )
    return found.pop() if found else 0


def _queued(kernel: Kernel) -> Callable[..., Any]:
    """``kernel``, run later on the device's memory."""
    op, fn, written = kernel.op, kernel.fn, _written(kernel)

    def launch(*operands: Any, spec: Spec, **attributes: Any) -> Any:
        index = _device_of(op, operands, attributes.get("device"))
        if written:
            outputs = [operands[position] for position in written]
        else:
            outputs = [SimArray(shape, dtype, index) for shape, dtype in spec]
        inside = [memory_of(output) for output in outputs]
        # A host operand is copied now: its owner may write it before the queue gets here.
        arrays = [memory_of(a) if type(a) is SimArray else None if a is None else np.array(a) for a in operands]

        def work() -> None:
            found = fn(*arrays, **attributes)
            for memory, value in zip(inside, found if isinstance(found, tuple) else (found,), strict=True):
                if value is not memory:
                    _store(op, memory, value)

        streams[index].enqueue(op, work)
        return tuple(outputs) if len(outputs) > 1 else outputs[0]

    launch.__name__ = launch.__qualname__ = op
    return launch


def _store(op: str, memory: np.ndarray[Any, Any], value: Any) -> None:
    """Put a result where its output was allocated.

    Raises:
        BackendError: it is not what core announced: the op's shape or dtype rule differs from the kernel.
    """
    if np.shape(value) != memory.shape or value.dtype != memory.dtype:
        raise BackendError(
            f"{op} gave another output than its rules said.",
            expected=f"{memory.dtype}{list(memory.shape)}",
            got=f"{value.dtype}{list(np.shape(value))}",
            fix="mend the op's shape= or dtype= rule, or the kernel",
        )
    memory[...] = value
