"""`cupy.cuda` of the stand-in: two simulated devices, a current device per thread, and a pool that counts bytes.

Numbers are computed at once, but count as written only when their stream, or one that waits for it, was waited for: a
copy to the host of an array that is not yet written by then has all its bits set. ``broken[:] = [error]`` makes the
CUDA runtime raise an error from every call, as after an error of a kernel.

The environment variable ``CUPY_STAND_IN`` sets the number of devices or simulates a failure: ``no-driver``,
``no-device``, ``hang``, or ``broken`` (importing cupy raises an error).
"""

from __future__ import annotations

import os
import threading
import time
import weakref
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
        time.sleep(600.0)
    return int(MODE)


class _Current(threading.local):
    index = 0

    def __init__(self) -> None:
        self.streams: dict[int, Stream] = {}


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
        """Wait for all streams, and record the call."""
        _check()
        for stream in list(streams):
            if stream.device_id in (self.id, -1):
                stream.finish(stream.queued)
        synchronized.append(self.id)


broken: list[Exception] = []


def _check() -> None:
    if broken:
        raise broken[0]


class Stream:
    """A queue of work. ``queued`` counts the arrays written on it, and ``finished`` those that are complete."""

    null: Stream

    def __init__(
        self, null: bool = False, non_blocking: bool = False, ptds: bool = False, priority: int | None = None
    ) -> None:
        self.device_id = -1 if null else current()
        self.queued = self.finished = 0
        self.waits: dict[Stream, int] = {}
        streams.add(self)

    def _check_device(self) -> None:
        _check()
        if self.device_id not in (-1, current()):
            raise RuntimeError(f"the stream was created on device {self.device_id}, but {current()} is the current one")

    def use(self) -> Stream:
        """Make it the current stream of the current device."""
        self._check_device()
        _current.streams[current()] = self
        return self

    def record(self, event: Event | None = None) -> Event:
        """An event after the work queued so far."""
        self._check_device()
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """Let later work run after the event."""
        _check()
        assert event.stream is not None
        for stream, position in ((event.stream, event.position), *event.waits.items()):
            self.waits[stream] = max(position, self.waits.get(stream, 0))

    def synchronize(self) -> None:
        """Wait for all work of this stream."""
        _check()
        self.finish(self.queued)

    def finish(self, position: int) -> None:
        """Complete the work up to a position, and what it waits for."""
        self.finished = max(self.finished, position)
        for stream, other in self.waits.items():
            stream.finished = max(stream.finished, other)

    @property
    def done(self) -> bool:
        """Whether all work is complete."""
        _check()
        return self.finished >= self.queued


class Event:
    """A place in a stream."""

    def __init__(self, block: bool = False, disable_timing: bool = False, interprocess: bool = False) -> None:
        self.stream: Stream | None = None
        self.position = 0
        self.waits: dict[Stream, int] = {}

    def record(self, stream: Stream | None = None) -> None:
        """Move it behind the work queued on a stream so far."""
        self.stream = get_current_stream() if stream is None else stream
        self.position, self.waits = self.stream.queued, dict(self.stream.waits)

    @property
    def done(self) -> bool:
        """Whether the work before it is complete."""
        _check()
        return self.stream is None or self.stream.finished >= self.position

    def synchronize(self) -> None:
        """Complete the work before it."""
        _check()
        if self.stream is not None:
            self.stream.finish(self.position)
            for stream, position in self.waits.items():
                stream.finish(position)


def get_current_stream(device_id: int = -1) -> Stream:
    """The current stream of this thread on a device."""
    return _current.streams.get(current() if device_id < 0 else device_id, Stream.null)


streams: weakref.WeakSet[Stream] = weakref.WeakSet()
Stream.null = Stream(null=True)
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
        self.writer = get_current_stream()
        self.writer.queued += 1
        self.position = self.writer.queued
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
