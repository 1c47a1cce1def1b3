"""Times and counts of a commit, kept as files of JSON; and where a series of them became slower.

A time is the median of three processes, each the median of its turns; the smallest and the largest are kept beside it.
So the spread is that between processes, which is larger than the one within a process.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from polytape.errors import SettingError

from . import counting, machine, sides
from .cases import Case
from .workers import CaseError, WorkerProcess

__all__ = ["Step", "load", "measure", "save", "steps"]

VERSION: Final = 1
PROCESSES: Final = 3
TURNS: Final = 25
TURN_S: Final = 0.001
FEWEST_TURNS: Final = 5  # of a call that takes longer than a turn
LONGEST_S: Final = 0.5  # all turns of a call
MARGIN: Final = 0.10
KEPT: Final = 2  # commits on either side of a step that must agree, so that a single spike is none

Record = dict[str, Any]


class Step(NamedTuple):
    """A lasting change of a time.

    Attributes:
        before, commit: the last commit with the old time, and the first with the new one.
        factor: the new time by the old one.
    """

    device: str
    case: str
    ring: str
    before: str
    commit: str
    factor: float


def measure(
    repo: Path, commit: str, ring: str, chosen: list[Case], backends: list[str], say: Callable[[str], None]
) -> Record:
    """Measure a commit on this machine.

    Raises:
        SettingError: the commit is unknown, or it cannot be built.
    """
    side = sides.prepare(repo, commit, ring)
    with WorkerProcess(side.folder) as worker:
        status = worker.ask("backends")
    names = backends or [name for name, found in status.items() if found["device"]]
    cells = []
    for name in names:
        device = status.get(name, {}).get("device", "")
        if device:
            say(f"{ring}, {device}")
            cells += _cells(side.folder, device, [case.name for case in chosen])
    about = machine.record()
    return {
        "version": VERSION,
        "commit": sides.describe(repo, commit),
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "ring": ring,
        "machine": about,
        "series": machine.series(about),
        "backends": {
            name: {key: status.get(name, {}).get(key, "") for key in ("status", "reason")} for name in {*names, *status}
        },
        "cells": cells,
    }


def _cells(folder: str, device: str, names: list[str]) -> list[dict[str, Any]]:
    times: dict[str, list[float]] = {name: [] for name in names}
    counts: dict[str, dict[str, int]] = {}
    errors: dict[str, str] = {}
    for _ in range(PROCESSES):
        remaining = [name for name in reversed(names) if name not in errors]
        while remaining:
            with WorkerProcess(folder) as worker:
                while remaining:
                    name = remaining.pop()
                    try:
                        seconds = worker.ask("open", case=name, device=device)
                        calls = max(1, round(TURN_S / seconds))
                        turns = max(FEWEST_TURNS, min(TURNS, round(LONGEST_S / seconds)))
                        times[name].append(
                            statistics.median(worker.ask("turn", calls=calls) / calls for _ in range(turns))
                        )
                        if name not in counts:
                            counts[name] = counting.counts(worker, name, device)
                    except CaseError as error:
                        errors[name] = str(error)
                        break  # the worker may have ended: the other cases get a fresh one
    return [
        {"device": device, "case": name, "error": errors[name]}
        if name in errors
        else {
            "device": device, "case": name, "seconds": statistics.median(times[name]), "low": min(times[name]),
            "high": max(times[name]), "counts": counts[name],
        }
        for name in names
        if "Skipped: " not in errors.get(name, "")  # the case has no meaning on this device
    ]  # fmt: skip


def save(folder: Path, record: Record) -> Path:
    """Write a record; its name sorts by the commit's date."""
    date = "".join(filter(str.isdigit, record["commit"]["date"]))[:14]
    path: Path = folder / record["series"] / f"{date}-{record['commit']['sha'][:10]}-{record['ring']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return path


def load(folder: Path) -> list[Record]:
    """All records of a folder, by the date of the commit.

    Raises:
        SettingError: there is none, or a file is none.
    """
    records = []
    for path in sorted(folder.glob("*/*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            valid = record["version"] == VERSION
        except (ValueError, KeyError, TypeError):
            valid = False
        if not valid:
            raise SettingError(
                f"{path} is not a record of polytape perf.",
                expected=f"a file that `polytape perf record` wrote, version {VERSION}",
                got="other content",
                fix="remove the file, or measure the commit again",
            )
        records.append(record)
    if not records:
        raise SettingError(
            f"{folder} has no records.",
            expected="files that `polytape perf record` wrote",
            got="none",
            fix=f"run `polytape perf record --results {folder}`",
        )
    return sorted(records, key=lambda record: (record["commit"]["date"], record["measured"]))


def series_of(records: Iterable[Record]) -> dict[tuple[str, str, str, str], list[tuple[Record, dict[str, Any]]]]:
    """(series, ring, device, case) -> the records that have a time of it, with their cells, in order."""
    found: dict[tuple[str, str, str, str], list[tuple[Record, dict[str, Any]]]] = {}
    for record in records:
        for cell in record["cells"]:
            if "seconds" in cell:
                key = (record["series"], record["ring"], cell["device"], cell["case"])
                found.setdefault(key, []).append((record, cell))
    return found


def steps(records: Iterable[Record], margin: float = MARGIN) -> list[Step]:
    """Where a time became longer by more than the margin, and stayed so: slowdowns, the latest commit last.

    The processes' ranges of the commits before and behind a step do not touch; and `KEPT` commits on both sides agree.
    """
    found = []
    for (_, ring, device, case), points in series_of(records).items():
        start = 0
        for place in range(KEPT, len(points) - KEPT + 1):
            before, behind = points[max(start, place - KEPT) : place], points[place : place + KEPT]
            if len(before) < KEPT:
                continue
            highest, lowest = max(cell["high"] for _, cell in before), min(cell["low"] for _, cell in behind)
            if lowest > highest * (1 + margin):
                old = statistics.median(cell["seconds"] for _, cell in before)
                new = statistics.median(cell["seconds"] for _, cell in behind)
                commits = points[place - 1][0]["commit"]["sha"], points[place][0]["commit"]["sha"]
                found.append(Step(device, case, ring, *commits, new / old))
                start = place
    return found
