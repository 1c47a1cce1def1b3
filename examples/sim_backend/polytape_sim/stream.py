"""Queues of work, which run in order when the program waits for them; and faults that tests inject.

Each device has a default stream and those that programs create. Work that fails leaves its outputs poisoned. As on a
real accelerator, the error surfaces late: the next `synchronize` of that stream raises the first error and clears it.
Every copy to the host synchronises. A poisoned array never becomes data: work that reads it poisons its own outputs,
and a copy to the host raises the error of the op that failed.

Two streams run in any order. An op that reads what another stream writes, with no event between the two, would compute
with whatever is there on a real device; here it raises `SimRaceError` at once.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Literal

from polytape.errors import BackendError

from .memory import DEVICES, SimArray

__all__ = ["Event", "Fault", "SimRaceError", "Stream", "current", "inject", "pending", "streams", "synchronize", "use"]

# A longer queue is run: queued work keeps arrays alive, and the host's memory is limited.
_MAX_PENDING: Final = 10_000


class Fault:
    """An injected fault; the end of its ``with`` block, or `remove`, removes it.

    Attributes:
        hits: how many ops it has affected.
    """

    def __init__(
        self, op: str, error: BaseException | None, delay_s: float, at: Literal["run", "launch"], times: int | None
    ) -> None:
        self.op: Final = op
        self.error: Final = error
        self.delay_s: Final = delay_s
        self.at: Final = at
        self.hits = 0
        self._left = times
        self._lock = threading.Lock()

    def apply(self, op: str, at: str) -> None:
        """Delay or raise the error, if the fault is for ``op`` at this point."""
        if at != self.at or self.op not in (op, "*"):
            return
        with self._lock:
            if self._left == 0:
                return
            self.hits += 1
            if self._left is not None:
                self._left -= 1
        if self.delay_s:
            time.sleep(self.delay_s)
        if self.error is not None:
            raise self.error

    def remove(self) -> None:
        """Remove the fault; calling this more than once is fine."""
        global _faults
        _faults = tuple(fault for fault in _faults if fault is not self)

    def __enter__(self) -> Fault:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()


_faults: tuple[Fault, ...] = ()


def inject(
    op: str,
    error: BaseException | None = None,
    *,
    delay_s: float = 0.0,
    at: Literal["run", "launch"] = "run",
    times: int | None = 1,
) -> Fault:
    """Make an op slow, or fail.

    Args:
        op: the op's name, or ``"from_host"``, ``"to_host"``, ``"copy"``; ``"*"`` for every op.
        error: raised instead of running the op; None only delays it.
        delay_s: seconds to wait first.
        at: ``"run"``: in the queue, so that the next synchronisation raises; ``"launch"``: at the call itself.
        times: how many times the fault applies; None for no limit.
    Returns:
        The fault, which is also a context manager that removes it.
    """
    global _faults
    fault = Fault(op, error, delay_s, at, times)
    _faults = (*_faults, fault)
    return fault


def apply_faults(op: str, at: str) -> None:
    """Apply the injected faults to ``op``.

    Raises:
        BaseException: the error of a fault.
    """
    for fault in _faults:
        fault.apply(op, at)


class SimRaceError(BackendError):
    """An op uses an array that another stream may still write or read."""


class Use:
    """What the queues know of an array: who wrote it, who reads it, and the error that poisoned it.

    Attributes:
        written: the stream that writes it, and the position of that work in the stream.
        reads: per stream, the position of the last work that reads it.
        failure: the error of the work that should have written it.
    """

    __slots__ = ("failure", "reads", "written")

    def __init__(self) -> None:
        self.written: tuple[Stream, int] | None = None
        self.reads: dict[Stream, int] = {}
        self.failure: BaseException | None = None


def use_of(array: SimArray) -> Use:
    """The record of an array's use, which the array keeps."""
    found: Use | None = array.use
    if found is None:
        found = array.use = Use()
    return found


class Event:
    """A place in a stream: after all work that was queued there when the event was recorded.

    Attributes:
        seen: per stream, the position up to which its work precedes the event.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream: Final = stream
        self.position: Final = stream.queued
        self.seen: Final = {**stream.seen, stream: stream.queued}

    def done(self) -> bool:
        """Whether all work before it is done."""
        return self.stream.finished >= self.position

    def synchronize(self) -> None:
        """Wait until all work before it is done.

        Raises:
            Exception: as `Stream.synchronize`.
        """
        self.stream.synchronize(self.position)


class Stream:
    """A queue of one device.

    Attributes:
        index: of the device.
        queued, finished: how many pieces of work were queued, and how many of them have run.
        seen: per stream, the position up to which its work precedes all that is queued here from now on.
    """

    def __init__(self, index: int) -> None:
        self.index: Final = index
        self.queued = 0
        self.finished = 0
        self.seen: dict[Stream, int] = {}
        self._work: deque[tuple[str, Callable[[], Any], list[Use], list[Use]]] = deque()
        self._error: BaseException | None = None

    def __len__(self) -> int:
        return len(self._work)

    def enqueue(
        self, op: str, work: Callable[[], Any], reads: Sequence[SimArray] = (), writes: Sequence[SimArray] = ()
    ) -> None:
        """Queue ``work``, the work of ``op``, which reads and writes these arrays.

        Raises:
            SimRaceError: another stream writes or reads one of them, and no event orders the two.
            BaseException: the error that was injected for ``op`` at its launch.
        """
        apply_faults(op, "launch")
        read, written = [use_of(array) for array in reads], [use_of(array) for array in writes]
        self._check_order(op, read, written)
        self.queued += 1
        for use in read:
            use.reads[self] = self.queued
        for use in written:
            use.written = (self, self.queued)
            use.reads = {}
        with queuing:
            self._work.append((op, work, read, written))
            busy[self.index][self] = None  # keeps the stream alive, and runs it with the device
        if len(self._work) > _MAX_PENDING:
            self._run()

    def _check_order(self, op: str, read: list[Use], written: list[Use]) -> None:
        if all(stream is self for stream in list(busy[self.index])):
            return
        for use in read + written:
            if use.written is not None and not self._follows(*use.written):
                raise _race(op, "another stream writes")
        for use in written:
            for stream, position in use.reads.items():
                if not self._follows(stream, position):
                    raise _race(op, "another stream reads", "overwrites")

    def _follows(self, stream: Stream, position: int) -> bool:
        """Whether what is queued here now runs after the work at a position of a stream."""
        return stream is self or position <= self.seen.get(stream, 0) or position <= stream.finished

    def wait(self, event: Event) -> None:
        """Let the work that is queued here from now on run after an event."""
        if event.stream is self:
            return
        for stream, position in event.seen.items():
            self.seen[stream] = max(position, self.seen.get(stream, 0))
        self.enqueue("wait", lambda: event.stream._run(event.position))

    def _run(self, position: int | None = None) -> None:
        """Run the work up to a position; by default, all of it."""
        with running[self.index]:
            while self._work and (position is None or self.finished < position):
                op, work, read, written = self._work.popleft()
                failure = next((use.failure for use in read if use.failure is not None), None)
                try:
                    if failure is None:
                        apply_faults(op, "run")
                        work()
                except Exception as error:
                    error.add_note(f"raised by {op}, queued on polytape-sim earlier; its outputs are poisoned")
                    failure = error
                    self._error = self._error or error
                for use in written:
                    use.failure = failure
                self.finished += 1
            with queuing:
                if not self._work:
                    busy[self.index].pop(self, None)

    def synchronize(self, position: int | None = None) -> None:
        """Wait until the work up to a position is done; by default, all that is queued.

        Raises:
            Exception: the first error of queued work since the last synchronisation.
        """
        with running[self.index]:
            self._run(position)
            error, self._error = self._error, None
        if error is not None:
            raise error


def _race(op: str, why: str, what: str = "uses") -> SimRaceError:
    return SimRaceError(
        f"{op} {what} an array that {why}; nothing says which comes first.",
        expected="an event between the two",
        got="work on two streams of one device",
        fix="this_stream.wait(other_stream.record()) before the op",
    )


queuing: Final = threading.Lock()  # held for moments only: work is queued while other work runs
# Held while a device's work runs, so that it runs in order even if several threads wait.
running: Final = tuple(threading.RLock() for _ in range(DEVICES))
streams: Final = tuple(Stream(index) for index in range(DEVICES))  # the default one of each device
busy: Final[tuple[dict[Stream, None], ...]] = tuple({} for _ in range(DEVICES))  # streams with work, in order
_chosen: Final = threading.local()


def current(index: int) -> Stream:
    """The stream on which the calling thread queues work for a device."""
    chosen: dict[int, Stream] = getattr(_chosen, "streams", {})
    return chosen.get(index, streams[index])


def use(index: int, stream: Stream | None) -> Stream | None:
    """Choose the stream of a device for the calling thread; None is the default one. Returns what was chosen before."""
    chosen: dict[int, Stream] = _chosen.__dict__.setdefault("streams", {})
    before = chosen.pop(index, None)
    if stream is not None:
        chosen[index] = stream
    return before


def synchronize(index: int | None = None) -> None:
    """Wait for all streams of one device, or of all devices.

    Raises:
        Exception: the first error of queued work there since the last synchronisation.
    """
    errors = []
    for device in range(DEVICES) if index is None else (index,):
        # A stream without work may still have an error that nobody has seen.
        for stream in {streams[device]: None, current(device): None, **busy[device]}:
            try:
                stream.synchronize()
            except Exception as error:
                errors.append(error)
    if errors:
        raise errors[0]


def settle(array: SimArray) -> None:
    """Wait until an array is written.

    Raises:
        Exception: an error of the stream that writes it, or of the work that should have written it.
    """
    use = use_of(array)
    if use.written is not None:
        use.written[0].synchronize()
    if use.failure is not None:
        raise use.failure.with_traceback(None)


def pending(index: int = 0) -> int:
    """The number of ops in a device's queues."""
    return sum(len(stream) for stream in list(busy[index]))
