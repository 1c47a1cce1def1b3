"""Profiles as files in the Trace Event Format, which Perfetto and Chrome show.

Complete events on one track must lie inside one another or apart. Those of a thread do, unless tasks take turns on it;
an event that would overlap another one partly is moved to a further track of the thread.

Source:
    Google (2016), Trace Event Format, docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU.
"""

from __future__ import annotations

import json
import os
from typing import Any, Final

from .locations import Location

__all__ = ["Event", "save", "trace_of"]


class Event:
    """A span of time in a profile.

    Attributes:
        name: of the op or range.
        kind: ``op``, or the kind of a range: ``function``, ``backward``, ``optimizer`` or ``annotation``.
        start_ns, end_ns: by `time.perf_counter_ns`.
        thread: the thread's number.
        children_ns: the time within ops in the op's body.
        inside, inside_itself: whether the op is in the body of another, and of another call of the same op.
        nbytes: of the op's results.
        device, how, location, shapes: of the op's call, see `polytape.debug.Call`; the shapes are the operands'.
    """

    __slots__ = (
        "children_ns", "device", "end_ns", "how", "inside", "inside_itself", "kind", "location", "name", "nbytes",
        "shapes", "start_ns", "thread",
    )  # fmt: skip

    def __init__(self, name: str, kind: str, start_ns: int, end_ns: int, thread: int) -> None:
        self.name: Final = name
        self.kind: Final = kind
        self.start_ns: Final = start_ns
        self.end_ns: Final = end_ns
        self.thread: Final = thread
        self.children_ns = 0
        self.inside = False
        self.inside_itself = False
        self.nbytes = 0
        self.device = ""
        self.how = ""
        self.location: Location | None = None
        self.shapes: tuple[tuple[int, ...] | None, ...] = ()


def trace_of(events: list[Event], threads: dict[int, str], changes: list[tuple[int, str, int]]) -> dict[str, Any]:
    """The trace as JSON values.

    Args:
        events: in any order.
        threads: their names, by number.
        changes: when (ns), on which device and by how many bytes the memory that results hold changed.
    """
    pid = os.getpid()
    starts = [event.start_ns for event in events] + [when for when, _, _ in changes]
    origin = min(starts, default=0)
    written: list[dict[str, Any]] = [_metadata("process_name", pid, 0, "polytape")]
    track = 0
    for thread, name in threads.items():
        own = [event for event in events if event.thread == thread]
        for number, part in enumerate(_tracks(own)):
            track += 1
            written.append(_metadata("thread_name", pid, track, name if number == 0 else f"{name}, task {number}"))
            written += [_complete(event, pid, track, origin) for event in part]
    written += _counters(changes, pid, origin)
    return {"traceEvents": written, "displayTimeUnit": "ns"}


def save(path: Any, events: list[Event], threads: dict[int, str], changes: list[tuple[int, str, int]]) -> None:
    """Write a trace to a file; arguments as for `trace_of`."""
    text = json.dumps(trace_of(events, threads, changes), separators=(",", ":"), allow_nan=False)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _tracks(events: list[Event]) -> list[list[Event]]:
    """The events of one thread on tracks in which none overlaps another partly, each in order of the start."""
    tracks: list[list[Event]] = []
    stacks: list[list[int]] = []  # per track: when the events end that are open
    for event in sorted(events, key=lambda event: (event.start_ns, -event.end_ns)):
        for track, stack in zip(tracks, stacks, strict=True):
            while stack and stack[-1] <= event.start_ns:
                stack.pop()
            if not stack or event.end_ns <= stack[-1]:
                track.append(event)
                stack.append(event.end_ns)
                break
        else:
            tracks.append([event])
            stacks.append([event.end_ns])
    return tracks


def _complete(event: Event, pid: int, track: int, origin: int) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    if event.kind == "op":
        arguments = {
            "device": event.device,
            "how": event.how,
            "shapes": [None if shape is None else list(shape) for shape in event.shapes],
            "result bytes": event.nbytes,
        }
        if event.location is not None:
            arguments["line"] = f"{event.location.file}:{event.location.line}"
    return {
        "name": event.name,
        "cat": event.kind,
        "ph": "X",
        "ts": (event.start_ns - origin) / 1e3,  # in us
        "dur": (event.end_ns - event.start_ns) / 1e3,
        "pid": pid,
        "tid": track,
        "args": arguments,
    }


def _metadata(name: str, pid: int, track: int, value: str) -> dict[str, Any]:
    return {"name": name, "ph": "M", "pid": pid, "tid": track, "args": {"name": value}}


def _counters(changes: list[tuple[int, str, int]], pid: int, origin: int) -> list[dict[str, Any]]:
    """The memory that results hold, as counter events."""
    held: dict[str, int] = {}
    written = []
    for when, device, nbytes in sorted(changes):
        held[device] = held.get(device, 0) + nbytes
        written.append(
            {
                "name": f"memory of results on {device}",
                "ph": "C",
                "ts": (when - origin) / 1e3,
                "pid": pid,
                "args": {"bytes": held[device]},
            }
        )
    return written
