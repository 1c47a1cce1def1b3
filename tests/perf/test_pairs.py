"""The interval of paired samples: it holds the true ratio, and a slowdown is only one beyond the margin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from polytape_perf.pairs import Spot, compare, ratio_of


def samples(factor: float, seed: int, noise: float = 0.1, count: int = 120) -> tuple[list[float], list[float]]:
    """Times with noise of their own, and disturbances of the machine that both sides meet."""
    rng = np.random.default_rng(seed)
    disturbed = 1 + rng.exponential(0.3, count)
    base, head = (disturbed * rng.lognormal(0, noise, count) * 1e-6 for _ in range(2))
    return list(base), list(head * factor)


@settings(max_examples=60, deadline=None)
@given(factor=st.floats(0.3, 3), seed=st.integers(0, 2**32 - 1))
def test_the_ratio_is_near_the_true_one_and_inside_its_interval(factor: float, seed: int) -> None:
    ratio = ratio_of(*samples(factor, seed))
    assert ratio.low <= ratio.median <= ratio.high
    assert ratio.median == pytest.approx(factor, rel=0.1)


def test_the_interval_misses_the_true_ratio_as_rarely_as_its_level_says() -> None:
    missed = 0
    for seed in range(400):
        ratio = ratio_of(*samples(1.2, seed))
        missed += not ratio.low <= 1.2 <= ratio.high
    assert missed <= 14  # 4 are expected; more than 14 happen once in 100,000 times


def test_slower_and_faster_need_the_margin_with_certainty() -> None:
    assert not ratio_of(*samples(1.0, 1)).slower() and not ratio_of(*samples(1.0, 1)).faster()
    assert not ratio_of(*samples(1.08, 2)).slower()
    assert ratio_of(*samples(1.25, 3)).slower() and not ratio_of(*samples(1.25, 3)).faster()
    assert ratio_of(*samples(0.8, 4)).faster() and not ratio_of(*samples(0.8, 4)).slower()


def test_planted_work_makes_a_real_case_slower_and_none_does_not() -> None:
    spot = Spot("", "dispatch/add", "numpy:cpu")
    assert not compare(spot, spot).slower(0.5)
    assert compare(spot, spot, extra_work=2.0).slower(0.5)
