"""Compare polytape with other libraries, interleaved in one process on one thread: `python asv_bench/peers/ratios.py`.

Prints the Markdown table of docs/performance.md: the time per call, and the ratio of polytape's time to that of other
columns (below 1, polytape is faster). Each time is the median of batches of about 1 ms that the contestants run in
turns. requirements.txt in this folder lists the other libraries; one that is not installed is left out.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from interleave import interleaved, median, ratio_spread

__all__ = ["main"]

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
# row -> its title, and the columns that polytape's time is divided by, because its targets refer to them.
ROWS = {
    "add10": ("add of two tensors of 10 floats", ("numpy", "torch")),
    "scalar": ("`x + 2.0`, 10 floats", ("numpy", "torch")),
    "open tape": ("200 adds of unwatched tensors under an open tape", ("no tape",)),
    "gradient": ("gradient of sum(w * w), (1, 1)", ("torch",)),
    "second": ("second derivative of x * x * x", ("torch",)),
    "linreg": ("linear regression step, 1,000 points", ("numpy", "torch")),
    "mlp": ("MLP 784-128-10 step, batch 128, Adam", ("numpy", "torch", "torch fused")),
    "traced": ("linear regression step, traced", ("eager", "jax.jit")),
    "traced numba": ("linear regression step, traced, on numba", ("eager", "jax.jit")),
}


def cpu_model() -> str:
    """The name of the processor, as the system reports it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()} ({len(names)} cores)"


def version(name: str) -> str:
    """The version of an installed distribution."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def conditions(peers: list[str], batches: int, batch_s: float) -> dict[str, Any]:
    """The conditions that the results depend on."""
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
    """A row's medians in seconds, and its ratios with the quartiles of the ratios of single turns."""
    ratios = {}
    for base in ROWS[row][1]:
        if base in samples:
            low, high = ratio_spread(samples["polytape"], samples[base])
            ratios[base] = [median(samples["polytape"]) / median(samples[base]), low, high]
    return {"seconds": {name: median(times) for name, times in samples.items()}, "ratios": ratios}


def duration(seconds: float | None) -> str:
    """A time in a suitable unit."""
    if seconds is None:
        return ""
    scale, unit = (1e9, "ns") if seconds < 1e-6 else (1e6, "us") if seconds < 1e-3 else (1e3, "ms")
    return f"{seconds * scale:.{3 if seconds * scale < 10 else 4}g} {unit}"


def table(results: dict[str, Any], missing: dict[str, str], names: list[str]) -> str:
    """The Markdown table."""
    lines = ["| | polytape | " + " | ".join(names) + " | polytape / other (interquartile range) |"]
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
    """The parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=51, help="batches per contestant and row (default 51)")
    parser.add_argument("--batch-ms", type=float, default=1.0, help="length of a batch in milliseconds (default 1)")
    parser.add_argument("--peers", default="torch,jax,autograd", help="(default %(default)s; those that are installed)")
    parser.add_argument("--rows", default="", help=f"comma-separated list of {', '.join(ROWS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="3 batches of 0.1 ms, just to see that it runs")
    parser.add_argument("--processes", type=int, default=1, help="measure in so many fresh processes, one by one")
    parser.add_argument("--json", action="store_true", help="print all results as JSON instead of the table")
    return parser.parse_args()


def in_processes(count: int) -> None:
    """Measure in fresh processes, and print per row and column the median, and the smallest and the largest, of them.

    Within a process, the place of its memory makes one library a little faster or slower throughout: the spread between
    processes is larger than that of the turns of one.
    """
    words = [word for word in sys.argv[1:] if word != "--json"]
    place = next(k for k, word in enumerate(words) if word.startswith("--processes"))
    del words[place : place + (1 if "=" in words[place] else 2)]
    command = [sys.executable, __file__, *words, "--json"]
    runs = [json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout) for _ in range(count)]
    joined: dict[str, Any] = {"conditions": [run["conditions"] for run in runs], "rows": {}}
    for row in runs[0]["rows"]:
        found = [run["rows"][row] for run in runs]
        seconds = {name: [each["seconds"][name] for each in found] for name in found[0]["seconds"]}
        ratios = {name: [each["ratios"][name][0] for each in found] for name in found[0]["ratios"]}
        joined["rows"][row] = {"seconds": seconds, "ratios": ratios}
    if "--json" in sys.argv:
        print(json.dumps(joined, indent=1))
        return
    print("| | time: median (smallest to largest) | polytape / other: median (smallest to largest) |\n|---|---|---|")
    for row, values in joined["rows"].items():
        times = [
            f"{name} {duration(median(x))} ({duration(min(x))} to {duration(max(x))})"
            for name, x in values["seconds"].items()
        ]
        shown = [f"{median(x):.2f}x {name} ({min(x):.2f} to {max(x):.2f})" for name, x in values["ratios"].items()]
        print(f"| {ROWS[row][0]} | {', '.join(times)} | {', '.join(shown)} |")
    loads = ", ".join(str(each["load_average_before"]) for each in joined["conditions"])
    print(f"\n{count} processes; load average before each: {loads}.")


def main() -> None:
    """Measure and print."""
    options = arguments()
    if options.processes > 1:
        in_processes(options.processes)
        return
    for name in THREADS:  # before NumPy is imported: its BLAS reads them once
        os.environ[name] = "1"
    sys.path.insert(0, str(Path(__file__).parents[2] / "perf"))  # the checkout's programs, whatever is installed
    from rows import installed, rows

    batches, batch_s = (3, 1e-4) if options.quick else (options.batches, options.batch_ms / 1e3)
    peers = [name for name in options.peers.split(",") if name and installed(name)]
    names = [name.strip() for name in options.rows.split(",") if name.strip()] or list(ROWS)
    contestants, missing = rows(peers, names)
    context = conditions(peers, batches, batch_s)
    results = {row: summary(row, interleaved(calls, batches, batch_s)) for row, calls in contestants.items()}
    if options.json:
        print(json.dumps({"conditions": context, "rows": results, "missing": missing}, indent=1))
        return
    used = {name for result in results.values() for name in result["seconds"]}
    columns = ("numpy", "torch", "torch fused", "jax.jit", "autograd", "no tape", "eager")
    print(table(results, missing, [name for name in columns if name in used]))
    versions = ", ".join(f"{name} {number}" for name, number in context["versions"].items())
    load = context["load_average_before"]
    print(f"\nKernel ring: {context['ring']}. Python {context['python']}, {versions}. {context['cpu']}, one thread.")
    print(f"Medians of {batches} interleaved batches of {batch_s * 1e3:g} ms; load average before: {load}.")
    if load > 1.5:
        print("The machine was busy with other work: repeat this on an idle machine before you trust the results.")


if __name__ == "__main__":
    main()
