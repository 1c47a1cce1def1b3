"""Compare the counters (counters.py) with asv_bench/counters.json; exit 1 on any difference, fewer included.

A difference that is meant: `python asv_bench/check_counters.py --write --reason "why"` rewrites this Python's entry and
keeps the reason in the file. A Python minor version without an entry is reported and is no failure.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from counters import Counters, measure

__all__ = ["differences", "main"]

FILE = Path(__file__).with_name("counters.json")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def differences(kept: Counters, found: Counters) -> list[str]:
    """One line per counter that is not what is kept."""
    lines = []
    for name in sorted({*kept, *found}):
        old, new = kept.get(name), found.get(name)
        if old == new:
            continue
        if isinstance(old, list) and isinstance(new, list):
            lines += [f"{name}: {one} is new" for one in sorted(set(new) - set(old))]
            lines += [f"{name}: {one} is gone" for one in sorted(set(old) - set(new))]
        else:
            lines.append(f"{name}: {shown(new)}, was {shown(old)}")
    return lines


def shown(value: Any) -> str:
    """A counter's value as one reads it."""
    return "not counted" if value is None else f"{len(value)} names" if isinstance(value, list) else str(value)


def write(file: Path, found: Counters, lines: list[str], reason: str) -> None:
    """Make ``found`` this Python's entry, and keep the reason and what changed."""
    content = load(file)
    content["counters"] = dict(sorted({**content["counters"], PYTHON: found}.items()))
    content["reasons"].append({"python": PYTHON, "reason": reason, "changed": lines})
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def load(file: Path) -> dict[str, Any]:
    """The file's content; that of a file which is not there yet is empty."""
    if not file.exists():
        return {"counters": {}, "reasons": []}
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def main() -> int:
    """Compare, or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, default=FILE, help="(default: counters.json beside this)")
    parser.add_argument("--write", action="store_true", help="rewrite this Python's entry; needs --reason")
    parser.add_argument("--reason", default="", help="why the counters changed; kept in the file")
    chosen = parser.parse_args()
    if chosen.write and not chosen.reason.strip():
        parser.error("--write needs --reason, one sentence that says why the counters changed")
    kept = load(chosen.file)["counters"].get(PYTHON)
    found = measure()
    lines = differences(kept or {}, found)
    for line in lines if kept is not None else []:
        print(line)
    if chosen.write:
        write(chosen.file, found, lines if kept is not None else ["first entry"], chosen.reason.strip())
        print(f"{chosen.file.name}: Python {PYTHON} rewritten, {len(lines)} lines differed")
        return 0
    if kept is None:
        print(f"{chosen.file.name} has no entry for Python {PYTHON}: reported, not failed; --write --reason adds one")
        return 0
    if lines:
        print(f"{len(lines)} differences from {chosen.file.name}; meant? --write --reason '...' and commit the file")
        return 1
    print(f"Python {PYTHON}: all {len(found)} counters as kept")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
