"""Compare `polytape perf gate` with asv and apache-otava on the same builds: false alarms, and planted slowdowns found.

``python tools/gate_compared.py [--sets N] [--otava PYTHON] [--json FILE]`` builds the working tree once, in pure
Python. A set is a copy of the build, compared with it on each case of a small panel; then the slowdowns of
gate_quality.py are planted. Needs asv. PYTHON is an interpreter that has apache-otava, which wants a NumPy of its own.

- gate: lane B alone, as `polytape perf gate` applies it: one pair of processes, then three fresh ones to confirm.
- asv: what `asv continuous` does: two processes per side, base first, asv_runner's sampling without a set-up hook,
  and the comparison of `asv compare` (its test of the samples, and factor 1.1).
- otava: the history of one case, with one value per commit, the median of asv's two processes; a change point is found
  with the default p-value of 0.001. Equal builds are one long history. A slowdown is appended to the last 20 of its
  values, four commits long, since one new value is never a change point: otava sees three commits more than the others.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any, Final

from gate_quality import PLANTS, Plant, case_s, interval, planted
from polytape_perf import pairs, sides
from polytape_perf.pairs import Spot
from polytape_perf.sides import Side
from polytape_perf.workers import environment

__all__ = ["main"]

PANEL: Final = ("dispatch/add", "tape/gradient", "indexing/sort")
DEVICE: Final = "numpy:cpu"
FACTOR: Final = 1.1  # asv's own default
COMMITS: Final = 4  # of a slowdown in otava's history
SAMPLE: Final = """
import json, sys
sys.path[0:0] = [sys.argv[1]]
import polytape as pt
from asv_runner.benchmarks.time import TimeBenchmark
from polytape_perf.cases import CASES
class Settings: sample_time, warmup_time, rounds = 0.001, 0.05, 2
found = {}
for case in CASES:
    if case.name in sys.argv[2].split(","):
        with pt.device(sys.argv[3]):
            call = case.make(sys.argv[3])
        benchmark = TimeBenchmark("time_case", call, [Settings])
        benchmark.do_setup()
        found[case.name] = benchmark.do_run()
print(json.dumps(found))
"""
CHANGES: Final = """
import json, sys
from otava.analysis import compute_change_points
found = []
for values in json.load(sys.stdin):
    points, _ = compute_change_points(values, window_len=50, max_pvalue=0.001, min_magnitude=0.0)
    found.append([[int(p.index), float(p.stats.forward_rel_change())] for p in points])
print(json.dumps(found))
"""

Samples = dict[str, list[list[float]]]  # case -> the samples of each process, in seconds per call


def sampled(side: Side, cases: tuple[str, ...]) -> Samples:
    """What two processes of asv measure."""
    found: Samples = {case: [] for case in cases}
    for _ in range(2):
        command = [sys.executable, "-c", SAMPLE, side.folder, ",".join(cases), DEVICE]
        output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment()).stdout
        for case, result in json.loads(output).items():
            found[case].append(result["samples"])
    return found


def value(processes: list[list[float]]) -> float:
    """asv's result of a commit."""
    return median(sample for samples in processes for sample in samples)


def asv_alarm(base: list[list[float]], head: list[list[float]]) -> bool:
    """Whether `asv continuous` calls the head slower."""
    compare, statistics = (import_module(name) for name in ("asv.commands.compare", "asv_runner.statistics"))

    results = []
    for processes in (base, head):
        samples = [sample for part in processes for sample in part]
        result, stats = statistics.compute_stats(samples, 1)
        results.append((result, (stats, samples)))
    (old, old_samples), (new, new_samples) = results
    return bool(compare._is_result_better(old, new, old_samples, new_samples, FACTOR))


def gate_alarm(base: Side, head: Side, case: str) -> bool:
    """Whether lane B of the gate blocks; see `polytape_perf.gate`."""
    first, second = Spot(base.folder, case, DEVICE), Spot(head.folder, case, DEVICE)
    if not pairs.compare(first, second).slower():
        return False
    found = pairs.confirm(first, second)
    return found.holds and not found.noisy


def change_points(python: str, histories: list[list[float]]) -> list[list[tuple[int, float]]]:
    """Index and relative change of each change point that otava finds."""
    command = [python, "-c", CHANGES]
    output = subprocess.run(command, input=json.dumps(histories), check=True, capture_output=True, text=True).stdout
    return [[(index, change) for index, change in points] for points in json.loads(output)]


def equal_builds(base: Side, sets: int, history: dict[str, list[float]]) -> dict[str, int]:
    """Alarms by program."""
    alarms = {"gate": 0, "asv": 0, "pairs": 0}
    for count in range(sets):
        with tempfile.TemporaryDirectory() as folder:
            head = Side("same", str(shutil.copytree(base.folder, Path(folder, "same"))))
            old, new = sampled(base, PANEL), sampled(head, PANEL)
            for case in PANEL:
                history[case] += [value(old[case]), value(new[case])]
                alarms["asv"] += asv_alarm(old[case], new[case])
                alarms["gate"] += gate_alarm(base, head, case)
                alarms["pairs"] += 1
        print(f"set {count + 1}, load {os.getloadavg()[0]:.0f}: {alarms}", flush=True)
    return alarms


def slowdown(base: Side, plant: Plant, history: list[float]) -> dict[str, Any]:
    """Who finds a planted slowdown; ``series`` is otava's history."""
    with tempfile.TemporaryDirectory() as folder:
        head = planted(plant, base, case_s(base, plant.case, plant.device), Path(folder))
        old = sampled(base, (plant.case,))[plant.case]
        commits = [sampled(head, (plant.case,))[plant.case] for _ in range(COMMITS)]
        found = {"gate": gate_alarm(base, head, plant.case), "asv": asv_alarm(old, commits[0])}
    return {**found, "percent": plant.percent, "series": [*history[-20:], *map(value, commits)]}


def share(hits: int, count: int) -> str:
    """A rate with its 95 % interval."""
    if not count:
        return ""
    low, high = interval(hits, count)
    return f"{hits} of {count} ({low:.0%} to {high:.0%})"


def main() -> int:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=20, help=f"of {len(PANEL)} equal pairs (default 20)")
    parser.add_argument("--repeat", type=int, default=1, help="times that each slowdown is planted (default 1)")
    parser.add_argument("--otava", default="", metavar="PYTHON", help="an interpreter with apache-otava")
    parser.add_argument("--json", type=Path, help="also write the figures")
    options = parser.parse_args()
    base = sides.prepare(sides.repository(), sides.WORKING_TREE, "pure")
    history: dict[str, list[float]] = {case: [] for case in PANEL}
    equal = equal_builds(base, options.sets, history)
    plants: list[dict[str, Any]] = []
    for plant in [x for x in PLANTS if x.percent and x.case in PANEL and x.device == DEVICE] * options.repeat:
        plants.append({"name": plant.name, **slowdown(base, plant, history[plant.case])})
        print({name: x for name, x in plants[-1].items() if name != "series"}, flush=True)
    programs = ["gate", "asv"]
    if options.otava:
        programs.append("otava")
        found = change_points(options.otava, [*history.values(), *[plant["series"] for plant in plants]])
        upward = [[index for index, change in points if change > 0] for points in found]
        equal["otava"] = sum(len(points) for points in upward[: len(PANEL)])
        for plant, points in zip(plants, upward[len(PANEL) :], strict=True):
            start = len(plant["series"]) - COMMITS
            plant["otava"] = any(abs(index - start) <= 1 for index in points)
    print(f"| | {' | '.join(programs)} |\n{'|---' * (len(programs) + 1)}|")
    print("| alarms on equal builds | " + " | ".join(share(equal[name], equal["pairs"]) for name in programs) + " |")
    for percent in sorted({plant["percent"] for plant in plants}):
        chosen = [plant for plant in plants if plant["percent"] == percent]
        cells = [share(sum(plant[name] for plant in chosen), len(chosen)) for name in programs]
        print(f"| found, +{percent} % | " + " | ".join(cells) + " |")
    if options.json is not None:
        options.json.write_text(json.dumps({"equal": equal, "history": history, "plants": plants}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
