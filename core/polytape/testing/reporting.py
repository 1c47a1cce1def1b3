"""A report of the conformance kit as text, JSON, and badges."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from typing import Any, Final
from xml.sax.saxutils import escape

from .coverage import ABSENT, DECOMPOSED, HOST, NATIVE
from .tiers import TIERS

__all__ = ["Outcome", "Report", "as_json", "as_text", "badge", "coverage_text", "failure_text", "tier_text"]

_TITLES: Final = {tier.name: tier.title for tier in TIERS}
_LETTERS: Final = {NATIVE: "n", DECOMPOSED: "d", HOST: "h", ABSENT: "-"}
_SHORT: Final = {"bool": "bool", "bfloat16": "bf16"} | {
    f"{kind}{bits}": f"{letter}{bits}"
    for kind, letter in (("int", "i"), ("uint", "u"), ("float", "f"), ("complex", "c"))
    for bits in (8, 16, 32, 64, 128)
}
_WIDTH: Final = 118


class Outcome:
    """What one check gave.

    Attributes:
        tier, check: their names.
        op: the op's name; empty for a check of the whole backend.
        status: ``passed``, ``failed`` or ``skipped``.
        text: the failure, or the reason why it was skipped.
        program: of a failure, a short Python program that shows it.
    """

    def __init__(self, tier: str, check: str, op: str, status: str, text: str = "", program: str = "") -> None:
        self.tier: Final = tier
        self.check: Final = check
        self.op: Final = op
        self.status: Final = status
        self.text: Final = text
        self.program: Final = program

    def __repr__(self) -> str:
        return f"{self.tier} {self.check}{f' of {self.op}' if self.op else ''}: {self.status}"


class Report:
    """The outcomes of a run of the kit.

    Attributes:
        backend, version, device: what was tested.
        tiers: the names of the tiers that ran.
        outcomes: one per check and op.
        coverage: as `polytape.testing.coverage` returns it; empty if it was not asked for.
        times_s: seconds per tier.
    """

    def __init__(self, backend: str, version: str, device: str) -> None:
        self.backend: Final = backend
        self.version: Final = version
        self.device: Final = device
        self.tiers: list[str] = []
        self.outcomes: list[Outcome] = []
        self.coverage: dict[str, dict[str, dict[str, str]]] = {}
        self.times_s: dict[str, float] = {}

    @property
    def passed(self) -> bool:
        """Whether something was checked and nothing failed."""
        counts = Counter(outcome.status for outcome in self.outcomes)
        return counts["passed"] > 0 and not counts["failed"]

    def failures(self) -> list[Outcome]:
        """The outcomes that failed."""
        return [outcome for outcome in self.outcomes if outcome.status == "failed"]

    def counts(self, tier: str) -> Counter[str]:
        """How many checks of a tier passed, failed and were skipped."""
        return Counter(outcome.status for outcome in self.outcomes if outcome.tier == tier)

    def reasons(self, tier: str) -> Counter[str]:
        """Why checks of a tier were skipped, with the number of checks."""
        return Counter(x.text for x in self.outcomes if x.tier == tier and x.status == "skipped")

    def __str__(self) -> str:
        return as_text(self)

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return as_json(self)


def tier_text(report: Report, tier: str) -> str:
    """One line on a tier, and one per reason why checks were skipped."""
    counts = report.counts(tier)
    numbers = ", ".join(f"{counts[status]} {status}" for status in ("passed", "failed", "skipped"))
    lines = [f"{tier} {_TITLES[tier]}: {numbers}  ({report.times_s[tier]:.1f} s)"]
    for reason, count in report.reasons(tier).most_common():
        lines += textwrap.wrap(f"{count} skipped: {reason}", _WIDTH, initial_indent="    ", subsequent_indent="      ")
    return "\n".join(lines)


def failure_text(outcome: Outcome) -> str:
    """A failure with its program."""
    title = f"FAILED {outcome.tier} {outcome.check}{f' of {outcome.op}' if outcome.op else ''}"
    text, code = (textwrap.indent(part, "    ") for part in (outcome.text, outcome.program))
    return f"{title}\n{text}\n  reproduce it with\n{code}"


def coverage_text(coverage: dict[str, dict[str, dict[str, str]]]) -> str:
    """The table of ops and dtypes for each kind of device; ops that run in the same way share a line."""
    lines = []
    for kind, table in coverage.items():
        total = Counter(state for states in table.values() for state in states.values())
        numbers = ", ".join(f"{total[state]} {state} ({letter})" for state, letter in _LETTERS.items())
        columns = [name for name in _SHORT if any(name in states for states in table.values())]
        columns = columns or [""]  # no operand's dtype decides
        lines += [f"coverage of {kind}, ops times dtypes: {numbers}"]
        lines += [" ".join(f"{_SHORT.get(name, 'any'):>4}" for name in columns)]
        groups: dict[str, list[str]] = {}
        for op, states in table.items():
            # An op whose operands have a fixed dtype runs in the same way whatever the column.
            cells = [_LETTERS[states[name]] if name in states else " " for name in columns]
            if not any(name in states for name in columns):
                cells[0] = _LETTERS[states.get("", ABSENT)]
            groups.setdefault(" ".join(f"{cell:>4}" for cell in cells), []).append(op)
        for cells_text, ops in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
            listed = textwrap.wrap(", ".join(sorted(ops)), _WIDTH - 4, initial_indent="    ", subsequent_indent="    ")
            lines += [cells_text, *listed]
    return "\n".join(lines)


def as_text(report: Report) -> str:
    """The whole report."""
    parts = [f"conformance of {report.backend} {report.version} on {report.device}".replace("  ", " ")]
    parts += [tier_text(report, tier) for tier in report.tiers]
    parts += [failure_text(outcome) for outcome in report.failures()]
    parts += [coverage_text(report.coverage)] if report.coverage else []
    return "\n".join([*parts, summary(report)])


def summary(report: Report) -> str:
    """One line: how many checks passed and failed."""
    counts = Counter(outcome.status for outcome in report.outcomes)
    verdict = "passed" if report.passed else "FAILED" if counts["failed"] else "nothing was checked"
    return f"{verdict}: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"


def as_json(report: Report) -> dict[str, Any]:
    """The report as JSON values."""
    return {
        "backend": report.backend,
        "version": report.version,
        "device": report.device,
        "passed": report.passed,
        "tiers": [
            {
                "tier": tier,
                "title": _TITLES[tier],
                "time_s": report.times_s[tier],
                **{status: report.counts(tier)[status] for status in ("passed", "failed", "skipped")},
                "reasons": dict(report.reasons(tier)),
            }
            for tier in report.tiers
        ],
        "failures": [
            {"tier": x.tier, "check": x.check, "op": x.op, "text": x.text, "program": x.program}
            for x in report.failures()
        ],
        "coverage": report.coverage,
    }


def badge(report: Report, *, svg: bool) -> str:
    """A badge: an SVG image, or the JSON of a shields.io endpoint.

    It says which tiers passed, so that it stays true for a run of some of them.
    """
    failed = {outcome.tier for outcome in report.failures()}
    complete = [tier for tier in report.tiers if tier not in failed and report.counts(tier)["passed"]]
    message = f"{len(complete)} of {len(TIERS)} tiers"
    good = len(complete) == len(TIERS)
    color = "brightgreen" if good else "red" if failed or not complete else "yellow"
    label = f"polytape conformance {report.version}".strip()
    if not svg:
        return json.dumps({"schemaVersion": 1, "label": label, "message": message, "color": color}) + "\n"
    return _SVG.format(
        label=escape(label),
        message=escape(message),
        left=(left := 7 * len(label) + 12),
        right=(right := 7 * len(message) + 12),
        width=left + right,
        label_x=left / 2,
        message_x=left + right / 2,
        color={"brightgreen": "#2f8f2f", "yellow": "#a07a00", "red": "#c02020"}[color],
    )


_SVG: Final = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" \
aria-label="{label}: {message}">
<title>{label}: {message}</title>
<rect width="{left}" height="20" fill="#555"/>
<rect x="{left}" width="{right}" height="20" fill="{color}"/>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{label_x}" y="14">{label}</text>
<text x="{message_x}" y="14">{message}</text>
</g>
</svg>
"""
