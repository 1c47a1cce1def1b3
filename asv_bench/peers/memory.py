"""Compare the peak memory of taped steps with the hand count: `python asv_bench/peers/memory.py`.

The hand counts are derived in `polytape_perf.cases.memory`. The target is at most 1.05 times the hand count.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

__all__ = ["main"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # OpenBLAS reads it once, when NumPy is imported
    sys.path.insert(0, str(Path(__file__).parents[2] / "perf"))  # the checkout's steps, whatever is installed
    from polytape_perf.cases.memory import MB, STEPS
    from polytape_perf.measures import peak_nbytes

    results = {}
    for name, make in STEPS.items():
        run, count = make(None)
        results[name] = {"peak_nbytes": peak_nbytes(run), "hand_count_nbytes": count}
    if options.json:
        print(json.dumps(results, indent=1))
        return
    print("| taped step | peak [MB] | hand count [MB] | ratio |\n|---|---|---|---|")
    for name, row in results.items():
        peak, count = row["peak_nbytes"], row["hand_count_nbytes"]
        print(f"| {name} | {peak / MB:.2f} | {count / MB:.2f} | {peak / count:.3f}x |")


if __name__ == "__main__":
    main()
