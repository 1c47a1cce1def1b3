"""Peak memory of taped steps beside the hand count of what must be kept: `python asv_bench/peers/memory.py`.

The counts stand, with their reasons, in benchmarks/memory.py. The aim: at most 1.05 times the hand count.
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
    chosen = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read once, when NumPy loads
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from benchmarks.memory import CASES, MB, peak_nbytes

    found = {}
    for name, make in CASES.items():
        run, count = make(None)
        found[name] = {"peak_nbytes": peak_nbytes(run), "hand_count_nbytes": count}
    if chosen.json:
        print(json.dumps(found, indent=1))
        return
    print("| taped step | peak [MB] | hand count [MB] | ratio |\n|---|---|---|---|")
    for name, row in found.items():
        peak, count = row["peak_nbytes"], row["hand_count_nbytes"]
        print(f"| {name} | {peak / MB:.2f} | {count / MB:.2f} | {peak / count:.3f}x |")


if __name__ == "__main__":
    main()
