"""Check that all promised devices were measured: `python asv_bench/check_results.py --promise numpy:cpu,numba:cpu`

Reads asv's result files, not its log or its exit status. Exits with status 1 if there is no result file, or if a
promised device has no measurement or a failed benchmark in one of the files. Skipped benchmarks are counted and shown.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

__all__ = ["count", "main", "verdict"]

FOLDER = Path(__file__).with_name("results")
NOT_RESULTS = ("benchmarks.json", "machine.json")


def count(content: dict[str, Any]) -> dict[str, Counter[str]]:
    """Per device, how many values of one result file were ``measured``, ``skipped`` and ``failed``."""
    columns = content["result_columns"]
    counts: dict[str, Counter[str]] = {}
    for row in content["results"].values():
        cells = dict(zip(columns, row, strict=False))
        combinations = list(itertools.product(*(cells.get("params") or [])))
        values = cells.get("result") or [None] * len(combinations)  # null: the whole benchmark failed
        for parameters, value in zip(combinations, values, strict=True):
            device = parameters[0].strip("'\"") if parameters else ""
            outcome = "failed" if value is None else "skipped" if math.isnan(value) else "measured"
            counts.setdefault(device, Counter())[outcome] += 1
    return counts


def verdict(counts: dict[str, Counter[str]], promised: list[str]) -> list[str]:
    """One line per broken promise."""
    lines = []
    for device in promised:
        outcomes = counts.get(device, Counter())
        if not outcomes["measured"]:
            lines.append(f"{device}: promised, but no benchmark measured it ({outcomes['skipped']} skipped)")
        if outcomes["failed"]:
            lines.append(f"{device}: {outcomes['failed']} benchmarks failed")
    return lines


def main() -> int:
    """Check every result file; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--promise", required=True, help="comma-separated devices that this machine should measure")
    parser.add_argument("--results", type=Path, default=FOLDER, help="(default: results/ in this folder)")
    parser.add_argument("--commit", default="", help="only files of commits with this prefix")
    options = parser.parse_args()
    files = [path for path in sorted(options.results.rglob(f"{options.commit}*.json")) if path.name not in NOT_RESULTS]
    if not files:
        print(f"no result files in {options.results}: nothing was measured")
        return 1
    broken = 0
    for path in files:
        counts = count(json.loads(path.read_text(encoding="utf-8")))
        print(path.relative_to(options.results))
        for device, outcomes in sorted(counts.items()):
            text = ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items())
            print(f"  {device or '(no device)'}: {text}")
        lines = verdict(counts, options.promise.split(","))
        for line in lines:
            print(f"  BROKEN PROMISE {line}")
        broken += len(lines)
    return int(broken > 0)


if __name__ == "__main__":
    raise SystemExit(main())
