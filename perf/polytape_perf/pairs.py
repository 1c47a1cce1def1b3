"""Lane B: two workers take turns of about a millisecond, so that a disturbance of the machine meets both of them.

The ratio of two neighbouring turns is one sample; their median is the estimate, with an interval by the bootstrap. The
samples of one pair of processes are not independent of each other: where the memory of a process lies makes it a few
percent faster or slower than another one of the same build. Therefore a pair only raises a suspicion, and fresh pairs
have to confirm it (`confirmed`). Both processes run on one processor core: on two, the one whose core another program
uses as well is slower for as long as they live, by up to a third.

Source:
    B. Efron, R. Tibshirani, An Introduction to the Bootstrap (1993), section 13.3, the percentile interval;
    T. Kalibera, R. Jones, "Rigorous benchmarking in reasonable time", ISMM (2013), on levels of repetition.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from .workers import WorkerProcess

__all__ = [
    "CONFIRMATIONS",
    "MARGIN",
    "Confirmation",
    "Ratio",
    "Spot",
    "compare",
    "confirm",
    "confirmed",
    "ratio_of",
    "take_turns",
    "two_workers",
]

MARGIN: Final = 0.10  # smaller slowdowns are left to lane A
CONFIRMATIONS: Final = 3  # fresh pairs of processes that must agree
TURNS: Final = 120
TURN_S: Final = 0.001
LEVEL: Final = 0.99  # of the interval
_RESAMPLES: Final = 1_000


class Spot(NamedTuple):
    """What one worker of a pair runs: a case on a device, in a build."""

    side: str
    case: str
    device: str


class Ratio(NamedTuple):
    """How many times the time of the first the second one takes: the median, its interval, and both times.

    Attributes:
        base_s, head_s: median seconds per call.
    """

    median: float
    low: float
    high: float
    base_s: float
    head_s: float

    def slower(self, margin: float = MARGIN) -> bool:
        """Whether the second one is slower by more than the margin, with the interval's certainty."""
        return self.low > 1 + margin

    def faster(self, margin: float = MARGIN) -> bool:
        """Whether the second one is faster by more than the margin, with the interval's certainty."""
        return self.high < 1 / (1 + margin)


def ratio_of(base: list[float], head: list[float], seed: int = 0) -> Ratio:
    """The ratio of paired samples, in seconds per call."""
    a, b = np.array(base), np.array(head)
    ratios = b / a
    resampled = np.random.default_rng(seed).choice(ratios, (_RESAMPLES, len(ratios)))
    medians = np.median(resampled, axis=1)
    low, high = np.quantile(medians, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Ratio(float(np.median(ratios)), float(low), float(high), float(np.median(a)), float(np.median(b)))


@contextlib.contextmanager
def two_workers(base: str, head: str, extra_work: float = 0.0) -> Iterator[tuple[WorkerProcess, WorkerProcess]]:
    """Processes of two sides on one core; ``extra_work`` is a share of work added to the second.

    The core is drawn anew for each pair, so that fresh pairs do not meet the same neighbour. Only Linux lets a program
    choose; elsewhere the system does.
    """
    with WorkerProcess(base) as first, WorkerProcess(head, extra_work) as second:
        if hasattr(os, "sched_setaffinity"):
            core = random.choice(sorted(os.sched_getaffinity(0)))
            for worker in (first, second):
                with contextlib.suppress(OSError):  # it has ended, or a sandbox forbids it
                    os.sched_setaffinity(worker.process.pid, {core})
        yield first, second


def take_turns(base: WorkerProcess, head: WorkerProcess, first: Spot, second: Spot, turns: int) -> Ratio:
    """Compare in two running workers; who begins alternates."""
    workers = (base, head)
    seconds = [
        worker.ask("open", case=spot.case, device=spot.device)
        for worker, spot in zip(workers, (first, second), strict=True)
    ]
    # The same number of calls on both sides, so that a slower side has longer turns, not fewer calls.
    calls = max(1, round(TURN_S / min(seconds)))
    # A call longer than a turn needs fewer turns, for the same time in all.
    turns = max(20, min(turns, round(turns * 10 * TURN_S / max(seconds))))
    samples: tuple[list[float], list[float]] = ([], [])
    for turn in range(turns + 2):
        for which in (0, 1) if turn % 2 else (1, 0):
            samples[which].append(workers[which].ask("turn", calls=calls) / calls)
    return ratio_of(samples[0][2:], samples[1][2:])  # the first turns warm up


def compare(first: Spot, second: Spot, turns: int = TURNS, extra_work: float = 0.0) -> Ratio:
    """Compare in a fresh pair of processes; ``extra_work`` is a share of work added to the second.

    Raises:
        CaseError: a case fails.
    """
    with two_workers(first.side, second.side, extra_work) as (base, head):
        return take_turns(base, head, first, second, turns)


def confirmed(first: Spot, second: Spot, margin: float = MARGIN, extra_work: float = 0.0) -> list[Ratio]:
    """Ratios of fresh pairs of processes; the list ends with the first one that is not slower by the margin.

    All `CONFIRMATIONS` of them are slower only if the second is: the slowdown is confirmed if the last one is slower.
    """
    ratios = []
    for _ in range(CONFIRMATIONS):
        ratios.append(compare(first, second, 2 * TURNS, extra_work))
        if not ratios[-1].slower(margin):
            break
    return ratios


class Confirmation(NamedTuple):
    """What fresh pairs of processes say of a suspicion.

    Attributes:
        again: of the two sides, see `confirmed`.
        noise: of the base and itself; empty if the slowdown is not confirmed.
    """

    again: list[Ratio]
    noise: list[Ratio]

    @property
    def holds(self) -> bool:
        """Whether the second side was slower in all pairs."""
        return self.again[-1].slower()

    @property
    def smallest(self) -> Ratio:
        """The smallest ratio of the two sides."""
        return min(self.again, key=lambda ratio: ratio.median)

    @property
    def noisy(self) -> bool:
        """Whether the slowdown is less than twice what the base differs from itself."""
        return self.smallest.median - 1 < 2 * max(abs(ratio.median - 1) for ratio in self.noise)


def confirm(first: Spot, second: Spot) -> Confirmation:
    """Compare in fresh pairs of processes; if all are slower, measure the noise of the case too."""
    again = confirmed(first, second)
    noise = [compare(first, first) for _ in range(CONFIRMATIONS)] if again[-1].slower() else []
    return Confirmation(again, noise)
