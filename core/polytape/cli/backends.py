"""List every backend that is installed or known: devices, status, reason and remedy. Loads all of them."""

from __future__ import annotations

import argparse
import json
from typing import Any

from .survey import LIMIT_S, survey

__all__ = ["add_arguments", "run", "table"]

_HEADINGS = ("backend", "status", "devices", "version", "distribution", "load [ms]", "native", "decomposed", "missing")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print a JSON list instead of the table")
    add_timeout(parser)


def add_timeout(parser: argparse.ArgumentParser) -> None:
    """Declare the time limit of each plugin."""
    parser.add_argument(
        "--timeout", metavar="S", type=float, default=LIMIT_S, help=f"seconds per plugin (default {LIMIT_S:g})"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the table, or the JSON list."""
    facts = survey(arguments.timeout)
    if arguments.json:
        print(json.dumps(facts["backends"], indent=2))
    else:
        print("\n".join([table(facts["backends"]), *[f"warning: {problem}" for problem in facts["problems"]]]))
    return 0


def _devices(status: dict[str, Any]) -> str:
    kinds = [device.split(":")[1] for device in status["devices"]]
    return ", ".join(
        kind if kinds.count(kind) == 1 else f"{kind} x{kinds.count(kind)}" for kind in dict.fromkeys(kinds)
    )


def _row(status: dict[str, Any]) -> tuple[str, ...]:
    return (
        status["name"],
        status["status"],
        _devices(status),
        status["version"],
        status["distribution"],
        f"{status['load_time_s'] * 1e3:.0f}" if status["load_time_s"] else "",
        *["" if status[count] is None else str(status[count]) for count in ("native", "decomposed", "missing")],
    )


def _notes(status: dict[str, Any]) -> list[str]:
    name = status["name"]
    notes = []
    if status["status"] != "ready":
        notes += [f"{name}: {status['status']}: {status['reason']}", f"  fix: {status['remedy']}"]
    elif status["library"]:
        notes.append(f"{name}: computes with {status['library']}")
    if status["kernels_from"]:
        notes.append(f"{name}: additional kernels from {', '.join(status['kernels_from'])}")
    notes += [f"{name}: kernels disabled: {text}" for text in status["disabled"]]
    for dist in status["ignored"]:
        notes.append(f"{name}: ignored: {dist} provides one too; POLYTAPE_PLUGINS={dist}/{name} selects that")
    return notes


def table(statuses: list[dict[str, Any]]) -> str:
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
