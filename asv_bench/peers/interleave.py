"""Timing that compares: contestants take turns in batches of equal length, so that a slow second hits them all."""

from __future__ import annotations

import gc
import itertools
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

__all__ = ["Call", "Statement", "interleaved", "median", "ratio_spread"]

Call = Callable[[], object]
Loop = Callable[[Iterable[None]], None]


class Statement:
    """An expression timed in the loop itself: around one op, a function's own call would count for a tenth.

    Args:
        text: the expression.
        names: what its names mean.
    """

    def __init__(self, text: str, **names: Any) -> None:
        parameters = "".join(f", {name}={name}" for name in names)
        space = dict(names)
        exec(f"def loop(turns{parameters}):\n    for _ in turns: {text}\ndef call(): return {text}", space)
        self.loop: Loop = space["loop"]
        self.call: Call = space["call"]

    def __call__(self) -> object:
        """The expression's value, once."""
        return self.call()


def loop_of(call: Call) -> Loop:
    """A function that runs ``call`` once per turn."""
    if isinstance(call, Statement):
        return call.loop

    def loop(turns: Iterable[None]) -> None:
        for _ in turns:
            call()

    return loop


def interleaved(contestants: Mapping[str, Call], batches: int, batch_s: float) -> dict[str, list[float]]:
    """Seconds per call of each contestant, one sample per batch, in turns.

    Args:
        contestants: name -> call.
        batches: samples of each.
        batch_s: aimed length of one batch, in seconds.
    """
    loops = {name: loop_of(call) for name, call in contestants.items()}
    counts = {name: calibrated(loop, batch_s) for name, loop in loops.items()}
    samples: dict[str, list[float]] = {name: [] for name in contestants}
    order = list(contestants)
    for turn in range(batches):
        # Nobody always runs after the same neighbour, with the caches that one left.
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            samples[name].append(timed(loops[name], counts[name]) / counts[name])
    return samples


def calibrated(loop: Loop, batch_s: float) -> int:
    """How many calls fill a batch; warms the call up."""
    timed(loop, 3)
    count = 1
    while (took := timed(loop, count)) < batch_s / 2:
        count = max(count * 2, int(count * batch_s / max(took, 1e-9) * 0.7))
    return max(1, round(count * batch_s / took))


def timed(loop: Loop, count: int) -> float:
    """Seconds that so many calls take, with the garbage collector off, as timeit has it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        turns = itertools.repeat(None, count)
        begin = time.perf_counter()
        loop(turns)
        return time.perf_counter() - begin
    finally:
        if enabled:
            gc.enable()


def median(samples: list[float]) -> float:
    """The samples' median."""
    return statistics.median(samples)


def ratio_spread(ours: list[float], theirs: list[float]) -> tuple[float, float]:
    """The middle half of the ratios that the single turns gave: how far noise moves the ratio of medians."""
    ratios = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    if len(ratios) < 2:
        return ratios[0], ratios[0]
    low, _, high = statistics.quantiles(ratios, n=4)
    return low, high
