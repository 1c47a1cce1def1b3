"""Steps of a pipeline: a `Node` describes one, a `Stream` is a pass over its elements, `Rows` reads any element.

A step that only chooses, orders, combines or maps elements of an array has `Rows`: then a shuffle permutes indices, a
batch is read by one gathering of rows, and a position is a number. All other steps are streams.
"""

from __future__ import annotations

import contextvars
import hashlib
from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np

from ..device import Device
from ..errors import DataError, SettingError
from ..placement import selection
from ..tensors.scope import NO_SCOPE, current_scope
from .structures import Placing, arguments, normalised, row, stack

__all__ = [
    "END",
    "INFINITE",
    "Node",
    "Opening",
    "RowStream",
    "Rows",
    "Session",
    "Stream",
    "call",
    "closed",
    "first",
    "positive",
]

INFINITE: Final = float("inf")


class _End:
    """What `Stream.next` returns after the last element: a StopIteration of a user's function must not look like it."""

    def __repr__(self) -> str:
        return "END"


END: Final = _End()


class Closeable(Protocol):
    """What a session closes at its end: files, worker pools, prefetch channels."""

    def close(self) -> Any:
        """Release it; a second call does nothing."""


class Session:
    """What one iterator holds while it runs: devices, the key of its random numbers, open files, workers.

    Args:
        target: the device of the elements that the iterator returns.
        default: the device of new tensors.

    Attributes:
        work: the device of the tensors that functions get: ``default`` if its arrays are in host memory, else the host.
        key: of the shuffles without a seed.
        working, delivering: make tensors there, and on ``target``.
        placed: whether a step has put elements on a device, where they stay.
        variables: the context that functions run in; no tape or trace is open in it.
        pools: the workers of each node, which stay alive from pass to pass.
    """

    def __init__(self, target: Device, default: Device) -> None:
        self.target, self.key, self.placed = target, 0, False
        self.work = default if selection.backend_of(default).host else selection.host_device()
        self.working, self.delivering = Placing(self.work), Placing(target)
        self.variables = contextvars.copy_context()
        self.variables.run(current_scope.set, NO_SCOPE)
        if self.work is not default:
            self.variables.run(selection.device_scopes.set, (selection.DeviceScope(str(self.work)),))
        self.pools: dict[int, Any] = {}
        self._open: dict[int, Closeable] = {}

    def enter(self, resource: Closeable) -> None:
        """Close ``resource`` with the session, unless it is closed before."""
        self._open[id(resource)] = resource

    def forget(self, resource: Closeable) -> None:
        """``resource`` is closed."""
        self._open.pop(id(resource), None)

    def leave(self, resource: Closeable) -> None:
        """Close ``resource`` now."""
        self.forget(resource)
        resource.close()

    def close(self) -> None:
        """Close everything that is open."""
        while self._open:
            self._open.popitem()[1].close()
        self.pools.clear()


class Opening:
    """Where in a pipeline, and in which pass, a node is opened: random numbers depend on this alone.

    Args:
        session: of the iterator.
        passes: the epoch, and the number of the pass for each enclosing `repeat` or `flat_map`.
        place: which input of which input, from the end of the pipeline.
        fixed: whether the random numbers are the same for every key of the session.
    """

    __slots__ = ("fixed", "passes", "place", "session")

    def __init__(
        self, session: Session, passes: tuple[int, ...], place: tuple[int, ...] = (), fixed: bool = False
    ) -> None:
        self.session, self.passes, self.place, self.fixed = session, passes, place, fixed

    def input(self, position: int = 0) -> Opening:
        """For the node's input of this position."""
        return Opening(self.session, self.passes, (*self.place, position), self.fixed)

    def again(self, number: int) -> Opening:
        """For a pass within this pass."""
        return Opening(self.session, (*self.passes, number), (*self.place, 0), self.fixed)

    def always(self) -> Opening:
        """For an input that is the same in every pass of every iterator."""
        return Opening(self.session, (), (*self.place, 0), True)

    def key(self, seed: int | None, *more: int) -> int:
        """A 64-bit key for ``seed``, this pass and the numbers in ``more``; without a seed, also for this place."""
        source = (0 if self.fixed else self.session.key, self.place) if seed is None else (seed,)
        text = repr((source, self.passes, more)).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")

    def call(self, function: Callable[..., Any], element: Any, where: str, position: int, **keywords: Any) -> Any:
        """``function`` of an element, as `call`; it gets tensors."""
        return normalised(self.call_raw(function, element, where, position, **keywords))

    def call_raw(self, function: Callable[..., Any], element: Any, where: str, position: int, **keywords: Any) -> Any:
        """As `call`, for a function that does not return an element."""
        return call(function, self.session.working.tensors(element), where, position, **keywords)


def call(function: Callable[..., Any], element: Any, where: str, position: int, **keywords: Any) -> Any:
    """What ``function`` returns for an element in tensors; a tuple's parts are its arguments.

    An exception keeps its type and traceback, and a note names the step and the element.
    """
    try:
        return function(*arguments(element), **keywords)
    except Exception as error:
        note = f"in {where} of a Dataset, element {position} of its input (counted from 0)"
        if isinstance(error, StopIteration):
            # As in a generator (PEP 479): it must not end the loop that asked for the element.
            raise RuntimeError(f"the function of {where} raised StopIteration, {note}") from error
        error.add_note(note)
        raise


class Stream:
    """One pass over the elements of a node."""

    def next(self) -> Any:
        """The next element, or `END`."""
        raise NotImplementedError

    def skip(self, n: int) -> int:
        """Pass over ``n`` elements without computing what is not needed; returns how many there were."""
        for done in range(n):
            if self.next() is END:
                return done
        return n

    def rows(self, n: int) -> tuple[int, Any]:
        """The next ``n`` elements, or those that are left, as one batch; and their number."""
        elements: list[Any] = []
        while len(elements) < n:
            element = self.next()
            if element is END:
                break
            elements.append(element)
        return len(elements), stack(elements) if elements else None

    def close(self) -> None:
        """Release files and threads; the stream is not used after this."""


class Rows:
    """The elements of a node by position; a subclass defines `get` or `gather`, and `get_many` where it is faster.

    Args:
        length: the number of elements.
    """

    def __init__(self, length: int) -> None:
        self.length = length

    def get(self, position: int) -> Any:
        """The element at a position."""
        return row(self.gather(np.asarray([position])), 0)

    def gather(self, positions: Any) -> Any:
        """The elements at ``positions``, int64[n], as one batch."""
        return stack(self.get_many(positions))

    def get_many(self, positions: Any) -> list[Any]:
        """The elements at ``positions``, int64[n]."""
        return [self.get(position) for position in positions.tolist()]


class RowStream(Stream):
    """A pass over rows in their order."""

    def __init__(self, rows: Rows) -> None:
        self._rows, self._position = rows, 0

    def next(self) -> Any:
        """As `Stream.next`."""
        if self._position >= self._rows.length:
            return END
        element = self._rows.get(self._position)
        self._position += 1
        return element

    def skip(self, n: int) -> int:
        """As `Stream.skip`."""
        n = min(n, self._rows.length - self._position)
        self._position += n
        return n

    def rows(self, n: int) -> tuple[int, Any]:
        """As `Stream.rows`."""
        n = min(n, self._rows.length - self._position)
        if n == 0:
            return 0, None
        batch = self._rows.gather(np.arange(self._position, self._position + n))
        self._position += n
        return n, batch


class Node:
    """A step of a pipeline.

    Args:
        inputs: the steps before it.
    """

    #: Whether the step itself takes random numbers without a seed.
    unseeded = False

    def __init__(self, *inputs: Node) -> None:
        self.inputs = inputs

    def describe(self) -> str:
        """The step with what decides which elements come in which order; not how they are computed."""
        return type(self).__name__.lower()

    def fingerprint(self) -> str:
        """`describe` of this step and all steps before it; "" in place of steps that do not change a position."""
        own = self.describe()
        parts = ", ".join(node.fingerprint() for node in self.inputs)
        return f"{own}({parts})" if own else parts

    def draws(self) -> bool:
        """Whether the elements depend on the key of the session."""
        return self.unseeded or any(node.draws() for node in self.inputs)

    def count(self) -> int | float | None:
        """The number of elements, `INFINITE`, or None if it is not known."""
        return self.inputs[0].count()

    def spec(self) -> Any:
        """The structure of an element, with a `TensorSpec` for each leaf that is an array."""
        return self.inputs[0].spec()

    def random_access(self, opening: Opening) -> Rows | None:
        """The elements of this pass by position, or None if they can only be read in order."""
        return None

    def stream(self, opening: Opening) -> Stream:
        """A pass over the elements of a node without random access."""
        raise NotImplementedError

    def open(self, opening: Opening) -> Stream:
        """A pass over the elements."""
        rows = self.random_access(opening)
        return self.stream(opening) if rows is None else RowStream(rows)


def first(node: Node, what: str) -> Any:
    """The first element of a node, in tensors.

    Raises:
        DataError: it has no elements.
    """
    default = selection.default_device()
    session = Session(default, default)
    try:
        element = session.variables.run(node.open(Opening(session, (0,))).next)
    finally:
        session.close()
    if element is END:
        raise DataError(f"{what} needs an element.", expected="at least one", got="none", fix="check the source")
    return element


def closed() -> DataError:
    """The error of a thread that waits for an element of an iterator that another thread closes."""
    return DataError(
        "a data iterator was closed while an element was computed.",
        expected="an open iterator",
        got="close(), or the end of the program",
        fix="end the loop before closing the iterator",
    )


def positive(what: str, name: str, value: Any, least: int = 1) -> int:
    """``value`` as an int that is at least ``least``.

    Raises:
        SettingError: it is not.
    """
    if not hasattr(value, "__index__") or isinstance(value, bool) or value.__index__() < least:
        raise SettingError(
            f"{what} cannot use {name}={value!r}.",
            expected=f"an integer, at least {least}",
            got=repr(value),
            fix="change it",
        )
    return int(value.__index__())
