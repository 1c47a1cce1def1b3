"""Compare the counters (counters.py) with asv_bench/counters.json; exit with status 1 on any difference, up or down.

The file has one entry per ring and Python minor version, and for all of them the ops that have a kernel on each
backend. A missing entry, ring or backend is a failure, unless the file says under ``untracked`` why it has no such
entry. Allocations may differ by 4 or by 5 %, and are compared only with the NumPy minor version with which they were
recorded; everything else must be equal. If a difference is intended, `python asv_bench/check_counters.py --write
--reason "why"` rewrites the entry and records the reason; faster code needs that too. With `--graphs`, the counters are
those of the examples' graphs, which are the same for all versions.

An entry holds for all systems. Where macOS or Windows count something else, ``<ring> <version> <sys.platform>`` has
the counters that differ; `--write` on such a system writes them.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from backend_counters import BACKENDS
from counters import RINGS, Counters, measure, measure_graphs

__all__ = ["differences", "main"]

FILE = Path(__file__).with_name("counters.json")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
MARGIN = 0.05  # of allocations: the lists of freed objects depend on what ran before
FEW = 4  # allocations: where objects lie decides whether a table grows


def differences(recorded: Counters, measured: Counters) -> list[str]:
    """One line per counter whose measured value differs from the recorded one, and per backend that is missing."""
    missing = {name.removesuffix(".missing"): why for name, why in measured.items() if name.endswith(".missing")}
    lines = [f"{backend}: the backend is missing: {why}" for backend, why in missing.items()]
    same_numpy = recorded.get("numpy") == measured.get("numpy")
    for name in sorted({*recorded, *measured} - {"numpy"}):
        if name.partition(".")[0] in missing:
            continue
        old, new = recorded.get(name), measured.get(name)
        if isinstance(old, list) and isinstance(new, list):
            lines += [f"{name}: {member} is new" for member in sorted(set(new) - set(old))]
            lines += [f"{name}: {member} is gone" for member in sorted(set(old) - set(new))]
        elif isinstance(old, dict) and isinstance(new, dict):
            lines += [f"{name}: {line}" for line in case_differences(old, new, same_numpy)]
        elif old != new:
            lines.append(f"{name}: {shown(new)}, was {shown(old)}")
    return lines


def case_differences(recorded: Counters, measured: Counters, same_numpy: bool) -> list[str]:
    """The counts of a case that differ."""
    lines = []
    for count in sorted({*recorded, *measured}):
        old, new = recorded.get(count), measured.get(count)
        if count == "allocations" and old is not None and new is not None:
            differs = same_numpy and abs(new - old) > max(FEW, MARGIN * old)
        else:
            differs = old != new
        if differs:
            lines.append(f"{shown(new)} {count}, was {shown(old)}")
    return lines


def shown(value: Any) -> str:
    """A counter's value as text."""
    if isinstance(value, dict):
        return ", ".join(f"{number} {count}" for count, number in value.items())
    return "not counted" if value is None else f"{len(value)} names" if isinstance(value, list) else str(value)


def write(file: Path, entry: str, measured: Counters, lines: list[str], reason: str) -> str:
    """Write an entry, and record the reason and the differences; returns the entry's name."""
    content = load(file)
    counters = content["counters"]
    content["native"] = {**content.get("native", {}), **{name: measured[name] for name in measured if is_native(name)}}
    measured = {name: value for name, value in measured.items() if not is_native(name)}
    if entry in counters and own_system(entry):
        measured = {name: value for name, value in measured.items() if counters[entry].get(name) != value}
        entry = f"{entry} {sys.platform}"
    counters[entry] = measured
    content["counters"] = dict(sorted(counters.items()))
    content["reasons"].append({"entry": entry, "reason": reason, "changed": lines})
    file.write_text(text_of(content), encoding="utf-8")
    return entry


def is_native(name: str) -> bool:
    """Whether a counter is a list of ops with a kernel, which is the same for all rings and versions."""
    return name.endswith(".native")


def text_of(content: Any) -> str:
    """JSON with one line per counter and per name of a list, so that a change of the file is easy to read."""
    text = json.dumps(content, indent=1)
    return (
        re.sub(r'\{\s+("(?:allocations|kernels)": [^{}]*?)\s+\}', lambda x: f"{{{' '.join(x[1].split())}}}", text)
        + "\n"
    )


def own_system(entry: str) -> bool:
    """Whether this system's counters are those of the entry for all systems and of one of its own."""
    return entry != "graphs" and not sys.platform.startswith("linux")


def load(file: Path) -> dict[str, Any]:
    """The file's content; empty if the file does not exist yet."""
    if not file.exists():
        return {"counters": {}, "native": {}, "untracked": {}, "reasons": []}
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def recorded_in(content: dict[str, Any], entry: str) -> Counters | None:
    """The counters of an entry on this system; None without the entry."""
    counters: Counters | None = content["counters"].get(entry)
    if counters is None or entry == "graphs":
        return counters
    here = content["counters"].get(f"{entry} {sys.platform}", {}) if own_system(entry) else {}
    return {**content.get("native", {}), **counters, **here}


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, default=FILE, help="(default: counters.json in this folder)")
    parser.add_argument("--ring", choices=RINGS, default="pure", help="which ring to count (default: pure)")
    parser.add_argument("--no-backends", action="store_true", help="leave out the cases on each backend (a minute)")
    parser.add_argument("--graphs", action="store_true", help="count the graphs of the examples (takes seconds)")
    parser.add_argument("--write", action="store_true", help="rewrite the entry; needs --reason")
    parser.add_argument("--reason", default="", help="why the counters changed; recorded in the file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write what was counted")
    options = parser.parse_args()
    if options.write and not options.reason.strip():
        parser.error("--write needs --reason, one sentence that says why the counters changed")
    if options.write and options.no_backends:
        parser.error("--write rewrites the whole entry, so it cannot leave out the backends")
    return options


def main() -> int:
    """Compare the counters, or with ``--write`` record them; return the exit status."""
    options = parsed()
    entry = "graphs" if options.graphs else f"{options.ring} {PYTHON}"
    content = load(options.file)
    untracked = content.get("untracked", {}).get(entry)
    if untracked and not options.write:
        print(f"{options.file.name} does not track {entry}: {untracked}")
        return 0
    recorded = recorded_in(content, entry)
    measured = measure_graphs() if options.graphs else measure(options.ring, not options.no_backends)
    if options.json is not None:
        options.json.write_text(text_of({entry: measured}), encoding="utf-8")
    expected = recorded or {}
    if options.no_backends:
        expected = {name: value for name, value in expected.items() if name.partition(".")[0] not in BACKENDS}
    lines = differences(expected, measured) if recorded is not None else ["first entry"]
    if options.write:
        missing = [line for line in lines if "the backend is missing" in line]
        if missing:
            print("\n".join([*missing, "nothing was written"]))
            return 1
        name = write(options.file, entry, measured, lines, options.reason.strip())
        print(f"{options.file.name}: {name} rewritten, {len(lines)} lines differed")
        return 0
    return verdict(options.file.name, entry, recorded, measured, lines)


def verdict(file: str, entry: str, recorded: Counters | None, measured: Counters, lines: list[str]) -> int:
    """Print the differences; return the exit status."""
    if recorded is None:
        print(f"{file} has no entry for {entry}; add one with --write --reason '...', or say why under untracked")
        return 1
    if recorded.get("numpy") != measured.get("numpy"):
        print(f"allocations are not compared: they were recorded with NumPy {recorded.get('numpy')}")
    if lines:
        print("\n".join(lines))
        print(f"{len(lines)} differences from {file}; if intended, faster ones too, use --write --reason '...'")
        return 1
    print(f"{entry}: all {len(measured)} counters match")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
