"""One queue of work per device, run in order when somebody waits; and faults that tests put into it.

Work that fails leaves its outputs poisoned. As on a real accelerator the program hears of it late: the first error is
raised by the next `synchronize` of that device (every copy to the host synchronises), and then forgotten.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Literal

from .memory import DEVICES

__all__ = ["Fault", "Stream", "inject", "pending", "streams", "synchronize"]

# Beyond this the queue runs what it holds: arrays wait in it, and the host's memory has an end.
_PENDING_AT_MOST: Final = 10_000


class Fault:
    """What `inject` put in place; leaving it as a context, or `remove`, takes it out again.

    Attributes:
        hits: how many ops it has met.
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

    def meet(self, op: str, at: str) -> None:
        """Delay or fail, if ``op`` at this point is what it waits for."""
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
        """Take the fault out; more than once is fine."""
        global _faults
        _faults = tuple(fault for fault in _faults if fault is not self)

    def __enter__(self) -> Fault:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
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
        op: the op's name, also ``"from_host"``, ``"to_host"``, ``"copy"``; ``"*"`` for every op.
        error: raised where the op would have run; None only delays.
        delay_s: seconds to wait first.
        at: ``"run"``: in the queue, so that the next synchronisation raises; ``"launch"``: at the call itself.
        times: how often; None for always.
    Returns:
        The fault, which is also a context manager that removes it.
    """
    global _faults
    fault = Fault(op, error, delay_s, at, times)
    _faults = (*_faults, fault)
    return fault


def meet_faults(op: str, at: str) -> None:
    """Let injected faults act on ``op``.

    Raises:
        BaseException: what was injected.
    """
    for fault in _faults:
        fault.meet(op, at)


class Stream:
    """The queue of one device."""

    def __init__(self) -> None:
        self._work: deque[tuple[str, Callable[[], Any]]] = deque()
        self._error: BaseException | None = None
        # Held while work runs: work runs in order, whichever threads wait. Queuing needs no lock.
        self._running = threading.RLock()

    def __len__(self) -> int:
        return len(self._work)

    def enqueue(self, op: str, work: Callable[[], Any]) -> None:
        """Queue ``work``, done on behalf of ``op``.

        Raises:
            BaseException: what was injected for ``op`` at its launch.
        """
        meet_faults(op, "launch")
        self._work.append((op, work))
        if len(self._work) > _PENDING_AT_MOST:
            self._run()

    def _run(self) -> None:
        with self._running:
            while self._work:
                op, work = self._work.popleft()
                try:
                    meet_faults(op, "run")
                    work()
                except Exception as error:
                    if self._error is None:
                        error.add_note(f"raised by {op}, queued on polytape-sim earlier; its outputs are poisoned")
                        self._error = error

    def synchronize(self) -> None:
        """Wait for all that is queued.

        Raises:
            Exception: the first error of queued work since the last time.
        """
        with self._running:
            self._run()
            error, self._error = self._error, None
        if error is not None:
            raise error


streams: Final = tuple(Stream() for _ in range(DEVICES))


def synchronize(index: int | None = None) -> None:
    """Wait for one device, or for all.

    Raises:
        Exception: the first error of queued work there since the last time.
    """
    for stream in streams if index is None else (streams[index],):
        stream.synchronize()


def pending(index: int = 0) -> int:
    """How many ops wait in a device's queue."""
    return len(streams[index])
