"""The members of the backend that move memory: to a device, from it, and between two."""

from __future__ import annotations

from typing import Any

import numpy as np

from polytape.backend import MemoryInfo
from polytape.device import Device

__all__ = ["Memory"]

Array = Any
HostArray = np.ndarray[Any, Any]


class Memory:
    """Memory functions over the module ``xp``, each on the device it is given.

    Args:
        xp: the module ``cupy``.
    """

    __slots__ = ("_xp",)

    def __init__(self, xp: Any) -> None:
        self._xp = xp

    def __repr__(self) -> str:
        return f"Memory({self._xp.__name__})"

    def from_host(self, array: HostArray, device: Device) -> Array:
        """A copy of ``array`` on ``device``, in C order; the host's may be written as soon as this returns."""
        with self._xp.cuda.Device(device.index):
            return self._xp.array(array, order="C")

    def to_host(self, array: Array) -> HostArray:
        """A host copy of ``array``; waits for it."""
        host: HostArray = self._xp.asnumpy(array)
        return host

    def copy(self, array: Array, device: Device) -> Array:
        """A copy of ``array`` on ``device``, in C order, made by the driver where it comes from another device."""
        with self._xp.cuda.Device(device.index):
            return array.copy("C")  # copies to the current device, wherever the array is

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any], device: Device) -> Array:
        """An array of that shape on ``device``, with any contents."""
        with self._xp.cuda.Device(device.index):
            return self._xp.empty(shape, dtype)

    def synchronize(self, device: Device) -> None:
        """Wait for all streams of ``device``."""
        self._xp.cuda.Device(device.index).synchronize()

    def lift(self, value: Any) -> Array:
        """``value`` as an array of cupy's; arrays, which is all that cupy's functions give, as they are."""
        return value if isinstance(value, self._xp.ndarray) else self._xp.asarray(value)

    def exclusive(self, array: Array) -> bool:
        """Whether ``array`` is no view, and its memory came from cupy's pool rather than from another library."""
        return array.base is None and isinstance(array.data.mem, self._xp.cuda.memory.PooledMemory)

    def info(self, device: Device) -> MemoryInfo:
        """Bytes that arrays hold in cupy's pool, and the memory of the device in all."""
        with self._xp.cuda.Device(device.index):
            used = int(self._xp.get_default_memory_pool().used_bytes())
            total = int(self._xp.cuda.runtime.memGetInfo()[1])
        return MemoryInfo(used, -1, total)
