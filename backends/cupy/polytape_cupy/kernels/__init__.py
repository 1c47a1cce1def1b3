"""NumPy's kernels on cupy's arrays, each on its operands' device, and what cupy does another way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel
from polytape_numpy.kernels import build

from . import indexing, optim

__all__ = ["kernels"]

Array = Any


def kernels(xp: Any, devices: int) -> list[Kernel]:
    """The backend's kernels.

    Args:
        xp: the module ``cupy``.
        devices: how many there are; with a single one it is always the current device.
    """
    own = [*indexing.kernels(xp), *optim.kernels(xp)]
    # One that serves every dtype stands for the shared kernel; one that serves some goes before it.
    replaced = {kernel.op for kernel in own if kernel.dtypes == ("any",)}
    found = [*own, *(kernel for kernel in build(xp) if kernel.op not in replaced)]
    if devices > 1:
        for kernel in found:
            kernel.fn = _on_device(xp, kernel.op, kernel.fn)
    return found


def _on_device(xp: Any, op: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn`` with its operands' device current, or the one that the attribute ``device`` names.

    cupy launches on the current device: with operands elsewhere it would read them over the bus, or refuse.
    """
    array_type, current, switch = xp.ndarray, xp.cuda.runtime.getDevice, xp.cuda.Device

    def launch(*operands: Any, **attributes: Any) -> Any:
        index = None
        for operand in operands:
            if type(operand) is array_type:  # others are host operands, or were left out
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
