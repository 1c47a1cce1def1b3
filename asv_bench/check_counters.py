"""Compare the counters (counters.py) with asv_bench/counters.json; exit with status 1 on any difference, up or down.

If a difference is intended, `python asv_bench/check_counters.py --write --reason "why"` rewrites the entry of this
Python version and records the reason in the file. A Python minor version without an entry is reported, not failed.
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


def differences(recorded: Counters, measured: Counters) -> list[str]:
    """One line per counter whose measured value differs from the recorded one."""
    lines = []
    for name in sorted({*recorded, *measured}):
        old, new = recorded.get(name), measured.get(name)
        if old == new:
            continue
        if isinstance(old, list) and isinstance(new, list):
            lines += [f"{name}: {member} is new" for member in sorted(set(new) - set(old))]
            lines += [f"{name}: {member} is gone" for member in sorted(set(old) - set(new))]
        else:
            lines.append(f"{name}: {shown(new)}, was {shown(old)}")
    return lines


def shown(value: Any) -> str:
    """A counter's value as text."""
    return "not counted" if value is None else f"{len(value)} names" if isinstance(value, list) else str(value)


def write(file: Path, measured: Counters, lines: list[str], reason: str) -> None:
    """Write the entry of this Python version, and record the reason and the differences."""
    content = load(file)
    content["counters"] = dict(sorted({**content["counters"], PYTHON: measured}.items()))
    content["reasons"].append({"python": PYTHON, "reason": reason, "changed": lines})
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def load(file: Path) -> dict[str, Any]:
    """The file's content; empty if the file does not exist yet."""
    if not file.exists():
        return {"counters": {}, "reasons": []}
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def main() -> int:
    """Compare the counters, or with ``--write`` record them; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, default=FILE, help="(default: counters.json in this folder)")
    parser.add_argument("--write", action="store_true", help="rewrite the entry of this Python version; needs --reason")
    parser.add_argument("--reason", default="", help="why the counters changed; recorded in the file")
    options = parser.parse_args()
    if options.write and not options.reason.strip():
        parser.error("--write needs --reason, one sentence that says why the counters changed")
    recorded = load(options.file)["counters"].get(PYTHON)
    measured = measure()
    lines = differences(recorded or {}, measured)
    for line in lines if recorded is not None else []:
        print(line)
    if options.write:
        write(options.file, measured, lines if recorded is not None else ["first entry"], options.reason.strip())
        print(f"{options.file.name}: Python {PYTHON} rewritten, {len(lines)} lines differed")
        return 0
    if recorded is None:
        print(
            f"{options.file.name} has no entry for Python {PYTHON}, which is not a failure; --write --reason adds one"
        )
        return 0
    if lines:
        print(
            f"{len(lines)} differences from {options.file.name}; if intended, use --write --reason '...' and commit it"
        )
        return 1
    print(f"Python {PYTHON}: all {len(measured)} counters match")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
