"""`cupy.cuda` of the stand-in: two simulated devices, a current device per thread, and a pool that counts bytes.

The environment variable ``CUPY_STAND_IN`` sets the number of devices or simulates a failure: ``no-driver``,
``no-device``, ``hang``, or ``broken`` (importing cupy raises an error).
"""

from __future__ import annotations

import os
import threading
import time
from types import SimpleNamespace
from typing import Any

MODE = os.environ.get("CUPY_STAND_IN", "2")
TOTAL_NBYTES = 1 << 30


class CUDARuntimeError(RuntimeError):
    """An error of the CUDA runtime, with the same text."""


def _device_count() -> int:
    if MODE == "no-driver":
        raise CUDARuntimeError(
            "cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version"
        )
    if MODE == "no-device":
        raise CUDARuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected")
    if MODE == "hang":
        time.sleep(60.0)
    return int(MODE)


class _Current(threading.local):
    index = 0


_current = _Current()


def current() -> int:
    """The current device of this thread."""
    return _current.index


def _set_device(index: int) -> None:
    if not 0 <= index < _device_count():
        raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
    _current.index = index


def _mem_get_info() -> tuple[int, int]:
    return TOTAL_NBYTES - used_nbytes[current()], TOTAL_NBYTES


class Device:
    """A device; as a context manager, it makes itself the current device."""

    def __init__(self, device: int | Device | None = None) -> None:
        self.id = current() if device is None else device.id if isinstance(device, Device) else int(device)
        self._before: list[int] = []

    def __enter__(self) -> Device:
        self._before.append(current())
        _set_device(self.id)
        return self

    def __exit__(self, *exc_info: object) -> None:
        _set_device(self._before.pop())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<CUDA Device {self.id}>"

    def use(self) -> None:
        """Make it the current device."""
        _set_device(self.id)

    def synchronize(self) -> None:
        """Record the call; the stand-in queues no work."""
        synchronized.append(self.id)


class Stream:
    """A stream; there is only the null stream."""

    null: Stream

    def synchronize(self) -> None:
        """Do nothing: the stand-in queues no work."""


Stream.null = Stream()
synchronized: list[int] = []  # the devices that were synchronized, for tests
used_nbytes = [0] * 8


class UnownedMemory:
    """Memory of another library."""

    def __init__(self, size: int) -> None:
        self.size, self.device_id = size, current()


class PooledMemory:
    """Memory from the pool; its bytes count as used while the object exists."""

    def __init__(self, size: int) -> None:
        self.size, self.device_id = size, current()
        self._used = used_nbytes  # when the interpreter exits, arrays are deleted after the names of this module
        self._used[self.device_id] += size

    def __del__(self) -> None:
        self._used[self.device_id] -= self.size


class MemoryPointer:
    """An address in device memory."""

    def __init__(self, mem: Any, ptr: int) -> None:
        self.mem, self.ptr = mem, ptr
        self.device_id = mem.device_id


class MemoryPool:
    """The pool of the current device."""

    def used_bytes(self) -> int:
        """The number of bytes that arrays occupy."""
        return used_nbytes[current()]


runtime = SimpleNamespace(
    CUDARuntimeError=CUDARuntimeError,
    getDevice=current,
    getDeviceCount=_device_count,
    memGetInfo=_mem_get_info,
    setDevice=_set_device,
)
memory = SimpleNamespace(
    MemoryPointer=MemoryPointer, MemoryPool=MemoryPool, PooledMemory=PooledMemory, UnownedMemory=UnownedMemory
)
