"""Measure how good `polytape perf gate` is: false alarms on equal builds, and planted slowdowns found.

``python tools/gate_quality.py [--pairs N] [--plants TEXT] [--json FILE]`` builds the working tree once, in pure Python.
Copies of the build are compared with it case by case, on every backend: each alarm is false. Then each defect of the
table is planted into a copy, and the gate judges it. A slowdown of p percent is a loop, or a part of the kernel's own
work, that takes p percent of the case's time, measured before. With the ring compiled, a defect in the ring needs a
build of minutes, so the loops there are left out, and instructions are counted if there is valgrind.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from math import sqrt
from pathlib import Path
from typing import Any, Final, NamedTuple

from polytape_perf import cases, counting, gate, sides
from polytape_perf.cases import Case
from polytape_perf.gate import Outcome
from polytape_perf.sides import Side
from polytape_perf.workers import WorkerProcess

__all__ = ["PLANTS", "Plant", "interval", "main"]

PERCENTS: Final = (5, 10, 20, 50, 100)
LOOP: Final = "for _ in range({turns}): pass\n"
GOAL_PERCENT: Final = 20  # from here on, lane B must find every slowdown


class Plant(NamedTuple):
    """A defect: ``old`` becomes ``new`` in ``file`` of the build.

    Attributes:
        new: ``{share}`` is the percentage as a fraction, and ``{turns}`` a number of turns of an empty loop that take
            this share of the case's time.
        case, device: where it shows.
        percent: how much slower the case becomes; 0 for a defect that counts show whatever its time is.
        also: further edits: file, old and new.
        ring: the ring in which it is planted: ``pure``, ``compiled`` (by a new build) or ``both``.
    """

    name: str
    file: str
    old: str
    new: str
    case: str
    device: str
    percent: int = 0
    also: tuple[tuple[str, str, str], ...] = ()
    ring: str = "both"


def slowdowns(name: str, file: str, before: str, work: str, case: str, device: str, ring: str = "both") -> list[Plant]:
    """One plant for each percentage, which does some work before a line."""
    return [Plant(f"{name} +{p} %", file, before, work + before, case, device, p, ring=ring) for p in PERCENTS]


PLANTS: Final = [
    *slowdowns(
        "dispatch", "polytape/dispatch/fast_path.py",
        "        # The most common call, handled here to save another function call.\n", f"        {LOOP}",
        "dispatch/add", "numpy:cpu", "pure",
    ),
    *slowdowns(
        "tape", "polytape/autodiff/tape.py", "        targets = gradient_arguments.check_targets(",
        f"        {LOOP}", "tape/gradient", "numpy:cpu", "pure",
    ),
    *slowdowns(
        "numpy's sort", "polytape_numpy/kernels/sorting.py",
        "        if descending:\n            return ascontiguousarray(flip(ordered",
        "        ordered(x[: int(len(x) * {share})], axis)\n", "indexing/sort", "numpy:cpu",
    ),
    *slowdowns(
        "numba's softmax", "polytape_numba/kernels/nn/activations.py",
        "    return _by_rows(loops().softmax, x)", "    _by_rows(loops().softmax, x[: int(len(x) * {share})])\n",
        "rows/softmax", "numba:cpu",
    ),
    Plant(
        "lost kernels of numba", "polytape_numba/kernels/__init__.py", '"nn.smooth", ', "", "elementwise/gelu_1000",
        "numba:cpu",
    ),
    Plant(
        "lost backend", "polytape_numba/plugin.py", "def polytape_backend() -> Backend:\n",
        "def polytape_backend() -> Backend:\n    raise RuntimeError('planted')\n", "dispatch/add", "numba",
    ),
    Plant(
        "numba at import", "polytape/__init__.py", "from __future__ import annotations\n",
        "from __future__ import annotations\nimport numba\n", "start/import", "numpy:cpu",
    ),
    Plant(
        "numba at the first op", "polytape_numpy/plugin.py", "import numpy as np\n",
        "import numba\nimport numpy as np\n", "start/first_op", "numpy:cpu",
    ),
    Plant(
        "an extra copy", "polytape_numpy/kernels/sorting.py",
        "        if descending:\n            return ascontiguousarray(flip(ordered",
        "        x = x.copy()\n        if descending:\n            return ascontiguousarray(flip(ordered",
        "indexing/sort", "numpy:cpu",
    ),
    Plant(
        "ring fields typed Any", "polytape/dispatch/fast_path.py",
        "latest: Resolution | None = None", "latest: Any = None", "dispatch/add", "numpy:cpu", ring="compiled",
        also=(
            ("polytape/registry/resolution.py", "self.shared_type: TensorType | None =", "self.shared_type: Any ="),
            ("polytape/registry/resolution.py", "self.result_type: TensorType =", "self.result_type: Any ="),
        ),
    ),
]  # fmt: skip


def planted(plant: Plant, base: Side, seconds: float, folder: Path) -> Side:
    """A copy of the build with the defect, or a new build if the defect is in compiled files."""
    turns = round(seconds * plant.percent / 100 / loop_s())

    def edit(top: Path) -> None:
        for file, old, new in ((plant.file, plant.old, plant.new), *plant.also):
            path = top / file
            text = path.read_text(encoding="utf-8")
            assert old in text, f"{plant.name}: {file} has changed"
            new = new.replace("{turns}", str(turns)).replace("{share}", str(plant.percent / 100))
            path.write_text(text.replace(old, new), encoding="utf-8")

    if plant.ring == "compiled":
        repo = sides.repository()
        side = sides.edited(repo, sides.WORKING_TREE, "compiled", folder, lambda top: edit(top / "core"))
        return Side(plant.name, side.folder)
    copy = folder / "planted"
    shutil.copytree(base.folder, copy)
    edit(copy)
    return Side(plant.name, str(copy))


def loop_s() -> float:
    """Seconds that one turn of an empty loop takes."""
    best = 1.0
    for _ in range(20):
        begin = time.perf_counter()
        for _ in range(10_000):
            pass
        best = min(best, (time.perf_counter() - begin) / 10_000)
    return best


def case_s(base: Side, case: str, device: str) -> float:
    """Seconds per call, the median of a few turns."""
    if case not in {known.name for known in cases.CASES}:
        return 0.0
    with WorkerProcess(base.folder) as worker:
        worker.ask("open", case=case, device=device)
        seconds: list[float] = sorted(worker.ask("turn", calls=20) / 20 for _ in range(21))
        return seconds[10]


def judged(
    ring: str, base: Side, head: Side, chosen: list[Case], backends: list[str], instructions: str = ""
) -> Outcome:
    """The gate's outcome; ``instructions`` is a case whose instructions are counted, if there is valgrind."""
    counted = {instructions} if counting.has_valgrind() else set()
    return gate.judge([(ring, base, head)], chosen, backends, [], instructions=counted)


def lanes(outcome: Outcome) -> tuple[bool, bool]:
    """Whether lane A and lane B found the defect."""
    blocking = [finding for finding in outcome.findings if finding.blocks]
    timed = [finding for finding in blocking if finding.measure == "time"]
    return len(blocking) > len(timed), bool(timed)


def interval(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a rate, by E. Wilson, J. Am. Stat. Assoc. 22 (1927), pp. 209-212."""
    z = 1.96
    middle = (hits + z * z / 2) / (count + z * z)
    half = z / (count + z * z) * sqrt(hits * (count - hits) / count + z * z / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


def false_alarms(ring: str, base: Side, pairs: int, say: Any) -> dict[str, Any]:
    """Compare equal builds until at least so many cases have been compared."""
    compared, suspected, alarms, counted = 0, 0, [], 0
    begin = time.perf_counter()
    while compared < pairs:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, "same")
            shutil.copytree(base.folder, copy)
            outcome = judged(ring, base, Side("same", str(copy)), cases.selected("panel"), [])
        compared += sum(outcome.measured.values())
        suspected += sum(finding.verdict in ("not confirmed", "noisy") for finding in outcome.findings)
        alarms += [f"{x.case} on {x.device}: {x.measure} {x.detail}" for x in outcome.findings if x.blocks]
        counted += not (outcome.quiet and outcome.sensitive)
        say(f"{compared} compared, {suspected} suspected and not confirmed, {len(alarms)} false alarms")
    return {
        "compared": compared,
        "not_confirmed": suspected,
        "alarms": alarms,
        "runs_without_proof": counted,
        "seconds": time.perf_counter() - begin,
    }


def main() -> int:
    """Run it, print the tables, and return 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=60, help="comparisons of equal builds (default 60)")
    parser.add_argument("--ring", choices=list(sides.RINGS), default="pure", help="(default: pure)")
    parser.add_argument("--plants", default="", help="only those whose names contain this")
    parser.add_argument("--json", type=Path, help="also write the figures")
    options = parser.parse_args()
    base = sides.prepare(sides.repository(), sides.WORKING_TREE, options.ring)
    figures: dict[str, Any] = {"equal": false_alarms(options.ring, base, options.pairs, print), "plants": {}}
    missed = list(figures["equal"]["alarms"])
    print("| defect | head / base | lane A | lane B |\n|---|---|---|---|")
    for plant in PLANTS:
        if options.plants not in plant.name or plant.ring not in ("both", options.ring):
            continue
        with tempfile.TemporaryDirectory() as folder:
            head = planted(plant, base, case_s(base, plant.case, plant.device), Path(folder))
            chosen = cases.selected(plant.case) or cases.selected("dispatch/add")
            counted = plant.case if plant.ring == "compiled" else ""
            outcome = judged(options.ring, base, head, chosen, [plant.device.partition(":")[0]], counted)
        counts, times = lanes(outcome)
        measured = [ratio.median for ratio in outcome.ratios.values()]
        found = {"measured": measured, "counts": counts, "times": times}
        figures["plants"][plant.name] = {"percent": plant.percent, **found}
        cells = (plant.name, *[f"{x:.2f}" for x in measured or [1.0]], *["found" if x else "" for x in (counts, times)])
        print(f"| {' | '.join(cells)} |", flush=True)
        if not (counts or times) or (plant.percent >= GOAL_PERCENT and not times):
            missed.append(plant.name)
    equal = figures["equal"]
    low, high = interval(len(equal["alarms"]), equal["compared"])
    print(f"\nfalse alarms: {len(equal['alarms'])} of {equal['compared']}, 95 % interval {low:.1%} to {high:.1%}")
    print(f"missed: {', '.join(missed) or 'none'}")
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return int(bool(missed))


if __name__ == "__main__":
    raise SystemExit(main())
