"""The members of the backend that allocate memory and move it between host and devices."""

from __future__ import annotations

from typing import Any

import numpy as np

from polytape.backend import MemoryInfo
from polytape.device import Device

from .streams import Queues

__all__ = ["Memory"]

Array = Any
HostArray = np.ndarray[Any, Any]


class Memory:
    """The memory functions, implemented with the module ``xp``.

    Args:
        xp: the module ``cupy``.
        queues: the streams, which reads wait for.
    """

    __slots__ = ("_queues", "_xp")

    def __init__(self, xp: Any, queues: Queues) -> None:
        self._xp = xp
        self._queues = queues

    def __repr__(self) -> str:
        return f"Memory({self._xp.__name__})"

    def from_host(self, array: HostArray, device: Device) -> Array:
        """A copy of ``array`` on ``device``, in C order; ``array`` may be changed as soon as this returns."""
        with self._xp.cuda.Device(device.index):
            return self._xp.array(array, order="C")

    def to_host(self, array: Array) -> HostArray:
        """A copy of ``array`` on the host; waits until it is complete."""
        if not self._queues.used:
            host: HostArray = self._xp.asnumpy(array)
            return host
        index = array.device.id
        with self._xp.cuda.Device(index):
            self._queues.settle(index)
            host = self._queues.explained(index, lambda: self._xp.asnumpy(array))
        return host

    def copy(self, array: Array, device: Device) -> Array:
        """A copy of ``array``, which may be on another device, on ``device`` and in C order."""
        with self._xp.cuda.Device(device.index):
            if not self._queues.used:
                return array.copy("C")  # cupy copies to the current device
            self._queues.settle(array.device.id)
            return self._queues.run(device.index, "copy", lambda x: x.copy("C"), (array,), {})

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any], device: Device) -> Array:
        """An uninitialized array on ``device``."""
        with self._xp.cuda.Device(device.index):
            return self._xp.empty(shape, dtype)

    def synchronize(self, device: Device) -> None:
        """Wait for all streams of ``device``."""
        self._queues.synchronize_device(device.index)

    def lift(self, value: Any) -> Array:
        """``value`` as a cupy array; an array, which is what all cupy functions return, is returned unchanged."""
        return value if isinstance(value, self._xp.ndarray) else self._xp.asarray(value)

    def exclusive(self, array: Array) -> bool:
        """Whether ``array`` is not a view and its memory is from cupy's pool, not from another library."""
        return array.base is None and isinstance(array.data.mem, self._xp.cuda.memory.PooledMemory)

    def to_dlpack(self, array: Array, *, stream: Any, max_version: Any) -> Any:
        """The DLPack capsule of ``array``, whose consumer waits for the calling thread's stream."""
        with self._xp.cuda.Device(array.device.id):
            self._queues.settle(array.device.id)
        if max_version is not None:
            try:
                return array.__dlpack__(stream=stream, max_version=max_version)
            except TypeError:
                pass  # cupy before 14 knows only the first version of the protocol, which every consumer reads
        return array.__dlpack__(stream=stream)

    def from_dlpack(self, x: Any, device: Device) -> Array:
        """An array that shares the memory of ``x``, an array of any library on ``device``."""
        with self._xp.cuda.Device(device.index):
            return self._xp.from_dlpack(x)

    def dlpack_device(self, device: Device) -> tuple[int, int]:
        """DLPack's type of CUDA devices, and the number of ``device``."""
        return (2, device.index)

    def info(self, device: Device) -> MemoryInfo:
        """The number of bytes in use in cupy's pool, and the total memory of the device."""
        with self._xp.cuda.Device(device.index):
            used = int(self._xp.get_default_memory_pool().used_bytes())
            total = int(self._xp.cuda.runtime.memGetInfo()[1])
        return MemoryInfo(used, -1, total)
