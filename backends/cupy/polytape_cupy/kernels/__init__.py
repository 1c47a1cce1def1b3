"""The shared kernels of polytape_numpy, each run on the device of its operands, and kernels specific to cupy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel
from polytape_numpy.kernels import build

from ..streams import Queues
from . import indexing, optim

__all__ = ["kernels"]

Array = Any
# The families whose kernels have been compared with cupy's names and signatures; other ops run their bodies.
FAMILIES: Final = (
    "arithmetic", "bitwise", "complex_parts", "creation", "cumulative", "exponential", "indexing", "joining", "logic",
    "manipulation", "movement", "nn.activations", "nn.losses", "optim", "predicates", "products", "random",
    "reduction", "representation", "rounding", "sorting", "trigonometric",
)  # fmt: skip


def kernels(xp: Any, devices: int, queues: Queues | None = None) -> list[Kernel]:
    """The backend's kernels.

    Args:
        xp: the module ``cupy``.
        devices: the number of devices; a single device is always the current one.
        queues: the streams that kernels may be queued on.
    """
    own = [*indexing.kernels(xp), *optim.kernels(xp)]
    # An own kernel for every dtype replaces the shared kernel; one for some dtypes takes precedence over it.
    replaced = {kernel.op for kernel in own if kernel.dtypes == ("any",)}
    result = [*own, *(kernel for kernel in build(xp, FAMILIES) if kernel.op not in replaced)]
    for kernel in result if queues is not None else ():
        kernel.fn = _on_queue(queues, devices, xp, kernel.op, kernel.fn)
    if devices > 1:
        for kernel in result:
            kernel.fn = _on_device(xp, kernel.op, kernel.fn)
    return result


def _on_queue(queues: Any, devices: int, xp: Any, op: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn``, whose operands are kept until it has run while the program has streams."""
    current = xp.cuda.runtime.getDevice

    def queued(*operands: Any, **attributes: Any) -> Any:
        if not queues.used:
            return fn(*operands, **attributes)
        return queues.run(current() if devices > 1 else 0, op, fn, operands, attributes)

    queued.__name__ = queued.__qualname__ = op
    return queued


def _on_device(xp: Any, op: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn``, run with the operands' device as the current one, or without operands the attribute ``device``.

    cupy launches kernels on the current device: it would read operands on other devices over the bus, or raise an
    error.
    """
    array_type, current, switch = xp.ndarray, xp.cuda.runtime.getDevice, xp.cuda.Device

    def launch(*operands: Any, **attributes: Any) -> Any:
        index = None
        for operand in operands:
            if type(operand) is array_type:  # the others are host operands or None
                index = operand.device.id
                break
        else:
            device = attributes.get("device")
            index = None if device is None else device.index
        if index is None or index == current():
            return fn(*operands, **attributes)
        with switch(index):
            return fn(*operands, **attributes)

    launch.__name__ = launch.__qualname__ = op
    return launch
