"""What blocks: counts on any machine, times only if the base was not slower than itself; the verdict says which."""

from __future__ import annotations

import json

import pytest

from polytape_perf.gate import Finding, Outcome
from polytape_perf.report import as_json, as_text

SLOWER = Finding("pure", "tape/gradient", "numpy:cpu", "time", "slower", 1.4, "10.0 -> 14.0 us")
LOST = Finding("pure", "exp", "numpy:cpu", "kernel", "lost", 0.0, "numpy has no kernel for exp any more")
FASTER = Finding("pure", "tape/gradient", "numpy:cpu", "time", "faster", 0.5, "10.0 -> 5.0 us")


@pytest.mark.parametrize(
    ("findings", "quiet", "sensitive", "status"),
    [
        ([FASTER], True, True, 0),
        ([SLOWER], True, True, 1),
        ([SLOWER], True, False, 1),  # it was found though the planted one was not
        ([SLOWER], False, True, 2),
        ([LOST], False, False, 1),
        ([LOST, SLOWER], False, True, 1),
        ([], True, False, 2),
        ([], False, True, 2),
    ],
)
def test_the_exit_status(findings: list[Finding], quiet: bool, sensitive: bool, status: int) -> None:
    outcome = Outcome("main", "HEAD", findings, quiet=quiet, sensitive=sensitive)
    assert outcome.status == status
    (verdict,) = as_text(outcome).splitlines()[-1:]
    assert ("No verdict" in verdict, "is worse" in verdict) == (status == 2, status == 1)
    assert ("Times do not count" in verdict) == (status == 1 and not quiet)
    shown = json.loads(as_json(outcome))
    assert sum(finding["blocks"] for finding in shown["findings"]) == len(outcome.blocking)
