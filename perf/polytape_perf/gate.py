"""The gate: compares two sides case by case and backend by backend, and says what got worse, what is gone, and by how
much. A gate that has not proved in the same run that it sees a slowdown, and none where there is none, says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from . import counting, pairs
from .accepted import Entry
from .cases import Case
from .counting import Counts
from .pairs import Ratio, Spot
from .sides import Side
from .workers import CaseError, WorkerProcess

__all__ = ["Finding", "Outcome", "judge"]

PLANTED: Final = 0.25  # the slowdown with which a run proves itself
ATTEMPTS: Final = 3  # to find it: a disturbance that hides it passes
BAD: Final = ("gone", "failed", "lost", "worse", "slower")  # verdicts that block
Say = Callable[[str], None]


@dataclass(frozen=True)
class Finding:
    """A difference between the sides.

    Attributes:
        ring: ``pure`` or ``compiled``.
        measure: ``time``, a measure of lane A, ``backend``, ``kernel`` or ``case``.
        factor: the head's value by the base's; 0 where there is none.
        detail: values and noise in words.
        accepted: the reason for which it does not block.
    """

    ring: str
    case: str
    device: str
    measure: str
    verdict: str
    factor: float
    detail: str
    accepted: str = ""

    @property
    def blocks(self) -> bool:
        """Whether the gate fails because of it."""
        return self.verdict in BAD and not self.accepted


@dataclass
class Outcome:
    """All that a run found.

    Attributes:
        ratios: (ring, device, case) -> how the times compare.
        expected, measured: (ring, device) -> the number of results that should be there, and that are.
        proof: what the run proved of itself, in words.
        quiet: whether the base, compared with itself, raised no alarm. If it did, no slowdown counts.
        sensitive: whether the planted slowdown was found. If it was not, a comparison that found nothing says nothing.
    """

    base: str
    head: str
    findings: list[Finding] = field(default_factory=list)
    ratios: dict[tuple[str, str, str], Ratio] = field(default_factory=dict)
    expected: dict[tuple[str, str], int] = field(default_factory=dict)
    measured: dict[tuple[str, str], int] = field(default_factory=dict)
    proof: list[str] = field(default_factory=list)
    quiet: bool = True
    sensitive: bool = True

    @property
    def status(self) -> int:
        """The exit status: 0, 1 if something blocks, 2 if nothing does, but the run could not prove itself."""
        return 1 if self.blocking else 0 if self.quiet and self.sensitive else 2

    @property
    def blocking(self) -> list[Finding]:
        """The findings for which the gate fails. Counts repeat, so they hold on any machine; times need a quiet one."""
        return [finding for finding in self.findings if finding.blocks and (self.quiet or finding.measure != "time")]


def judge(
    builds: Sequence[tuple[str, Side, Side]],
    cases: list[Case],
    backends: list[str],
    accepted: list[Entry],
    *,
    instructions: Container[str] = (),
    say: Say = lambda line: None,
) -> Outcome:
    """Compare the sides.

    Args:
        builds: ring, base and head of each comparison.
        backends: the names that must be measured; empty for all that are ready on the base.
        accepted: changes that do not block.
        instructions: the cases whose instructions lane A counts too, which takes some ten seconds each.
        say: is told what is going on.
    """
    _, base, head = builds[0]
    outcome = Outcome(base.label, head.label)
    for ring, base, head in builds:
        _Ring(ring, base, head, cases, outcome, say).run(backends, instructions)
    outcome.findings = [_with_reason(finding, accepted) for finding in outcome.findings]
    return outcome


def _with_reason(finding: Finding, accepted: list[Entry]) -> Finding:
    for entry in accepted:
        if entry.covers(finding.case, finding.device, finding.measure, finding.factor):
            return replace(finding, accepted=entry.reason)
    return finding


class _Ring:
    """The comparison of two builds with one ring."""

    def __init__(self, ring: str, base: Side, head: Side, cases: list[Case], outcome: Outcome, say: Say) -> None:
        self.ring, self.base, self.head = ring, base, head
        self.cases, self.outcome, self.say = cases, outcome, say

    def find(self, case: str, device: str, measure: str, verdict: str, factor: float, detail: str) -> None:
        """Note a finding."""
        self.outcome.findings.append(Finding(self.ring, case, device, measure, verdict, factor, detail))

    def run(self, backends: list[str], instructions: Container[str]) -> None:
        """Compare all cases on all backends."""
        with WorkerProcess(self.base.folder) as worker:
            before = worker.ask("backends")
        with WorkerProcess(self.head.folder) as worker:
            after = worker.ask("backends")
        devices = self.devices(backends, before, after)
        for device in devices:
            self.say(f"{self.ring}, {device}")
            self.device(device, instructions)
        if devices:
            self.prove(devices[0])

    def devices(self, backends: list[str], before: dict[str, Any], after: dict[str, Any]) -> list[str]:
        """The devices that both sides have; backends and kernels that are gone are findings."""
        names = backends or [name for name, status in before.items() if status["device"]]
        devices = []
        for name in names:
            old, new = before.get(name, {}), after.get(name, {})
            if not new.get("device"):
                why = new.get("reason") or "it is not installed"
                self.find("*", name, "backend", "gone", 0.0, f"{new.get('status', 'absent')}: {why}")
            elif not old.get("device"):
                self.find("*", name, "backend", "new", 0.0, "the base has not got it")
            else:
                devices.append(old["device"])
                for op in sorted({*old["kernels"]} - {*new["kernels"]}):
                    self.find(op, old["device"], "kernel", "lost", 0.0, f"{name} has no kernel for {op} any more")
        return devices

    def device(self, device: str, instructions: Container[str]) -> None:
        """Compare the cases on one device, in one pair of workers; suspicions are confirmed in fresh ones."""
        key = (self.ring, device)
        self.outcome.expected[key] = len(self.cases)
        self.outcome.measured[key] = 0
        remaining = [case.name for case in reversed(self.cases)]
        while remaining:
            with pairs.two_workers(self.base.folder, self.head.folder) as (base, head):
                while remaining:
                    case = remaining.pop()
                    first, second = self.spots(case, device)
                    try:
                        ratio = pairs.take_turns(base, head, first, second, pairs.TURNS)
                    except CaseError as error:
                        self.failed(case, device, error)
                        break  # a worker may have ended: the other cases get fresh ones
                    self.outcome.ratios[self.ring, device, case] = ratio
                    self.outcome.measured[key] += 1
                    self.timed(first, second, ratio)
        self.start(device)
        with WorkerProcess(self.base.folder) as base, WorkerProcess(self.head.folder) as head:
            for name in [case.name for case in self.cases]:
                if (self.ring, device, name) in self.outcome.ratios:
                    self.counted(base, head, name, device, instructions)

    def spots(self, case: str, device: str) -> tuple[Spot, Spot]:
        """What both sides run."""
        return Spot(self.base.folder, case, device), Spot(self.head.folder, case, device)

    def failed(self, case: str, device: str, error: CaseError) -> None:
        """A case that fails: on the base too, or only on the head?"""
        try:
            with WorkerProcess(self.base.folder) as worker:
                worker.ask("open", case=case, device=device)
        except CaseError as earlier:
            self.find(case, device, "case", "unsupported", 0.0, f"fails on the base: {earlier}")
            self.outcome.expected[self.ring, device] -= 1
            return
        self.find(case, device, "case", "failed", 0.0, str(error))

    def timed(self, first: Spot, second: Spot, ratio: Ratio) -> None:
        """Lane B: confirm a suspicion, and measure the noise of the case beside it."""
        case, device = first.case, first.device
        if ratio.faster():
            self.find(case, device, "time", "faster", ratio.median, _times(ratio))
        if not ratio.slower():
            return
        self.say(f"  {case}: {ratio.median:.2f}x, confirming")
        found = pairs.confirm(first, second)
        again, smallest = _list(found.again), found.smallest
        if not found.holds:
            self.find(case, device, "time", "not confirmed", ratio.median, f"then {again}")
            return
        detail = f"{_times(smallest)}; {again} in fresh processes; base against base {_list(found.noise)}"
        self.find(case, device, "time", "noisy" if found.noisy else "slower", smallest.median, detail)

    def counted(
        self, base: WorkerProcess, head: WorkerProcess, case: str, device: str, instructions: Container[str]
    ) -> None:
        """Lane A."""
        first, second = self.spots(case, device)
        try:
            old: Counts = counting.counts(base, case, device)
            new: Counts = counting.counts(head, case, device)
            if case in instructions:
                old["instructions"] = counting.instructions(first)
                new["instructions"] = counting.instructions(second)
        except CaseError as error:
            self.find(case, device, "case", "failed", 0.0, str(error))
            return
        for measure in sorted({*old} - {*new}):
            self.find(case, device, measure, "gone", 0.0, f"{measure} of the base: {old[measure]:,}; the head has none")
        for change in counting.changes(old, new):
            factor = change.head / change.base if change.base else float("inf")
            detail = f"{change.base:,} -> {change.head:,}"
            self.find(case, device, change.measure, change.verdict, factor, detail)

    def start(self, device: str) -> None:
        """What the import and the first op load."""
        try:
            old, new = (counting.modules(side.folder, device) for side in (self.base, self.head))
        except CaseError as error:
            self.find("start/first_op", device, "case", "failed", 0.0, str(error))
            return
        for when in old:
            added, gone = sorted({*new[when]} - {*old[when]}), sorted({*old[when]} - {*new[when]})
            if added or gone:
                verdict = "worse" if len(added) > len(gone) else "better"
                detail = f"{_names('loads', added)}{'; ' if added and gone else ''}{_names('no longer', gone)}"
                self.find(f"start/{when}", device, "modules", verdict, len(new[when]) / len(old[when]), detail)

    def prove(self, device: str) -> None:
        """Base against base must not be slower, and base against base with planted work must be."""
        case = self.cases[0].name
        spot, _ = self.spots(case, device)
        same = pairs.confirmed(spot, spot)
        quiet, seen = not same[-1].slower(), False
        where = f"{self.ring}, {case} on {device}"
        self.outcome.proof.append(f"{where}: base against itself {_list(same)}, {'no alarm' if quiet else 'ALARM'}")
        for _ in range(ATTEMPTS):
            planted = pairs.confirmed(spot, spot, extra_work=PLANTED)
            seen = planted[-1].slower()
            result = "found" if seen else "MISSED"
            self.outcome.proof.append(f"{where}: {PLANTED:.0%} planted {_list(planted)}, {result}")
            if seen:
                break
        self.outcome.quiet &= quiet
        self.outcome.sensitive &= seen


def _names(what: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{what} {', '.join(names[:5])}{more}"


def _times(ratio: Ratio) -> str:
    return f"{ratio.base_s * 1e6:,.1f} -> {ratio.head_s * 1e6:,.1f} us"


def _list(ratios: list[Ratio]) -> str:
    return ", ".join(f"{ratio.median:.2f}x" for ratio in ratios)
