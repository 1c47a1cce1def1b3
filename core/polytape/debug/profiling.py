"""Measuring which ops a program runs, how long they take, and what memory their results hold."""

from __future__ import annotations

import threading
import weakref
from time import perf_counter_ns
from typing import Any, Final

from ..autodiff.backward import hooks
from ..locks import process_lock
from ..optim.base import Optimizer
from .calls import Call
from .ranges import RangeWatcher, ranged
from .tables import Row, rows_of, table_of
from .traces import Event, save
from .watching import Watching

__all__ = ["Profile", "profile"]


class _Uses:
    """How many profiles are open, and what was replaced meanwhile."""

    def __init__(self) -> None:
        self.count = 0
        self.run: Any = None
        self.apply: Any = None


_uses: Final = _Uses()
_lock: Final = process_lock()
_STEP: Final = "apply_gradients"


def _begin_ranges() -> None:
    """Make ranges of backward passes and optimizer steps: replaced only meanwhile, so that they cost nothing else."""
    with _lock:
        _uses.count += 1
        if _uses.count > 1:
            return
        _uses.run, apply = hooks.run, getattr(Optimizer, _STEP)
        _uses.apply = apply
        hooks.run = ranged("backward pass", "backward", _uses.run)

        def step(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
            return ranged(f"{type(self).__name__} step", "optimizer", apply)(self, *args, **kwargs)

        step.__doc__ = apply.__doc__
        setattr(Optimizer, _STEP, step)


def _end_ranges() -> None:
    with _lock:
        _uses.count -= 1
        if _uses.count == 0:
            hooks.run = _uses.run
            setattr(Optimizer, _STEP, _uses.apply)


class _Recorder(RangeWatcher):
    """Collects events; appending to a list is atomic, so threads need no lock."""

    def __init__(self, wait: bool, memory: bool) -> None:
        self.waits = wait
        self.memory: Final = memory
        self.events: Final[list[Event]] = []
        self.changes: Final[list[tuple[int, str, int]]] = []  # when, on which device, by how many bytes memory changed
        self.alive: Final[dict[int, weakref.ref[Any]]] = {}
        self.threads: Final[dict[threading.Thread, int]] = {}  # numbered, since a new one may get an old identifier
        self.entered = 0

    def begin(self) -> None:
        """Make ranges of backward passes and optimizer steps."""
        self.entered += 1
        _begin_ranges()

    def end(self) -> None:
        """Undo `begin`."""
        _end_ranges()
        self.entered -= 1
        if not self.entered:
            self.alive.clear()  # what is freed later is not part of the profile

    def after(self, call: Call) -> None:
        """Record a call."""
        parent, again = call.parent, False
        while parent is not None and not again:
            again = parent.watched.op is call.watched.op
            parent = parent.parent
        device = str(call.device)
        nbytes = 0
        for array in call.results:
            nbytes += getattr(array, "nbytes", 0)
            if self.memory:
                self._follow(array, device, call.end_ns)
        event = Event(call.op, "op", call.start_ns, call.end_ns, self._thread())
        event.children_ns, event.inside_itself, event.nbytes = call.children_ns, again, nbytes
        event.inside = call.parent is not None
        event.device, event.how, event.location = device, call.how, call.location
        event.shapes = tuple(None if array is None else tuple(array.shape) for array in call.arrays)
        self.events.append(event)

    def after_range(self, name: str, kind: str, start_ns: int, end_ns: int) -> None:
        """Record a range."""
        self.events.append(Event(name, kind, start_ns, end_ns, self._thread()))

    def _thread(self) -> int:
        thread = threading.current_thread()
        number = self.threads.get(thread)
        if number is None:
            with _lock:
                number = self.threads.setdefault(thread, len(self.threads))
        return number

    def _follow(self, array: Any, device: str, when_ns: int) -> None:
        """Note that an array takes memory from now until it is freed; a view takes none."""
        nbytes = getattr(array, "nbytes", 0)
        key = id(array)
        if not nbytes or key in self.alive or getattr(array, "base", None) is not None:
            return
        alive, changes = self.alive, self.changes

        def freed(_: object) -> None:
            if alive.pop(key, None) is not None:
                changes.append((perf_counter_ns(), device, -nbytes))

        try:
            alive[key] = weakref.ref(array, freed)
        except TypeError:
            return  # a backend's arrays need not support weak references
        changes.append((when_ns, device, nbytes))


class Profile(Watching):
    """What `profile` returns: a context manager that measures, then the results.

    It can be entered again, to add to the results.
    """

    def __init__(self, wait: bool, memory: bool, all_threads: bool) -> None:
        self._recorder: Final = _Recorder(wait, memory)
        super().__init__(self._recorder, all_threads)

    def __repr__(self) -> str:
        return f"<profile: {len(self._recorder.events)} events>"

    def rows(self, by: str = "op", sort: str = "self") -> list[Row]:
        """The results in groups.

        Args:
            by: ``"op"`` (op and device), ``"device"``, ``"line"`` (needs `record_lines` around the same code) or
                ``"range"`` (traced functions, backward passes, optimizer steps, annotations).
            sort: ``"self"``, ``"total"``, ``"average"``, ``"calls"`` or ``"bytes"``, the largest first; or ``"name"``.
        Returns:
            Rows with ``name``, ``device``, ``calls``, ``total_s`` and ``self_s`` (seconds with and without the ops in
            the body), and ``nbytes`` (of the results).
        Raises:
            SettingError: another value of ``by`` or ``sort``, or no lines were recorded.
        """
        return rows_of(list(self._recorder.events), by, sort)

    def table(self, by: str = "op", sort: str = "self", limit: int = 20) -> str:
        """The results as text.

        Args:
            by, sort: as for `rows`.
            limit: how many rows are shown.
        """
        return table_of(self.rows(by, sort), by, limit)

    def save_trace(self, path: Any) -> None:
        """Write a trace for Perfetto (https://ui.perfetto.dev) or chrome://tracing.

        Each thread is a row, in which the ops of a body lie under the op, and ops under the ranges that enclose them. A
        counter per device shows the bytes that results of ops hold.

        Args:
            path: of the file, in JSON; replaced if it exists.
        Source:
            Google (2016), Trace Event Format: the JSON object format, complete events.
        """
        recorder = self._recorder
        names = {number: thread.name for thread, number in recorder.threads.items()}
        save(path, list(recorder.events), names, list(recorder.changes))


def profile(*, wait: bool = False, memory: bool = True, all_threads: bool = True) -> Profile:
    """Measure the ops that run inside a ``with`` block.

    Traced functions, backward passes, optimizer steps and what `annotate` encloses are shown as ranges. The times
    include what the measurement itself takes for the ops inside, about 5 us each. Ops of traced functions are not fused
    inside, and optimizers compute on copies. The first step inside resolves each op and traces each function again.

    Args:
        wait: wait for the device before and after each op. Otherwise the times on an asynchronous device, such as a
            GPU, are those of queueing the work; the copy that needs a result takes the rest.
        memory: whether to follow the memory that results hold; it adds about 1 us per op.
        all_threads: whether ops of all threads are measured, or those of the thread or task that enters.
    Returns:
        A `Profile`: use ``table()``, ``rows()`` and ``save_trace(path)`` after the block, or in it.

    Example:
        >>> import polytape as pt
        >>> x = pt.ones((4, 4))
        >>> with pt.debug.profile() as p:
        ...     y = pt.exp(x @ x)
        >>> [(row.name, row.calls, row.nbytes) for row in p.rows(sort="name")]
        [('exp', 1, 64), ('matmul', 1, 64)]
    """
    return Profile(bool(wait), bool(memory), bool(all_threads))
