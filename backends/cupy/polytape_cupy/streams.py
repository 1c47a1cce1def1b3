"""CUDA streams for `polytape.Stream` and `polytape.Event`.

cupy orders the work of one stream only. While a program has streams, this module adds what polytape promises besides:
reading an array waits for its writer on whichever stream, the memory of an operand is not given to new arrays before
the work that reads it is done, and an error of queued work comes with the ops that it may be from. Before a program
creates a stream, none of this runs. It was written against cupy 14.2 and tested with a stand-in, not on a GPU.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Streams
from polytape.device import Device

__all__ = ["Queue", "Queues"]

_MOST_NAMED: Final = 8  # ops in the note of an error


class Queue:
    """A stream that a program has created. Its work is finished even if the program drops it.

    Attributes:
        raw: cupy's stream.
        index: the number of its device.
    """

    __slots__ = ("__weakref__", "index", "raw")

    def __init__(self, raw: Any, index: int) -> None:
        self.raw: Final = raw
        self.index: Final = index


class _Work:
    """The work on one stream of cupy that may not be finished: per launch an event after it, its op, and its operands.

    cupy gives the memory of a deleted array to the next array of the stream that it was allocated on, at once; work on
    another stream may still read it. The operands are therefore kept until their event is done.
    """

    __slots__ = ("launches", "lock", "owner")

    def __init__(self, owner: Callable[[], Any]) -> None:
        self.owner: Final = owner
        self.launches: Final[deque[tuple[Any, str, Any]]] = deque()
        self.lock: Final = threading.Lock()

    def add(self, event: Any, op: str, operands: Any) -> None:
        """Keep the operands of a launch, and drop those of launches that are done."""
        with self.lock:
            self.launches.append((event, op, operands))
        self.drop_finished()

    def drop_finished(self) -> None:
        """Drop the operands of launches that are done."""
        with self.lock:
            while self.launches and self.launches[0][0].done:
                self.launches.popleft()


class Queues:
    """The streams of all devices, and the work on them.

    Args:
        xp: the module ``cupy``.

    Attributes:
        used: whether the program has created a stream; before that, there is nothing to order.
    """

    __slots__ = ("_lock", "_work", "_xp", "used")

    def __init__(self, xp: Any) -> None:
        self._xp: Final = xp
        self._lock: Final = threading.Lock()
        self._work: Final[dict[int, dict[Any, _Work]]] = {}  # device -> stream of cupy -> work
        self.used: bool = False

    # --- the members of `polytape.backend.Streams` ---

    def protocol(self) -> Streams:
        """The functions that polytape calls."""
        return Streams(
            create=self.create,
            use=self.use,
            synchronize=self.synchronize,
            record=self.record,
            wait=self.wait,
            done=self.done,
            finish=self.finish,
        )

    def create(self, device: Device) -> Queue:
        """A new stream, which does not wait for the default stream."""
        with self._xp.cuda.Device(device.index):
            queue = Queue(self._xp.cuda.Stream(non_blocking=True), device.index)
        with self._lock:
            self.used = True
            work = self._work.setdefault(device.index, {})
            for raw in [raw for raw, held in work.items() if held.owner() is None and raw.done]:
                del work[raw]
            work[queue.raw] = _Work(weakref.ref(queue))
        return queue

    def use(self, device: Device, stream: Any) -> Any:
        """Make a stream the calling thread's, and return the one before, which may be a program's own one of cupy."""
        with self._xp.cuda.Device(device.index):
            before = self._xp.cuda.get_current_stream()
            self._raw(stream).use()
        return None if before == self._xp.cuda.Stream.null else before

    def synchronize(self, stream: Queue) -> None:
        """Wait for all work on a stream."""
        with self._xp.cuda.Device(stream.index):
            self.explained(stream.index, stream.raw.synchronize)
            self._drop_finished(stream.index)

    def record(self, device: Device, stream: Any) -> Any:
        """An event after the work on a stream; None: that of the calling thread."""
        with self._xp.cuda.Device(device.index):
            raw = self._xp.cuda.get_current_stream() if stream is None else self._raw(stream)
            return self.explained(device.index, lambda: raw.record(self._event()))

    def wait(self, device: Device, stream: Any, event: Any) -> None:
        """Let later work on a stream run after an event; None: that of the calling thread."""
        with self._xp.cuda.Device(device.index):
            raw = self._xp.cuda.get_current_stream() if stream is None else self._raw(stream)
            self.explained(device.index, lambda: raw.wait_event(event))

    def done(self, event: Any) -> bool:
        """Whether the work before an event is done."""
        result: bool = self.explained(None, lambda: event.done)
        return result

    def finish(self, event: Any) -> None:
        """Wait for the work before an event."""
        self.explained(None, event.synchronize)

    # --- what kernels and memory functions call ---

    def synchronize_device(self, index: int) -> None:
        """Wait for all work on a device; the operands that it read are then kept no longer."""
        with self._xp.cuda.Device(index):
            self.explained(index, self._xp.cuda.Device(index).synchronize)
            self._drop_finished(index)

    def _drop_finished(self, index: int) -> None:
        for work in list(self._work.get(index, {}).values()):
            work.drop_finished()

    def run(self, index: int, op: str, fn: Callable[..., Any], operands: Any, attributes: dict[str, Any]) -> Any:
        """Call a kernel on the current device, ``index``, and keep its operands until it has run."""

        def launch() -> Any:
            result = fn(*operands, **attributes)
            self._keep(index, op, operands)
            return result

        return self.explained(index, launch, op)

    def _keep(self, index: int, op: str, operands: Any) -> None:
        """Keep the operands of what was just queued on the calling thread's stream of the current device."""
        raw = self._xp.cuda.get_current_stream()
        work = self._work.setdefault(index, {}).get(raw)
        if work is None:  # the default stream, or a program's own one
            with self._lock:
                work = self._work[index].setdefault(raw, _Work(lambda: self))
        work.add(raw.record(self._event()), op, operands)

    def settle(self, index: int) -> None:
        """Let the calling thread's stream of the current device wait for all work that a device has now."""
        if self.used:
            self.explained(index, lambda: self._settle(index))

    def _settle(self, index: int) -> None:
        current, here = self._xp.cuda.get_current_stream(), self._xp.cuda.runtime.getDevice()
        with self._lock:
            streams = [self._xp.cuda.Stream.null, *self._work.get(index, ())]
        with self._xp.cuda.Device(index):
            events = [raw.record(self._event()) for raw in streams if index != here or raw != current]
        for event in events:
            current.wait_event(event)

    def explained(self, index: int | None, call: Callable[[], Any], op: str = "") -> Any:
        """``call()``; an error of the CUDA runtime gets a note with the ops that it may be from.

        After an error of work on a GPU, the CUDA runtime raises it from every call of the process.
        """
        try:
            return call()
        except self._xp.cuda.runtime.CUDARuntimeError as error:
            names = [op] if op else []
            for number in list(self._work) if index is None else [index]:
                for work in list(self._work.get(number, {}).values()):
                    names += [name for _, name, _ in list(work.launches) if name not in names]
            if names and not getattr(error, "__notes__", None):
                listed = ", ".join(names[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")
                error.add_note(
                    f"raised by one of the ops that were not known to be done: {listed}; with CUDA_LAUNCH_BLOCKING=1 "
                    "in the environment, each op raises its own errors"
                )
            raise

    def _event(self) -> Any:
        return self._xp.cuda.Event(disable_timing=True)

    def _raw(self, stream: Any) -> Any:
        if stream is None:
            return self._xp.cuda.Stream.null
        return stream.raw if isinstance(stream, Queue) else stream
