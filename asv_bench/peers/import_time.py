"""`import polytape` beside `import numpy`, in fresh processes that take turns: python asv_bench/peers/import_time.py.

Prints medians in milliseconds: of the import statement alone (what a program adds by it), of the whole process, and of
the first tensor after the import. The aims: the ratio to numpy at most 1.10, the first tensor at most 20 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

__all__ = ["main"]

_TIMED = "import time; begin = time.perf_counter(); {}; print(time.perf_counter() - begin)"
PROGRAMS = {
    "python": "print(0.0)",
    "numpy": _TIMED.format("import numpy"),
    "polytape": _TIMED.format("import polytape"),
    "first tensor": f"import polytape; {_TIMED.format('polytape.asarray([1.0])')}",
    "torch": _TIMED.format("import torch"),
}


def measure(names: list[str], turns: int) -> dict[str, dict[str, float]]:
    """Medians in seconds: ``inside`` of what the program itself timed, ``process`` of its whole life."""
    # Settings of the caller's must not steer what polytape does first.
    env = {name: value for name, value in os.environ.items() if not name.startswith("POLYTAPE_")}
    inside: dict[str, list[float]] = {name: [] for name in names}
    process: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(-1, turns):  # the first turn writes caches
        for name in names:
            begin = time.perf_counter()
            command = [sys.executable, "-c", PROGRAMS[name]]
            done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
            took = time.perf_counter() - begin
            if turn >= 0:
                process[name].append(took)
                inside[name].append(float(done.stdout))
    return {
        name: {"inside": statistics.median(inside[name]), "process": statistics.median(process[name])} for name in names
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=25, help="processes of each kind (default 25)")
    parser.add_argument("--torch", action="store_true", help="torch as well, which takes seconds per process")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    chosen = parser.parse_args()
    names = [name for name in PROGRAMS if chosen.torch or name != "torch"]
    seconds = measure(names, chosen.turns)
    ratios = {key: seconds["polytape"][key] / seconds["numpy"][key] for key in ("inside", "process")}
    result: dict[str, Any] = {"turns": chosen.turns, "seconds": seconds, "polytape_over_numpy": ratios}
    if chosen.json:
        print(json.dumps(result, indent=1))
        return
    print("| | the statement [ms] | the whole process [ms] |\n|---|---|---|")
    for name, taken in seconds.items():
        print(f"| {name} | {taken['inside'] * 1e3:.2f} | {taken['process'] * 1e3:.1f} |")
    print(f"| polytape / numpy | {ratios['inside']:.3f}x | {ratios['process']:.3f}x |")
    print(f"\nMedians of {chosen.turns} fresh processes of each kind, in turns.")


if __name__ == "__main__":
    main()
