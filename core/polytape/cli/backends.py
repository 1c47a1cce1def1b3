"""List every backend that is installed or known: devices, status, reason and remedy. Loads all of them."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..plugins import backends
from ..plugins.statuses import BackendStatus

__all__ = ["add_arguments", "as_json", "run", "table"]

_HEADINGS = ("backend", "status", "devices", "version", "distribution", "load [ms]", "native", "decomposed", "missing")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print a JSON list instead of the table")


def run(arguments: argparse.Namespace) -> int:
    """Print the table, or the JSON list."""
    statuses = backends()
    print(json.dumps([as_json(status) for status in statuses], indent=2) if arguments.json else table(statuses))
    return 0


def as_json(status: BackendStatus) -> dict[str, Any]:
    """One status as JSON values; ``load_time_s`` in seconds."""
    ready = status.status == "ready"
    return {
        "name": status.name,
        "status": status.status,
        "reason": status.reason,
        "remedy": status.remedy,
        "devices": [str(device) for device in status.devices],
        "version": status.version,
        "library": status.library,
        "distribution": status.distribution,
        "load_time_s": status.load_time_s,
        "native": status.native if ready else None,
        "decomposed": status.decomposed if ready else None,
        "missing": status.missing if ready else None,
        "kernels_from": list(status.kernels_from),
        "disabled": list(status.disabled),
    }


def _devices(status: BackendStatus) -> str:
    counts: dict[str, int] = {}
    for device in status.devices:
        counts[device.kind] = counts.get(device.kind, 0) + 1
    return ", ".join(kind if count == 1 else f"{kind} x{count}" for kind, count in counts.items())


def _row(status: BackendStatus) -> tuple[str, ...]:
    load_ms = f"{status.load_time_s * 1e3:.0f}" if status.load_time_s else ""
    counts = (status.native, status.decomposed, status.missing) if status.status == "ready" else ("", "", "")
    return (
        status.name,
        status.status,
        _devices(status),
        status.version,
        status.distribution,
        load_ms,
        *map(str, counts),
    )


def _notes(status: BackendStatus) -> list[str]:
    notes = []
    if status.status != "ready":
        notes += [f"{status.name}: {status.status}: {status.reason}", f"  fix: {status.remedy}"]
    elif status.library:
        notes.append(f"{status.name}: computes with {status.library}")
    if status.kernels_from:
        notes.append(f"{status.name}: additional kernels from {', '.join(status.kernels_from)}")
    notes += [f"{status.name}: kernels disabled: {text}" for text in status.disabled]
    return notes


def table(statuses: list[BackendStatus]) -> str:
    """The statuses as an aligned table, followed by the reasons and remedies."""
    rows = [_HEADINGS, *map(_row, statuses)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    first_number = len(_HEADINGS) - 4  # the last four columns are numbers
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column >= first_number else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    notes = [note for status in statuses for note in _notes(status)]
    return "\n".join([*lines, "", *notes] if notes else lines)
