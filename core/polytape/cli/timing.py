"""Time that a program spends where a backend has no kernel: in the bodies of ops, on the host, and in casts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from ..dispatch.resolve import observe, unobserve

__all__ = ["Spent", "timed"]


class Spent:
    """What one op took: the number of calls, and the seconds within them, those of other ops included."""

    def __init__(self, how: str) -> None:
        self.how: Final = how
        self.calls = 0
        self.time_s = 0.0


class _Timed:
    """What serves an op, timed."""

    def __init__(self, fn: Any, backend: Any, device: Any, spent: Spent, lock: Any) -> None:
        self.fn, self.backend, self.device = fn, backend, device
        self.spent, self.lock = spent, lock

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Call it, with the device idle before and after."""
        self.backend.synchronize(self.device)
        start = time.perf_counter()
        try:
            result = self.fn(*arrays, **attributes)
            self.backend.synchronize(self.device)
            return result
        finally:
            elapsed = time.perf_counter() - start
            with self.lock:
                self.spent.calls += 1
                self.spent.time_s += elapsed


@contextmanager
def timed(backend: str) -> Iterator[dict[str, Spent]]:
    """Count and time the calls of ops that a backend serves without a kernel of its own.

    Yields:
        Op -> what it took, filled while the context is open. ``how`` is ``body``, ``host``, or ``widened``: a kernel
        for a wider dtype between two casts.
    """
    spent: dict[str, Spent] = {}
    lock = threading.Lock()

    def observer(resolver: Any, resolution: Any) -> None:
        if resolver.backend.name != backend or resolution.how == "kernel":
            return
        with lock:
            entry = spent.setdefault(resolver.op.name, Spent(resolution.how))
        resolution.fn = _Timed(resolution.fn, resolver.backend, resolver.device, entry, lock)
        # As a kernel would be: otherwise a tape follows the ops in the body, and the body is never called.
        resolution.how = "kernel"

    observe(observer)
    try:
        yield spent
    finally:
        unobserve(observer)
