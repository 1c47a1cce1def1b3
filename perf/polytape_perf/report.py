"""The outcome of a gate as text, as Markdown for a comment on a pull request, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable

from .gate import Finding, Outcome

__all__ = ["as_json", "as_markdown", "as_text", "table"]

_HEADINGS = ("", "case", "backend", "ring", "measure", "head / base", "")


def table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Lines of columns as wide as their longest cell."""
    cells = [list(headings), *[list(row) for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _row(finding: Finding) -> tuple[str, ...]:
    detail = finding.detail + (f"; accepted: {finding.accepted}" if finding.accepted else "")
    factor = f"{finding.factor:.2f}" if finding.factor else ""
    return finding.verdict, finding.case, finding.device, finding.ring, finding.measure, factor, detail


def _verdict(outcome: Outcome) -> str:
    if outcome.status == 2:
        return "No verdict: the run did not prove itself. Repeat it on a quieter machine."
    if not outcome.blocking:
        return f"{outcome.head} is not slower than {outcome.base}."
    places = len({(finding.case, finding.device, finding.ring) for finding in outcome.blocking})
    verdict = f"{outcome.head} is worse than {outcome.base}: {len(outcome.blocking)} findings in {places} cases."
    return verdict if outcome.quiet else f"{verdict} Times do not count: the base was slower than itself."


def _ordered(outcome: Outcome) -> list[Finding]:
    return sorted(outcome.findings, key=lambda x: (not x.blocks, x.verdict, x.device, x.case))


def _coverage(outcome: Outcome) -> list[str]:
    return [
        f"{ring}, {device}: {outcome.measured[ring, device]} of {count} cases measured"
        for (ring, device), count in outcome.expected.items()
    ]


def as_text(outcome: Outcome) -> str:
    """For a terminal."""
    findings = _ordered(outcome)
    lines = table(_HEADINGS, map(_row, findings)) if findings else []
    return "\n".join([*lines, *_coverage(outcome), *outcome.proof, _verdict(outcome)])


def as_markdown(outcome: Outcome) -> str:
    """For a comment."""
    findings = _ordered(outcome)
    lines = [f"**{_verdict(outcome)}**", ""]
    if findings:
        lines += ["| " + " | ".join(_HEADINGS) + " |", "|---" * len(_HEADINGS) + "|"]
        lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in _row(finding)) + " |" for finding in findings]
        lines.append("")
    lines += [f"- {line}" for line in (*_coverage(outcome), *outcome.proof)]
    return "\n".join(lines)


def as_json(outcome: Outcome) -> str:
    """All of it, with every ratio."""
    ratios = [
        {"ring": ring, "device": device, "case": case, **ratio._asdict()}
        for (ring, device, case), ratio in outcome.ratios.items()
    ]
    results = [
        {"ring": ring, "device": device, "expected": count, "measured": outcome.measured[ring, device]}
        for (ring, device), count in outcome.expected.items()
    ]
    content = {
        "base": outcome.base,
        "head": outcome.head,
        "status": outcome.status,
        "verdict": _verdict(outcome),
        "findings": [{**finding.__dict__, "blocks": finding in outcome.blocking} for finding in _ordered(outcome)],
        "ratios": ratios,
        "results": results,
        "proof": outcome.proof,
    }
    return json.dumps(content, indent=1)
