"""Lane A: what a call costs, counted instead of timed, so that it is the same in each run.

=============  ============================================================================  =============
measure        what it counts                                                                where
=============  ============================================================================  =============
opcodes        opcodes of Python code; with a compiled ring, of the code outside it          everywhere
allocations    memory that CPython allocates for objects, also by compiled code; changes     where llvmlite
               below 5 or 5 % are none                                                       is installed
kernels        calls of kernels of the backend itself, not of the one that it extends        everywhere
bytes          peak bytes of a call, as tracemalloc sees them; changes below 1 KiB are     host's memory
               those of Python's own small objects, and left out
modules        modules that `import polytape` loads, and the first op after it; any new     everywhere
               module counts
instructions   instructions of the processor, by valgrind's cachegrind: the difference of    where valgrind
               two runs with different numbers of calls, per call                            is installed
=============  ============================================================================  =============

Source:
    N. Nethercote, J. Seward, "Valgrind: a framework for heavyweight dynamic binary instrumentation", PLDI (2007).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Final, NamedTuple

from .pairs import Spot
from .workers import CaseError, WorkerProcess, command, environment

__all__ = ["MARGIN", "Change", "changes", "counts", "has_valgrind", "instructions", "modules"]

MARGIN: Final = 0.01
_MARGINS: Final = {"allocations": 0.05}  # CPython keeps freed objects for reuse; how many depends on what ran before
_SMALL: Final = {"bytes": 1024, "allocations": 5}  # smaller changes are none
_CALLS: Final = (50, 250)

Counts = dict[str, int]


class Change(NamedTuple):
    """A measure that differs between the sides by more than the margin.

    Attributes:
        verdict: ``worse``, ``lost`` (no kernel of the backend's own runs any more) or ``better``.
    """

    measure: str
    base: int
    head: int
    verdict: str


def counts(worker: WorkerProcess, case: str, device: str) -> Counts:
    """The measures of a case, in a running worker.

    Raises:
        CaseError: the case fails.
    """
    found = worker.ask("count", case=case, device=device)
    return {**found, "kernels": sum(found["kernels"].values())}


def has_valgrind() -> bool:
    """Whether instructions can be counted here."""
    return shutil.which("valgrind") is not None


def instructions(spot: Spot) -> int:
    """Instructions per call.

    Raises:
        CaseError: the case fails.
    """
    few, many = (_total(spot, calls) for calls in _CALLS)
    return round((many - few) / (_CALLS[1] - _CALLS[0]))


def _total(spot: Spot, calls: int) -> int:
    work = {"case": spot.case, "device": spot.device, "calls": calls}
    tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    words = [*tool, *command(spot.side, run=work)]
    result = subprocess.run(words, capture_output=True, text=True, env=environment(), check=False)
    found = re.search(r"I +refs: +([\d,]+)", result.stderr)
    if result.returncode or found is None:
        raise CaseError(f"counting the instructions of {spot.case} on {spot.device}: {result.stderr[-300:]}")
    return int(found[1].replace(",", ""))


def modules(side: str, device: str) -> dict[str, list[str]]:
    """Names of the modules that ``import`` and ``first_op`` load, in a fresh process.

    Raises:
        CaseError: the import or the op fails.
    """
    result = subprocess.run(command(side, start=device), capture_output=True, text=True, env=environment(), check=False)
    if result.returncode:
        raise CaseError(f"the first op on {device}: {result.stderr.strip().splitlines()[-1]}")
    found: dict[str, list[str]] = json.loads(result.stdout)
    return found


def changes(base: Counts, head: Counts) -> list[Change]:
    """The measures that differ; a measure that only one side has is none of either's."""
    found = []
    for measure in base:
        if measure not in head:
            continue
        old, new, margin = base[measure], head[measure], _MARGINS.get(measure, MARGIN)
        if abs(new - old) < _SMALL.get(measure, 0):
            continue
        if measure == "kernels" and old and not new:
            found.append(Change(measure, old, new, "lost"))
        elif new > old * (1 + margin):
            found.append(Change(measure, old, new, "worse"))
        elif new < old * (1 - margin):
            found.append(Change(measure, old, new, "better"))
    return found
