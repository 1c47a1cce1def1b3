"""polytape beside its peers, interleaved in one process on one thread: `python asv_bench/peers/ratios.py`.

Prints the table that README shows, in Markdown: time per call, and polytape's as a ratio to NumPy's and to torch's
(below 1: polytape is faster). Each number is the median of batches of about 1 ms that the contestants run in turns.
Peers come from requirements.txt beside this; one that is not installed has an empty column.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from interleave import interleaved, median, ratio_spread

__all__ = ["main"]

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
# row -> its title, and the columns that polytape's time is divided by: its aims are set against these.
ROWS = {
    "add10": ("add of two tensors of 10 floats", ("numpy", "torch")),
    "scalar": ("`x + 2.0`, 10 floats", ("numpy", "torch")),
    "open tape": ("200 adds of unwatched tensors under an open tape", ("no tape",)),
    "gradient": ("gradient of sum(w * w), (1, 1)", ("torch",)),
    "second": ("second derivative of x * x * x", ("torch",)),
    "linreg": ("linear regression step, 1,000 points", ("numpy", "torch")),
    "mlp": ("MLP 784-128-10 step, batch 128, Adam", ("numpy", "torch", "torch fused")),
    "traced": ("the linear regression step, traced", ("eager", "jax.jit")),
    "traced numba": ("the same, traced, on numba", ("eager", "jax.jit")),
}


def cpu_model() -> str:
    """The processor's name, as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()} ({len(names)} cores)"


def version(name: str) -> str:
    """An installed distribution's version."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def conditions(peers: list[str], batches: int, batch_s: float) -> dict[str, Any]:
    """What the numbers depend on."""
    from polytape import buildinfo

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return {
        "ring": "compiled" if buildinfo.compiled() else "pure Python",
        "python": platform.python_version(),
        "cpu": cpu_model(),
        "versions": {name: version(name) for name in ("numpy", *peers)},
        "threads": 1,
        "batches": batches,
        "batch_s": batch_s,
        "load_average_before": round(load, 2),
    }


def summary(row: str, samples: dict[str, list[float]]) -> dict[str, Any]:
    """A row's medians in seconds, and its ratios with the spread that single turns showed."""
    ratios = {}
    for base in ROWS[row][1]:
        if base in samples:
            low, high = ratio_spread(samples["polytape"], samples[base])
            ratios[base] = [median(samples["polytape"]) / median(samples[base]), low, high]
    return {"seconds": {name: median(taken) for name, taken in samples.items()}, "ratios": ratios}


def duration(seconds: float | None) -> str:
    """A time in the unit that fits it."""
    if seconds is None:
        return ""
    scale, unit = (1e9, "ns") if seconds < 1e-6 else (1e6, "us") if seconds < 1e-3 else (1e3, "ms")
    return f"{seconds * scale:.{3 if seconds * scale < 10 else 4}g} {unit}"


def table(results: dict[str, Any], missing: dict[str, str], names: list[str]) -> str:
    """The Markdown table."""
    lines = ["| | polytape | " + " | ".join(names) + " | polytape / other (middle half of the turns) |"]
    lines.append("|---|" + "---|" * (len(names) + 2))
    for row in [row for row in ROWS if row in results or row in missing]:
        if row in missing:
            lines.append(f"| {ROWS[row][0]} | n/a: {missing[row]} |" + " |" * (len(names) + 1))
            continue
        seconds, ratios = results[row]["seconds"], results[row]["ratios"]
        shown = ", ".join(
            f"{ratio:.2f}x {base} ({low:.2f} to {high:.2f})" for base, (ratio, low, high) in ratios.items()
        )
        cells = [duration(seconds["polytape"]), *(duration(seconds.get(name)) for name in names), shown]
        lines.append(f"| {ROWS[row][0]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """The command line's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=51, help="batches of each contestant per row (default 51)")
    parser.add_argument("--batch-ms", type=float, default=1.0, help="length of a batch in milliseconds (default 1)")
    parser.add_argument("--peers", default="torch,jax,autograd", help="(default %(default)s; those that are installed)")
    parser.add_argument("--rows", default="", help=f"comma list of {', '.join(ROWS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="3 batches of 0.1 ms: does it run at all")
    parser.add_argument("--json", action="store_true", help="print everything as JSON instead of the table")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    chosen = arguments()
    for name in THREADS:  # before NumPy loads: its BLAS reads them once
        os.environ[name] = "1"
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from rows import installed, rows

    batches, batch_s = (3, 1e-4) if chosen.quick else (chosen.batches, chosen.batch_ms / 1e3)
    peers = [name for name in chosen.peers.split(",") if name and installed(name)]
    found, missing = rows(peers, [name.strip() for name in chosen.rows.split(",") if name.strip()] or list(ROWS))
    where = conditions(peers, batches, batch_s)
    results = {row: summary(row, interleaved(calls, batches, batch_s)) for row, calls in found.items()}
    if chosen.json:
        print(json.dumps({"conditions": where, "rows": results, "missing": missing}, indent=1))
        return
    used = {name for result in results.values() for name in result["seconds"]}
    columns = ("numpy", "torch", "torch fused", "jax.jit", "autograd", "no tape", "eager")
    print(table(results, missing, [name for name in columns if name in used]))
    versions = ", ".join(f"{name} {number}" for name, number in where["versions"].items())
    load = where["load_average_before"]
    print(f"\nKernel ring: {where['ring']}. Python {where['python']}, {versions}. {where['cpu']}, one thread.")
    print(f"Medians of {batches} interleaved batches of {batch_s * 1e3:g} ms; load average before: {load}.")
    if load > 1.5:
        print("The machine was busy with something else: repeat this on an idle one before you believe it.")


if __name__ == "__main__":
    main()
