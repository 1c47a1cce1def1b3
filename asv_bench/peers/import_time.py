"""Compare `import polytape` with `import numpy` in fresh, alternating processes: python asv_bench/peers/import_time.py.

Prints medians in milliseconds: of the import statement alone (the time that it adds to a program), of the whole
process, and of the first tensor after the import. The targets: at most 1.10 times numpy's import, and at most 20 ms for
the first tensor.
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
    """Medians in seconds: ``inside`` is the time that the program itself measured, ``process`` its whole duration."""
    # The caller's settings must not affect polytape.
    env = {name: value for name, value in os.environ.items() if not name.startswith("POLYTAPE_")}
    inside: dict[str, list[float]] = {name: [] for name in names}
    process: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(-1, turns):  # the first turn fills caches and is not counted
        for name in names:
            begin = time.perf_counter()
            command = [sys.executable, "-c", PROGRAMS[name]]
            result = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
            elapsed = time.perf_counter() - begin
            if turn >= 0:
                process[name].append(elapsed)
                inside[name].append(float(result.stdout))
    return {
        name: {"inside": statistics.median(inside[name]), "process": statistics.median(process[name])} for name in names
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=25, help="processes per program (default 25)")
    parser.add_argument("--torch", action="store_true", help="also measure torch, which takes seconds per process")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()
    names = [name for name in PROGRAMS if options.torch or name != "torch"]
    seconds = measure(names, options.turns)
    ratios = {key: seconds["polytape"][key] / seconds["numpy"][key] for key in ("inside", "process")}
    result: dict[str, Any] = {"turns": options.turns, "seconds": seconds, "polytape_over_numpy": ratios}
    if options.json:
        print(json.dumps(result, indent=1))
        return
    print("| | statement [ms] | whole process [ms] |\n|---|---|---|")
    for name, times in seconds.items():
        print(f"| {name} | {times['inside'] * 1e3:.2f} | {times['process'] * 1e3:.1f} |")
    print(f"| polytape / numpy | {ratios['inside']:.3f}x | {ratios['process']:.3f}x |")
    print(f"\nMedians of {options.turns} fresh processes per program, taking turns.")


if __name__ == "__main__":
    main()
