"""Time Adam steps with and without another Python thread: `python asv_bench/peers/updates.py`.

Each process times one backend. It takes turns: a batch of steps alone, then a batch while a thread waits for an event.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any

__all__ = ["main"]

BATCHES = 15


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", default="numpy", help="(default numpy)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 10_000, 1_000_000], help="parameters per variable")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from benchmarks.workloads import AdamStep

    print("| parameters | alone [us] | with an idle thread [us] | ratio |\n|---|---|---|---|")
    for size in options.sizes:
        adam = AdamStep(options.backend, size)
        batch(adam)
        alone, beside = [], []
        for _ in range(BATCHES):
            alone.append(batch(adam))
            done = threading.Event()
            thread = threading.Thread(target=done.wait)
            thread.start()
            time.sleep(0.01)  # until it waits
            beside.append(batch(adam))
            done.set()
            thread.join()
        first, second = statistics.median(alone), statistics.median(beside)
        print(f"| {size:,} | {first:,.1f} | {second:,.1f} | {second / first:.2f} |")


def batch(adam: Any) -> float:
    """Microseconds per step."""
    step = adam.step
    steps = min(1000, max(40, 10_000_000 // adam.gradient.size))
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - start) / steps * 1e6


if __name__ == "__main__":
    main()
