"""Profiles as rows of a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ..errors import SettingError
from .traces import Event

__all__ = ["Row", "rows_of", "table_of"]


class Row:
    """A group of events of a profile.

    Attributes:
        name: of the op, the range, the device or the line.
        device: where they ran; ``""`` if on several, or for ranges.
        calls: how many.
        total_s, self_s: seconds, with and without the ops in their bodies.
        nbytes: bytes of their results.
    """

    __slots__ = ("calls", "device", "name", "nbytes", "self_s", "total_s")

    def __init__(self, name: str, device: str) -> None:
        self.name: Final = name
        self.device = device
        self.calls = 0
        self.total_s = 0.0
        self.self_s = 0.0
        self.nbytes = 0

    @property
    def average_s(self) -> float:
        """Seconds per call."""
        return self.total_s / self.calls

    def __repr__(self) -> str:
        return f"Row({self.name!r}, calls={self.calls}, total_s={self.total_s:.6f}, self_s={self.self_s:.6f})"


def _line(event: Event) -> str:
    return "(unknown)" if event.location is None else str(event.location)


# How events are grouped: the name and the device of each group.
_GROUPS: Final[dict[str, Callable[[Event], tuple[str, str]]]] = {
    "op": lambda event: (event.name, event.device),
    "device": lambda event: (event.device, event.device),
    "line": lambda event: (_line(event), event.device),
    "range": lambda event: (event.name, ""),
}
_KEYS: Final[dict[str, Callable[[Row], Any]]] = {
    "self": lambda row: -row.self_s,
    "total": lambda row: -row.total_s,
    "average": lambda row: -row.average_s,
    "calls": lambda row: -row.calls,
    "bytes": lambda row: -row.nbytes,
    "name": lambda row: row.name,
}


def rows_of(events: list[Event], by: str, sort: str) -> list[Row]:
    """The events in groups; see `polytape.debug.Profile.rows`."""
    for name, value, allowed in (("by", by, _GROUPS), ("sort", sort, _KEYS)):
        if value not in allowed:
            raise SettingError(
                f"{name}={value!r} is not a way to show a profile.",
                expected=" or ".join(allowed),
                got=repr(value),
                fix="use one of these",
            )
    chosen = [event for event in events if (event.kind == "op") != (by == "range")]
    if by == "line" and chosen and all(event.location is None for event in chosen):
        raise SettingError(
            "this profile has no lines.",
            expected="ops that ran inside record_lines as well",
            got=f"{len(chosen)} ops without a line",
            fix="with polytape.debug.record_lines(), polytape.debug.profile() as p: ...",
        )
    nested = _time_in_nested(chosen) if by == "range" else {}
    rows: dict[tuple[str, str], Row] = {}
    for event in chosen:
        key = _GROUPS[by](event)
        row = rows.get(key)
        if row is None:
            row = rows[key] = Row(*key)
        duration = event.end_ns - event.start_ns
        row.calls += 1
        row.self_s += (duration - nested.get(event, event.children_ns)) * 1e-9
        # The time of an op inside another one is counted once, in a group that both belong to.
        counted_already = event.inside_itself if by in ("op", "range") else event.inside
        row.total_s += 0.0 if counted_already else duration * 1e-9
        row.nbytes += event.nbytes
    return sorted(rows.values(), key=lambda row: (_KEYS[sort](row), row.name, row.device))


def _time_in_nested(ranges: list[Event]) -> dict[Event, int]:
    """For each range, the time (ns) within ranges that it encloses."""
    nested = dict.fromkeys(ranges, 0)
    open_ranges: dict[int, list[Event]] = {}
    for event in sorted(ranges, key=lambda event: (event.start_ns, -event.end_ns)):
        stack = open_ranges.setdefault(event.thread, [])
        while stack and stack[-1].end_ns < event.end_ns:
            stack.pop()
        if stack:
            nested[stack[-1]] += event.end_ns - event.start_ns
        stack.append(event)
    return nested


def table_of(rows: list[Row], by: str, limit: int) -> str:
    """Rows as text, with a line that adds them up."""
    total_s = sum(row.self_s for row in rows) or 1.0
    lines = [(by, "calls", "self ms", "self %", "total ms", "average us", "MB", "device")]
    lines += [
        (
            row.name,
            str(row.calls),
            f"{row.self_s * 1e3:.3f}",
            f"{100 * row.self_s / total_s:.1f}",
            f"{row.total_s * 1e3:.3f}",
            f"{row.average_s * 1e6:.2f}",
            f"{row.nbytes / 1e6:.3f}",
            row.device,
        )
        for row in rows[:limit]
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = []
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:-1], widths[1:-1], strict=True)]
        text.append("  ".join([*cells, line[-1]]).rstrip())
    text.insert(1, "-" * max(map(len, text)))
    left = len(rows) - limit
    if left > 0:
        text.append(f"... and {left} more")
    text.append(f"total: {sum(row.calls for row in rows)} calls, {sum(row.self_s for row in rows) * 1e3:.3f} ms")
    return "\n".join(text)
