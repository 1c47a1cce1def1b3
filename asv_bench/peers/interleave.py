"""Comparative timing: contestants take turns in batches of equal length, so that a disturbance affects all of them."""

from __future__ import annotations

import gc
import itertools
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

__all__ = ["Call", "Statement", "interleaved", "median", "ratio_spread"]

Call = Callable[[], object]
Clock = Callable[[], float]
Loop = Callable[[Iterable[None]], None]


class Statement:
    """An expression that is timed directly in the loop: for a single op, the call of a function would add a tenth.

    Args:
        text: the expression.
        names: the values of the names in it.
    """

    def __init__(self, text: str, **names: Any) -> None:
        parameters = "".join(f", {name}={name}" for name in names)
        namespace = dict(names)
        exec(f"def loop(turns{parameters}):\n    for _ in turns: {text}\ndef call(): return {text}", namespace)
        self.loop: Loop = namespace["loop"]
        self.call: Call = namespace["call"]

    def __call__(self) -> object:
        """Evaluate the expression once."""
        return self.call()


def loop_of(call: Call) -> Loop:
    """A function that runs ``call`` once per turn."""
    if isinstance(call, Statement):
        return call.loop

    def loop(turns: Iterable[None]) -> None:
        for _ in turns:
            call()

    return loop


def interleaved(
    contestants: Mapping[str, Call], batches: int, batch_s: float, clock: Clock = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds per call of each contestant, one sample per batch, in turns.

    Args:
        contestants: name -> call.
        batches: samples of each.
        batch_s: target length of one batch, in seconds.
        clock: ``time.process_time`` leaves out the time in which other processes ran, on a busy machine.
    """
    loops = {name: loop_of(call) for name, call in contestants.items()}
    counts = {name: calibrated(loop, batch_s, clock) for name, loop in loops.items()}
    samples: dict[str, list[float]] = {name: [] for name in contestants}
    order = list(contestants)
    for turn in range(batches):
        # Rotated, so that no contestant always runs first.
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            samples[name].append(timed(loops[name], counts[name], clock) / counts[name])
    return samples


def calibrated(loop: Loop, batch_s: float, clock: Clock = time.perf_counter) -> int:
    """The number of calls that fill a batch; also warms up the call."""
    timed(loop, 3, clock)
    count = 1
    while (elapsed := timed(loop, count, clock)) < batch_s / 2:
        count = max(count * 2, int(count * batch_s / max(elapsed, 1e-9) * 0.7))
    return max(1, round(count * batch_s / elapsed))


def timed(loop: Loop, count: int, clock: Clock = time.perf_counter) -> float:
    """Seconds that ``count`` calls take, with the garbage collector off, as in timeit."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        turns = itertools.repeat(None, count)
        begin = clock()
        loop(turns)
        return clock() - begin
    finally:
        if enabled:
            gc.enable()


def median(samples: list[float]) -> float:
    """The median of the samples."""
    return statistics.median(samples)


def ratio_spread(ours: list[float], theirs: list[float]) -> tuple[float, float]:
    """The quartiles of the ratios of single turns, which show the noise in the ratio of medians."""
    ratios = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    if len(ratios) < 2:
        return ratios[0], ratios[0]
    low, _, high = statistics.quantiles(ratios, n=4)
    return low, high
