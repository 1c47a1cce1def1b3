"""One queue of work per device, which runs in order when the program waits for it; and faults that tests inject.

Work that fails leaves its outputs poisoned. As on a real accelerator, the error surfaces late: the next `synchronize`
of that device raises the first error and clears it. Every copy to the host synchronises.
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


class Stream:
    """The queue of one device."""

    def __init__(self) -> None:
        self._work: deque[tuple[str, Callable[[], Any]]] = deque()
        self._error: BaseException | None = None
        # Held while work runs, so that it runs in order even if several threads wait. Queuing needs no lock.
        self._running = threading.RLock()

    def __len__(self) -> int:
        return len(self._work)

    def enqueue(self, op: str, work: Callable[[], Any]) -> None:
        """Queue ``work``, the work of ``op``.

        Raises:
            BaseException: the error that was injected for ``op`` at its launch.
        """
        apply_faults(op, "launch")
        self._work.append((op, work))
        if len(self._work) > _MAX_PENDING:
            self._run()

    def _run(self) -> None:
        with self._running:
            while self._work:
                op, work = self._work.popleft()
                try:
                    apply_faults(op, "run")
                    work()
                except Exception as error:
                    if self._error is None:
                        error.add_note(f"raised by {op}, queued on polytape-sim earlier; its outputs are poisoned")
                        self._error = error

    def synchronize(self) -> None:
        """Wait until all queued work is done.

        Raises:
            Exception: the first error of queued work since the last synchronisation.
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
        Exception: the first error of queued work there since the last synchronisation.
    """
    for stream in streams if index is None else (streams[index],):
        stream.synchronize()


def pending(index: int = 0) -> int:
    """The number of ops in a device's queue."""
    return len(streams[index])
