"""What a backend says of itself, beside its kernels: limits, readiness, memory, streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .device import Device
from .errors import RegistrationError

__all__ = ["Limits", "MemoryInfo", "Probe", "Streams", "listed"]


def listed(argument: str, names: Sequence[Any]) -> tuple[Any, ...]:
    """The names as a tuple; a single string, of which a tuple would have the letters, is rejected."""
    if isinstance(names, str):
        raise RegistrationError(
            f"{argument}={names!r} is a string, not a sequence of names.",
            expected=f"a list or tuple of names in {argument}=",
            got=repr(names),
            fix=f"write {argument}=[{names!r}]",
        )
    return tuple(names)


class Limits:
    """What a backend cannot do, declared, so that the conformance kit expects just that: neither more nor less.

    Args:
        missing: names of the primitive ops that the backend has no kernel for. The kit skips them, and everything that
            needs them; it fails if such an op has a kernel, or if an op without a kernel is not declared.
        ulp: by the name of an op, the error of its results in units in the last place, where it is larger than what
            the kit allows otherwise.
        subnormals: whether results below the smallest normal number keep their value. If False, they may be 0.
    """

    __slots__ = ("missing", "subnormals", "ulp")

    def __init__(
        self, *, missing: Sequence[str] = (), ulp: Mapping[str, float] | None = None, subnormals: bool = True
    ) -> None:
        self.missing: tuple[str, ...] = listed("missing", missing)
        self.ulp: dict[str, float] = dict(ulp or {})
        self.subnormals: bool = subnormals

    def __repr__(self) -> str:
        return f"Limits(missing={self.missing}, ulp={self.ulp}, subnormals={self.subnormals})"


class Probe:
    """Whether a backend can be used now and, if not, why and what to do about it.

    Args:
        ready: whether at least one device can be used.
        reason: one line: why the backend cannot be used; empty if it is ready.
        remedy: one line: what the user can do about it; empty if it is ready.
        missing: the backend's status if it is not ready: ``"no-device"`` if only the hardware is missing, ``"absent"``
            if a library is not installed, ``"import-failed"`` if a library is installed but broken.
    """

    __slots__ = ("missing", "ready", "reason", "remedy")

    def __init__(self, ready: bool = True, reason: str = "", remedy: str = "", missing: str = "no-device") -> None:
        self.ready: bool = ready
        self.reason: str = reason
        self.remedy: str = remedy
        self.missing: str = missing

    def __repr__(self) -> str:
        return "Probe(ready)" if self.ready else f"Probe({self.missing}: {self.reason}; {self.remedy})"


class MemoryInfo:
    """Memory of one device, in bytes: in use now, the highest use so far, and the total; -1 if unknown."""

    __slots__ = ("allocated_nbytes", "peak_nbytes", "total_nbytes")

    def __init__(self, allocated_nbytes: int, peak_nbytes: int = -1, total_nbytes: int = -1) -> None:
        self.allocated_nbytes: int = allocated_nbytes
        self.peak_nbytes: int = peak_nbytes
        self.total_nbytes: int = total_nbytes

    def __repr__(self) -> str:
        return (
            f"MemoryInfo(allocated_nbytes={self.allocated_nbytes}, peak_nbytes={self.peak_nbytes}, "
            f"total_nbytes={self.total_nbytes})"
        )


class Streams:
    """How a backend with several queues of work per device serves `polytape.Stream` and `polytape.Event`.

    Args:
        create: ``(device) -> stream``, a new native stream.
        use: ``(device, stream) -> before``; makes it the stream on which the calling thread queues work for ``device``,
            and returns the one chosen before. None stands for the device's default stream, in both places.
        synchronize: ``(stream) -> None``; waits until all work queued on the stream is done, and raises its errors.
        record: ``(device, stream) -> event``; marks the end of the work queued on the stream so far. Here and in
            ``wait``, None stands for the calling thread's stream.
        wait: ``(device, stream, event) -> None``; work queued on the stream from now on runs after the event.
        done: ``(event) -> bool``; whether all work before the event is done. Does not wait.
        finish: ``(event) -> None``; waits until it is, and raises its errors.
    """

    __slots__ = ("create", "done", "finish", "record", "synchronize", "use", "wait")

    def __init__(
        self,
        *,
        create: Callable[[Device], Any],
        use: Callable[[Device, Any], Any],
        synchronize: Callable[[Any], None],
        record: Callable[[Device, Any], Any],
        wait: Callable[[Device, Any, Any], None],
        done: Callable[[Any], bool],
        finish: Callable[[Any], None],
    ) -> None:
        self.create, self.use, self.synchronize = create, use, synchronize
        self.record, self.wait, self.done, self.finish = record, wait, done, finish
