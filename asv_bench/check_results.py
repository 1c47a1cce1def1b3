"""Did the benchmarks measure what was promised? `python asv_bench/check_results.py --promise numpy:cpu,numba:cpu`

Reads asv's result files, never its log or its exit status, and exits 1 if there is none, or if in one of them a
promised device has no measurement or a failed one. A benchmark that was skipped is counted and shown.
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
    """Per device, how many cells of one result file were ``measured``, ``skipped`` and ``failed``."""
    columns = content["result_columns"]
    found: dict[str, Counter[str]] = {}
    for row in content["results"].values():
        cells = dict(zip(columns, row, strict=False))
        combinations = list(itertools.product(*(cells.get("params") or [])))
        values = cells.get("result") or [None] * len(combinations)  # null stands for a benchmark that failed whole
        for parameters, value in zip(combinations, values, strict=True):
            device = parameters[0].strip("'\"") if parameters else ""
            what = "failed" if value is None else "skipped" if math.isnan(value) else "measured"
            found.setdefault(device, Counter())[what] += 1
    return found


def verdict(found: dict[str, Counter[str]], promised: list[str]) -> list[str]:
    """One line per promise that was not kept."""
    lines = []
    for device in promised:
        counts = found.get(device, Counter())
        if not counts["measured"]:
            lines.append(f"{device}: promised, and not one benchmark measured it ({counts['skipped']} skipped)")
        if counts["failed"]:
            lines.append(f"{device}: {counts['failed']} benchmarks failed")
    return lines


def main() -> int:
    """Check every result file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--promise", required=True, help="comma list of devices this machine was to measure")
    parser.add_argument("--results", type=Path, default=FOLDER, help="(default: results/ beside this)")
    parser.add_argument("--commit", default="", help="only files of commits that begin so")
    chosen = parser.parse_args()
    files = [path for path in sorted(chosen.results.rglob(f"{chosen.commit}*.json")) if path.name not in NOT_RESULTS]
    if not files:
        print(f"no result files in {chosen.results}: nothing was measured")
        return 1
    broken = 0
    for path in files:
        found = count(json.loads(path.read_text(encoding="utf-8")))
        print(path.relative_to(chosen.results))
        for device, counts in sorted(found.items()):
            print(f"  {device or '(no device)'}: " + ", ".join(f"{number} {what}" for what, number in counts.items()))
        lines = verdict(found, chosen.promise.split(","))
        for line in lines:
            print(f"  BROKEN PROMISE {line}")
        broken += len(lines)
    return int(broken > 0)


if __name__ == "__main__":
    raise SystemExit(main())
