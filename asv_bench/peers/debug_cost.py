"""What the tools of polytape.debug cost while they are in use: python asv_bench/peers/debug_cost.py.

Prints the time of each workload inside each tool as a ratio to the time without one, from batches that take turns in
one process, and the time that it adds per op, in microseconds. `after` is the time after all tools have been left.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "perf"))  # the checkout's programs, whatever is installed

import polytape as pt
from polytape_perf.cases.workloads import Linreg, Mlp

__all__ = ["main"]

TOOLS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "none": nullcontext,
    "callback": lambda: pt.debug.callback(lambda call: None),
    "record_lines": pt.debug.record_lines,
    "profile": pt.debug.profile,
    "check_numerics": pt.debug.check_numerics,
    "after": nullcontext,
}


def seconds(work: Callable[[], Any], tool: AbstractContextManager[Any], calls: int) -> float:
    """Seconds of processor time per call inside a tool, after ten calls that resolve ops and trace functions."""
    with tool:
        for _ in range(10):
            work()
        begin = time.process_time()
        for _ in range(calls):
            work()
        return (time.process_time() - begin) / calls


def ops(work: Callable[[], Any]) -> int:
    """How many ops one call runs."""
    work()
    with pt.debug.profile() as p:
        work()
    return sum(row.calls for row in p.rows())


def measure(turns: int) -> dict[str, dict[str, dict[str, float]]]:
    """Workload -> tool -> median ``ratio`` to no tool, and ``added_us`` per op."""
    x = pt.ones((10,))
    workloads: dict[str, tuple[Callable[[], Any], int]] = {
        "add of two tensors of 10 floats": (lambda: pt.add(x, x), 3000),
        "linear regression step, 1,000 points": (Linreg().step, 100),
        "MLP 784-128-10 step, batch 128, Adam": (Mlp().step, 5),
    }
    results: dict[str, dict[str, dict[str, float]]] = {}
    for name, (work, calls) in workloads.items():
        times: dict[str, list[float]] = {tool: [] for tool in TOOLS}
        for _ in range(turns):
            for tool, make in TOOLS.items():
                times[tool].append(seconds(work, make(), calls))
        count = ops(work)
        results[name] = {
            tool: {
                "ratio": statistics.median(map(float.__truediv__, times[tool], times["none"])),
                "added_us": 1e6 * statistics.median(map(float.__sub__, times[tool], times["none"])) / count,
            }
            for tool in TOOLS
            if tool != "none"
        }
    return results


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=15, help="batches per tool (default 15)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()
    results = measure(options.turns)
    if options.json:
        print(json.dumps(results, indent=1))
        return
    tools = [tool for tool in TOOLS if tool != "none"]
    print(f"| | {' | '.join(tools)} |\n|---|{'---|' * len(tools)}")
    for name, row in results.items():
        cells = [f"{row[tool]['ratio']:.2f}x (+{row[tool]['added_us']:.1f} us per op)" for tool in tools]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
