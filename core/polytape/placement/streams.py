"""Streams and events: several queues of work on one device, and places in them.

A device without `polytape.backend.Streams` has one queue, which runs in order: every stream of it is that queue.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from ..device import Device
from ..errors import DeviceError
from . import selection

__all__ = ["Event", "Stream"]


class Stream:
    """A queue of work on a device, beside its default one; work on two streams may overlap.

    ``with stream:`` lets the ops of this thread on that device queue their work there. A stream must `wait` for another
    one before it uses what that one computes; reading values on the host, as ``x.numpy()`` does, needs no care. On a
    device with one queue only, such as those of numpy, a stream is that queue.

    Args:
        device: as for `polytape.device`; default: the device of new tensors.

    Example:
        >>> import polytape as pt
        >>> stream = pt.Stream("cpu")
        >>> with stream:
        ...     y = pt.ones(3) * 2.0
        >>> done = stream.record()
        >>> pt.Stream("cpu").wait(done)
        >>> y.tolist()
        [2.0, 2.0, 2.0]
    """

    def __init__(self, device: Any = None) -> None:
        self.device: Device = selection.resolve_device(device)
        self._backend = selection.backend_of(self.device)
        self._streams = self._backend.streams
        self._native: Any = None if self._streams is None else self._streams.create(self.device)
        self._before: list[Any] = []

    @classmethod
    def current(cls, device: Any = None) -> Stream:
        """The stream on which the calling thread queues work: the default one outside of ``with stream:``."""
        stream = cls.__new__(cls)
        stream.device = selection.resolve_device(device)
        stream._backend = selection.backend_of(stream.device)
        stream._streams = stream._backend.streams
        stream._native = None  # for the backend, the stream in use
        stream._before = []
        return stream

    def __repr__(self) -> str:
        return f"Stream({str(self.device)!r})"

    def __enter__(self) -> Stream:
        if self._native is not None:
            self._before.append(self._streams.use(self.device, self._native))
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._native is not None:
            self._streams.use(self.device, self._before.pop())

    def synchronize(self) -> None:
        """Wait until all work queued on the stream is done; an error of that work is raised here."""
        if self._streams is None:
            self._backend.synchronize(self.device)
        elif self._native is None:
            self.record().synchronize()
        else:
            self._streams.synchronize(self._native)

    def record(self) -> Event:
        """An event after all work queued on the stream so far."""
        return Event(self.device, None if self._streams is None else self._streams.record(self.device, self._native))

    def wait(self, event: Event | Stream) -> None:
        """Let work that is queued on the stream from now on run after an event, or after what is on another stream now.

        An event of another device is waited for on the host.
        """
        if isinstance(event, Stream):
            event = event.record()
        if event.device is not self.device:
            event.synchronize()
        elif self._streams is not None:
            self._streams.wait(self.device, self._native, event.native)


class Event:
    """A place in a stream, from `polytape.Stream.record`.

    Attributes:
        device: the device of the stream.
        native: the backend's own event; None on a device with one queue.
    """

    def __init__(self, device: Device | None = None, native: Any = None) -> None:
        if device is None:
            raise DeviceError(
                "an event is a place in a stream.",
                expected="stream.record(), or polytape.Stream.current().record() for the stream in use",
                got="Event()",
                fix="event = stream.record()",
            )
        self.device: Device = device
        self.native: Any = native

    def __repr__(self) -> str:
        return f"Event({str(self.device)!r})"

    def done(self) -> bool:
        """Whether all work before the event is done; does not wait.

        On a device with one queue this waits: there is no other way to know.
        """
        if self.native is None:
            self.synchronize()
            return True
        result: bool = selection.backend_of(self.device).streams.done(self.native)
        return result

    def synchronize(self) -> None:
        """Wait until all work before the event is done; an error of that work is raised here."""
        backend = selection.backend_of(self.device)
        if self.native is None:
            backend.synchronize(self.device)
        else:
            backend.streams.finish(self.native)
