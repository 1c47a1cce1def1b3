"""The page of mutants, docs/backends/mutants.md, from the results of tools/mutate_kernels.py and tools/mutants.toml.

tools/mutants.toml has an entry per reason: the module, the beginnings of the texts of the mutants that it explains
(``mutants``), and the kind of reason: ``same`` (every result is the same, and perhaps the time is not), or ``unseen``
(results differ, and the kit cannot or need not see it). An entry for kinds of mutants has ``patterns``, regular
expressions that match the whole text, and serves all modules if its ``file`` is ``"*"``.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final

__all__ = ["RESULTS", "reason_of", "reasons", "write"]

CHECKOUT: Final = Path(__file__).resolve().parent.parent
RESULTS: Final = CHECKOUT / "build" / "mutants"
REASONS: Final = CHECKOUT / "tools" / "mutants.toml"
PAGE: Final = CHECKOUT / "docs" / "backends" / "mutants.md"
HEADER: Final = """# What the conformance kit detects: mutants of NumPy's kernels

A mutant is one small fault in one of NumPy's kernels: another operator, comparison, constant or function, a branch that
is always or never taken, swapped or missing arguments, a keyword or a statement left out, a dtype of another width, a
result said to be fresh. `python tools/mutate_kernels.py` makes them one at a time and runs the kit's checks of the ops
that run the changed line. A mutant is detected if a check fails, if the module no longer loads, or if it does not end.

This page is written by `python tools/mutate_kernels.py --report` from the results of a run and from the reasons in
`tools/mutants.toml`. Every mutant that survives has a reason. It is either *the same*: no result can differ, since the
fault changes only which of several ways computes it, or what never happens; or *unseen*: a result differs, but not in
what the kit checks.

Of large modules a run takes every N-th mutant. The column "every" has that N; modules without a row have not been run
since they were last changed.

Under the names of the functions, `{a => b}` shows what the fault puts in place of what.

"""


def reasons() -> list[dict[str, Any]]:
    """The entries of tools/mutants.toml."""
    entries: list[dict[str, Any]] = tomllib.loads(REASONS.read_text(encoding="utf-8"))["reason"]
    return entries


def write(results: Path) -> int:
    """Write the page; the result is 1 if a surviving mutant has no reason, and these are printed."""
    entries = reasons()
    files = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))]
    rows, sections, missing = [], [], []
    totals = [0, 0, 0, 0]
    for file in files:
        groups: dict[int, list[str]] = {}
        for text in file["survivors"]:
            position = reason_of(entries, file["name"], text)
            groups.setdefault(position, []).append(text)
            if position < 0:
                missing.append(f"{file['name']}: {text}")
        counts = [file["total"], file["total"] - len(file["survivors"]), 0, 0]
        for position, texts in groups.items():
            counts[3 if position < 0 or entries[position]["kind"] == "unseen" else 2] += len(texts)
        totals = [a + b for a, b in zip(totals, counts, strict=True)]
        rows.append(_row(f"`{file['name']}`", counts, f"{file['every']}"))
        sections += _section(file["name"], entries, groups)
    head = [
        "| module | every | mutants | detected | the same | unseen | detected of the others |",
        "|---|---|---|---|---|---|---|",
    ]
    table = "\n".join([*head, *rows, _row("all", totals, "")])
    PAGE.write_text(f"{HEADER}{table}\n" + "\n".join(sections), encoding="utf-8")
    counted = "{1} of {0} detected, {2} the same, {3} unseen".format(*totals)
    print(f"{counted}; {len(missing)} without a reason")
    print("\n".join(missing))
    return 1 if missing else 0


def reason_of(entries: list[dict[str, Any]], name: str, text: str) -> int:
    """The position of the first entry that explains a mutant of the module ``name``; -1 if there is none."""
    for position, entry in enumerate(entries):
        if entry["file"] in ("*", name) and (
            any(text.startswith(beginning) for beginning in entry.get("mutants", ()))
            or any(re.fullmatch(pattern, text) for pattern in entry.get("patterns", ()))
        ):
            return position
    return -1


def _row(name: str, counts: list[int], every: str) -> str:
    total, detected, same, _ = counts
    share = 100.0 * detected / max(total - same, 1)
    return "| " + " | ".join([name, every, *map(str, counts), f"{share:.1f} %"]) + " |"


def _section(name: str, entries: list[dict[str, Any]], groups: dict[int, list[str]]) -> list[str]:
    """The survivors of a module, by reason."""
    lines = ["", f"## {name}"] if groups else []
    for position, texts in sorted(groups.items()):
        why = f"{entries[position]['why']} ({entries[position]['kind']})" if position >= 0 else "No reason yet."
        lines += ["", why, "", "```text", *texts, "```"]
    return lines
