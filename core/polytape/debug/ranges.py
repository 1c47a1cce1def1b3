"""Named ranges of time in profiles: what `annotate` encloses, traced functions, backward passes, optimizer steps."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import ContextDecorator
from contextvars import ContextVar
from time import perf_counter_ns
from types import TracebackType
from typing import Any, Final

from .calls import Watcher, everywhere, state

__all__ = ["RangeWatcher", "annotate", "ranged"]


class RangeWatcher(Watcher):
    """A watcher that is also told of ranges."""

    def after_range(self, name: str, kind: str, start_ns: int, end_ns: int) -> None:
        """Take note of a range that has ended."""


# The ranges that this thread or task has entered, each with the watchers then and the time (ns).
_open: Final[ContextVar[tuple[tuple[Range, list[RangeWatcher], int], ...]]] = ContextVar(
    "polytape.debug.ranges", default=()
)


class Range(ContextDecorator):
    """A context manager, and a decorator of functions: what it encloses is a range of the profiles that are open.

    Args:
        name: shown in the profile.
        kind: ``function``, ``backward``, ``optimizer`` or ``annotation``.
    """

    def __init__(self, name: str, kind: str) -> None:
        self.name: Final = name
        self.kind: Final = kind

    def __enter__(self) -> Range:
        told = [x for x in (*everywhere.watchers, *state.get().watchers) if isinstance(x, RangeWatcher)]
        _open.set((*_open.get(), (self, list(dict.fromkeys(told)), perf_counter_ns())))
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        end_ns = perf_counter_ns()
        entries = _open.get()
        for position in range(len(entries) - 1, -1, -1):
            entered, told, start_ns = entries[position]
            if entered is self:
                _open.set(entries[:position] + entries[position + 1 :])
                for watcher in told:
                    watcher.after_range(self.name, self.kind, start_ns, end_ns)
                return


def annotate(name: str) -> Range:
    """Name what runs inside a ``with`` block, or inside a function that this decorates, in the profiles that are open.

    Outside a profile it does nothing.

    Args:
        name: shown in the trace, and by ``table(by="range")``.

    Example:
        >>> import polytape as pt
        >>> with pt.debug.profile() as p, pt.debug.annotate("squares"):
        ...     y = pt.square(pt.ones((3,)))
        >>> [row.name for row in p.rows(by="range")]
        ['squares']
    """
    return Range(str(name), "annotation")


def ranged(name: str, kind: str, run: Callable[..., Any]) -> Callable[..., Any]:
    """``run``, as a range."""

    @functools.wraps(run)
    def inside(*args: Any, **kwargs: Any) -> Any:
        with Range(name, kind):
            return run(*args, **kwargs)

    return inside
