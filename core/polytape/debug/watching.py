"""Starting and ending a watcher; the wrappers are there only while there is one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ContextDecorator
from types import TracebackType
from typing import Any, Final, Self

from ..dispatch.resolve import Resolver, observe, unobserve
from ..locks import process_lock
from ..registry.resolution import Resolution
from .calls import State, Watched, Watcher, Watchers, everywhere, state
from .ranges import ranged

__all__ = ["Watching", "start", "stop"]

_lock: Final = process_lock()


class _Observer:
    """Wraps what serves ops, and the code that runs graphs."""

    def __init__(self) -> None:
        self.users = 0

    def __call__(self, resolver: Resolver, resolution: Resolution) -> None:
        resolution.fn = Watched(resolver, resolution)
        resolution.native_indexing = False  # indexing by the native array itself would not be seen

    def wrap_graph(self, name: str, run: Callable[..., Any]) -> Callable[..., Any]:
        """The code that runs a graph, as a range of profiles."""
        return ranged(name, "function", run)


_observer: Final = _Observer()


def start(watcher: Watcher, all_threads: bool) -> None:
    """Tell a watcher of the calls of all threads, or of this thread or task."""
    with _lock:
        if all_threads:
            everywhere.watchers = (*everywhere.watchers, watcher)
        else:
            now = state.get()
            state.set(State((*now.watchers, watcher), now.call, now.muted))
        _observer.users += 1
        if _observer.users == 1:
            observe(_observer)


def stop(watcher: Watcher, all_threads: bool) -> None:
    """Undo `start`."""
    with _lock:
        if all_threads:
            everywhere.watchers = _without(everywhere.watchers, watcher)
        else:
            now = state.get()
            state.set(State(_without(now.watchers, watcher), now.call, now.muted))
        _observer.users -= 1
        if _observer.users == 0:
            unobserve(_observer)


def _without(watchers: Watchers, watcher: Watcher) -> Watchers:
    """The watchers without the last occurrence of one: scopes may end in another order than they began."""
    for position in range(len(watchers) - 1, -1, -1):
        if watchers[position] is watcher:
            return watchers[:position] + watchers[position + 1 :]
    return watchers


class Watching(ContextDecorator):
    """A context manager, and a decorator of functions, inside which a watcher is told of calls.

    Args:
        watcher: the watcher.
        all_threads: whether it is told of the calls of all threads, or of the thread or task that enters.
    """

    def __init__(self, watcher: Watcher, all_threads: bool) -> None:
        self._watcher: Final = watcher
        self._all_threads: Final = all_threads

    def __enter__(self) -> Self:
        self._watcher.begin()
        start(self._watcher, self._all_threads)
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            stop(self._watcher, self._all_threads)
        finally:
            self._watcher.end()
