"""One call of an op as the tools see it, and the wrapper around what serves the op, which tells them."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from time import perf_counter_ns
from types import FrameType
from typing import Any, Final

from ..device import Device
from ..dispatch.resolve import Resolver
from ..registry.op import Op
from ..registry.resolution import Resolution
from ..registry.tensor_type import TensorType
from ..tensors.scope import NO_SCOPE, current_scope
from ..tensors.tensor import Tensor
from .locations import Location, location_of

__all__ = ["Call", "Watched", "Watcher", "Watchers"]


class Call:
    """One call of an op, or of an op inside another one's body.

    Attributes:
        op: the op's name.
        attributes: those given, and the resolved ``dtype`` and ``device`` of ops that have them.
        device: where it ran.
        how: what served it: ``kernel``, ``widened`` (a kernel for a wider dtype), ``body`` (ops) or ``host``.
        seconds: the time it took. On an asynchronous device that is the time to queue it, unless the tool waits.
        location: the user's line, a `Location`; None if it is not known.
        parent: the call whose body this one is part of; None for a call by the user or by a gradient rule.
    """

    __slots__ = (
        "arrays", "children_ns", "end_ns", "error", "frame", "given", "location", "parent", "results", "start_ns",
        "taped", "watched",
    )  # fmt: skip

    def __init__(
        self, watched: Watched, arrays: tuple[Any, ...], given: dict[str, Any], parent: Call | None, frame: FrameType
    ) -> None:
        self.watched: Final = watched
        self.arrays: Final = arrays
        self.given: Final = given
        self.parent: Final = parent
        self.results: tuple[Any, ...] = ()
        self.error: BaseException | None = None
        self.frame: FrameType | None = frame
        self.location: Location | None = None
        self.taped: bool = bool(current_scope.get().tapes)
        self.start_ns: int = 0
        self.end_ns: int = 0
        self.children_ns: int = 0

    @property
    def op(self) -> str:
        """The op's name."""
        return self.watched.op.name

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes given, and the resolved ``dtype`` and ``device`` of ops that have them."""
        given = {name: value for name, value in self.given.items() if name not in ("out", "spec")}
        return {**self.watched.attributes, **given}

    @property
    def device(self) -> Device:
        """Where the op ran."""
        return self.watched.device

    @property
    def how(self) -> str:
        """What served the op."""
        return self.watched.how

    @property
    def seconds(self) -> float:
        """The time that the op took, in seconds."""
        return (self.end_ns - self.start_ns) * 1e-9

    @property
    def inputs(self) -> tuple[Tensor | None, ...]:
        """The operands as tensors, which no tape follows; None for an optional operand that was not given."""
        return tuple(
            None if tensor_type is None else Tensor(array, tensor_type, None)
            for array, tensor_type in zip(self.arrays, self.watched.operand_types, strict=True)
        )

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The results as tensors, which no tape follows; empty if the op raised an error."""
        types = self.watched.result_types[: len(self.results)]
        return tuple(Tensor(array, tensor_type, None) for array, tensor_type in zip(self.results, types, strict=True))

    def locate(self) -> None:
        """Find the user's line while the call's frames exist."""
        if self.location is None:
            self.location = location_of(self.frame)

    def __repr__(self) -> str:
        where = "" if self.location is None else f" at {self.location}"
        return f"<call of {self.op} on {self.device}{where}>"


class Watcher:
    """A tool that is told of calls.

    Attributes:
        keeps_arrays: whether it may keep a call's arrays. A graph then does not reuse their memory.
        wants_lines: whether the calls that it is told of have locations.
        waits: whether the device is idle before each call, and the call's time includes the device's work.
    """

    keeps_arrays = False
    wants_lines = False
    waits = False

    def begin(self) -> None:
        """Prepare to be told of calls: a scope of this watcher is entered."""

    def end(self) -> None:
        """Undo `begin`."""

    def after(self, call: Call) -> None:
        """Take note of a call that has ended; ``call.error`` is set if it raised. No op that this runs is watched."""


Watchers = tuple[Watcher, ...]


class State:
    """Who is told of calls in this thread or task.

    Attributes:
        watchers: those that this thread or task has started. call: the call that is running.
        muted: whether a watcher is running, whose own ops are not watched.
    """

    __slots__ = ("call", "muted", "watchers")

    def __init__(self, watchers: Watchers = (), call: Call | None = None, muted: bool = False) -> None:
        self.watchers: Final = watchers
        self.call: Final = call
        self.muted: Final = muted


class Everywhere:
    """The watchers of all threads: one assignment replaces them."""

    def __init__(self) -> None:
        self.watchers: Watchers = ()


everywhere: Final = Everywhere()
_INITIAL: Final = State()
_MUTED: Final = State(muted=True)
state: Final[ContextVar[State]] = ContextVar("polytape.debug", default=_INITIAL)


class Watched:
    """What serves an op, called like a kernel; tells the watchers of each call."""

    __slots__ = ("attributes", "backend", "device", "fn", "how", "op", "operand_types", "result_types")

    def __init__(self, resolver: Resolver, resolution: Resolution) -> None:
        self.fn: Final = resolution.fn
        self.op: Final[Op] = resolver.op
        self.backend: Final = resolver.backend
        self.device: Final = resolver.device
        self.attributes: Final = resolver.attributes
        self.how: Final = resolution.how
        self.operand_types: Final[tuple[TensorType | None, ...]] = resolution.operand_types
        self.result_types: Final[tuple[TensorType, ...]] = resolution.result_types

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Run the op.

        Raises:
            Exception: whatever the op or a watcher raises.
        """
        now = state.get()
        if now.muted or not (everywhere.watchers or now.watchers):
            return self.fn(*arrays, **attributes)
        # Each is told once, even if it has been entered twice.
        watchers = tuple(dict.fromkeys((*everywhere.watchers, *now.watchers)))
        waits = False
        for watcher in watchers:
            waits = waits or watcher.waits
            if watcher.keeps_arrays:
                attributes.pop("out", None)  # a buffer of a graph, which later ops overwrite
        call = Call(self, arrays, attributes, now.call, sys._getframe(1))
        token = state.set(State(now.watchers, call))
        try:
            call.start_ns = perf_counter_ns()
            if waits:
                self.backend.synchronize(self.device)
                call.start_ns = perf_counter_ns()
            results = self.fn(*arrays, **attributes)
            call.end_ns = perf_counter_ns()
            if waits:
                self.backend.synchronize(self.device)
                call.end_ns = perf_counter_ns()
            results = self._lifted(results)
            call.results = (results,) if self.op.outputs is None else results
        except BaseException as error:
            call.error = error
            call.end_ns = perf_counter_ns()
            raise
        finally:
            try:
                _tell(call, watchers)
            finally:
                state.reset(token)
                if now.call is not None:
                    now.call.children_ns += perf_counter_ns() - call.start_ns  # that of the watchers is not its own
                call.frame = call.error = None  # both would keep frames, and so tensors, alive
        return results

    def _lifted(self, results: Any) -> Any:
        """The results as native arrays: here and in the result, a 0-d array is the same object."""
        if self.op.outputs is None:
            tensor_type = self.result_types[0]
            return results if type(results) is tensor_type.array_type else tensor_type.lift(results)
        return tuple(tensor_type.lift(x) for x, tensor_type in zip(results, self.result_types, strict=True))


def _tell(call: Call, watchers: Watchers) -> None:
    """Tell all watchers of a call, the latest first; then raise the first error that one of them has raised.

    The caller resets the state.
    """
    for watcher in watchers:
        if watcher.wants_lines:
            call.locate()
    state.set(_MUTED)
    scope = current_scope.get()
    errors: list[BaseException] = []
    try:
        current_scope.set(NO_SCOPE)  # no tape and no trace follows what watchers compute
        for watcher in reversed(watchers):
            try:
                watcher.after(call)
            except BaseException as error:
                errors.append(error)
    finally:
        current_scope.set(scope)
    if errors:
        raise errors.pop(0)
