"""The lines of recorded ops, for errors in the backward pass."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, Final

from ..autodiff.backward import hooks
from ..locks import process_lock
from ..registry.op import Op
from ..tensors.node import Node, counter
from .calls import Call, Watcher, everywhere, state
from .locations import Location, location_of
from .watching import Watching

__all__ = ["LineRecorder", "record_lines"]

KEPT: Final = 100_000  # lines; the oldest are dropped then
# Between an op's end and its record, other threads may have recorded as many ops.
NEAR: Final = 64


class _Line:
    """The line of one op, and what tells its record from others."""

    __slots__ = ("ids", "location", "op")

    def __init__(self, op: Op, arrays: Iterable[Any], location: Location | None) -> None:
        self.op = op
        self.ids = tuple(map(id, arrays))
        self.location = location

    def is_of(self, node: Node) -> bool:
        """Whether the record is of this op: the arrays that it keeps are the op's operands."""
        kept = node.arrays[: len(self.ids)]
        return node.op is self.op and all(x is None or id(x) == y for x, y in zip(kept, self.ids, strict=False))


class _Recorders:
    """The recorders in use: one assignment replaces them."""

    def __init__(self) -> None:
        self.all: tuple[LineRecorder, ...] = ()


_recorders: Final = _Recorders()
_lock: Final = process_lock()


class LineRecorder(Watcher):
    """Keeps the lines of ops that a tape may record.

    An op is recorded after it has run, as the next record in the process (see `Node.seq`) unless another thread records
    one in between. So a line is found by this number, and told from those of other threads by the operands.
    """

    wants_lines = True

    def __init__(self) -> None:
        self.lines: Final[dict[int, list[_Line]]] = {}

    def begin(self) -> None:
        """Let notes on errors in backward passes name the lines."""
        with _lock:
            _recorders.all = (*_recorders.all, self)
            hooks.line_of, hooks.before_record = _text, _keep

    def end(self) -> None:
        """Undo `begin`."""
        with _lock:
            remaining = list(_recorders.all)
            remaining.remove(self)
            _recorders.all = tuple(remaining)
            if self not in remaining:
                self.lines.clear()
            if not remaining:
                hooks.line_of = hooks.before_record = None

    def after(self, call: Call) -> None:
        """Keep the line of a call."""
        if call.error is None and call.taped and call.parent is None:
            self.keep(_Line(call.watched.op, call.arrays, call.location))

    def keep(self, line: _Line) -> None:
        """Keep the line of what is recorded next."""
        self.lines.setdefault(counter.value + 1, []).append(line)
        if len(self.lines) > KEPT:
            self.lines.pop(next(iter(self.lines)), None)

    def line_of(self, node: Node) -> Location | None:
        """The line of a recorded op; None if it is not known."""
        for seq in range(node.seq, node.seq - NEAR, -1):
            for line in reversed(self.lines.get(seq, ())):
                if line.is_of(node):
                    return line.location
        return None


def _text(node: Node) -> str:
    """What the note on an error adds about the line of a recorded op."""
    for recorder in reversed(_recorders.all):
        location = recorder.line_of(node)
        if location is not None:
            return f", called at {location} (file {location.file!r})"
    return ""


def _keep(op: Op, arrays: Iterable[Any]) -> None:
    """Keep the line of a call of a function with a gradient of its own, or of a traced function."""
    recorders = [x for x in (*everywhere.watchers, *state.get().watchers) if isinstance(x, LineRecorder)]
    if recorders:
        line = _Line(op, arrays, location_of(sys._getframe(1)))
        for recorder in dict.fromkeys(recorders):
            recorder.keep(line)


def record_lines(fn: Callable[..., Any] | None = None, *, all_threads: bool = False) -> Any:
    """Record the line of each op, so that an error in the backward pass names the forward line.

    A context manager, and a decorator of functions. Forward and backward pass must both be inside. The note on an error
    from the backward pass then ends with the line that called the op whose gradient failed; profiles inside can be
    shown by line. It costs about 3 us per op. The last 100,000 lines are kept.

    Args:
        fn: a function to decorate.
        all_threads: whether lines of all threads are recorded, or those of the thread or task that enters.

    Example:
        >>> import polytape as pt
        >>> @pt.custom_gradient
        ... def broken(x):
        ...     return x * 2.0, lambda g: 1 / 0
        >>> x = pt.Variable(1.0)
        >>> with pt.debug.record_lines():
        ...     with pt.GradientTape() as tape:
        ...         y = pt.exp(broken(x))
        ...     try:
        ...         tape.gradient(y, x)
        ...     except ZeroDivisionError as error:
        ...         print(error.__notes__[0])
        in the backward pass: the gradient of broken, whose result is float32[], called at ...
    """
    recording = Watching(LineRecorder(), all_threads)
    return recording if fn is None else recording(fn)
