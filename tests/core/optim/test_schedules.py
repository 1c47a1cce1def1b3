"""Schedules: their formulas, on numbers and on tensors, and as hyperparameters of eager and traced steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

import polytape as pt
from polytape.errors import DTypeError, SettingError
from polytape.optim import schedules as s

SCHEDULES: list[tuple[s.Schedule, Callable[[int], float]]] = [
    (s.ExponentialDecay(0.5, 10, 0.9), lambda t: 0.5 * 0.9 ** (t / 10)),
    (s.ExponentialDecay(0.5, 10, 0.9, staircase=True), lambda t: 0.5 * 0.9 ** (t // 10)),
    (s.NaturalExpDecay(0.5, 10, 0.9), lambda t: 0.5 * math.exp(-0.9 * t / 10)),
    (s.InverseTimeDecay(0.5, 10, 0.9), lambda t: 0.5 / (1 + 0.9 * t / 10)),
    (s.InverseTimeDecay(0.5, 10, 0.9, staircase=True), lambda t: 0.5 / (1 + 0.9 * (t // 10))),
    (s.PiecewiseConstant([5, 8], [1.0, 0.5, 0.25]), lambda t: 1.0 if t <= 5 else 0.5 if t <= 8 else 0.25),
    (s.PolynomialDecay(0.5, 10, 0.1, power=2), lambda t: 0.4 * (1 - min(t, 10) / 10) ** 2 + 0.1),
    (
        s.PolynomialDecay(0.5, 10, 0.1, cycle=True),
        lambda t: 0.4 * (1 - t / (10 * max(1, math.ceil(t / 10)))) + 0.1,
    ),
    (s.CosineDecay(0.5, 10, 0.1), lambda t: 0.5 * (0.45 * (1 + math.cos(math.pi * min(t, 10) / 10)) + 0.1)),
    (
        s.CosineDecayRestarts(0.5, 4, t_mul=2, m_mul=0.5),
        # Restarts after 4, 12 and 28 steps.
        lambda t: next(
            0.5 * 0.5**k * 0.5 * (1 + math.cos(math.pi * (t - start) / (4 * 2**k)))
            for k, start in ((3, 28), (2, 12), (1, 4), (0, 0))
            if t >= start
        ),
    ),
    (s.CosineDecayRestarts(0.5, 4, t_mul=1), lambda t: 0.25 * (1 + math.cos(math.pi * (t % 4) / 4))),
    (
        s.LinearWarmup(5, s.CosineDecay(0.5, 10)),
        lambda t: 0.5 * t / 5 if t < 5 else 0.25 * (1 + math.cos(math.pi * min(t - 5, 10) / 10)),
    ),
    (s.LinearWarmup(5, 0.5, initial=0.1), lambda t: 0.1 + 0.4 * min(t / 5, 1)),
    (
        s.OneCycle(0.5, 20),
        lambda t: (
            0.5 + (0.02 - 0.5) * 0.5 * (1 + math.cos(math.pi * t / 5))
            if t < 5
            else 2e-6 + (0.5 - 2e-6) * 0.5 * (1 + math.cos(math.pi * min((t - 5) / 14, 1)))
        ),
    ),
]
STEPS = [0, 1, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 20, 28, 31]


@pytest.mark.parametrize(("schedule", "formula"), SCHEDULES, ids=lambda x: type(x).__name__)
def test_a_schedule_follows_its_formula_on_numbers_and_tensors(schedule: s.Schedule, formula: Any) -> None:
    for t in STEPS:
        value, tensor = schedule(t), schedule(pt.asarray(t))
        assert type(value) is float and value == pytest.approx(formula(t), rel=1e-12, abs=1e-15), t
        assert float(tensor) == pytest.approx(formula(t), rel=1e-12, abs=1e-15) and tensor.shape == (), t


@pytest.mark.parametrize(("schedule", "formula"), SCHEDULES, ids=lambda x: type(x).__name__)
def test_two_steps_in_one_traced_call_have_two_rates(schedule: s.Schedule, formula: Any) -> None:
    x = pt.Variable(0.0, dtype="float64")
    sgd = pt.optim.SGD(schedule)

    @pt.function
    def steps() -> None:
        for _ in range(2):
            sgd.apply_gradients([(pt.ones((), dtype="float64"), x)])

    for _ in range(4):
        steps()
    assert float(x) == pytest.approx(-sum(formula(t) for t in range(8)), rel=1e-12)


@pytest.mark.parametrize("traced", [False, True])
def test_any_hyperparameter_may_be_a_schedule_a_variable_or_a_function(traced: bool) -> None:
    ends = []
    for make in (lambda t: 0.9 * 0.5**t, lambda t: t):
        numbers = make(0) != 0
        x = pt.Variable([1.0, 2.0], dtype="float64")
        beta1 = pt.Variable(0.75, trainable=False, dtype="float64")
        adam = pt.optim.Adam(0.1, s.ExponentialDecay(0.9, 1, 0.5), 0.99, lambda: 1e-3)
        if numbers:
            adam.beta1 = 0.9
        step = lambda g, adam=adam, x=x: adam.apply_gradients([(g, x)])  # noqa: E731  # traced or not
        run = pt.function(step) if traced else step
        for t in range(4):
            if numbers:
                adam.beta1 = make(t)
            run(pt.asarray([1.0, -2.0 * t], dtype="float64"))
        adam.beta1 = beta1
        run(pt.asarray([1.0, 1.0], dtype="float64"))
        beta1.assign(0.25)
        run(pt.asarray([1.0, 1.0], dtype="float64"))
        ends.append(x.tolist())
    assert ends[0] == pytest.approx(ends[1], rel=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda: s.ExponentialDecay(1.0, 0, 0.5),
        lambda: s.PiecewiseConstant([1, 1], [1.0, 2.0, 3.0]),
        lambda: s.PiecewiseConstant([1], [1.0]),
        lambda: s.CosineDecayRestarts(1.0, 5, t_mul=0.5),
        lambda: s.OneCycle(1.0, 10, rise=1.0),
    ],
)
def test_arguments_without_a_meaning_are_rejected(make: Callable[[], Any]) -> None:
    with pytest.raises(SettingError, match=r"cannot use \w+="):
        make()


def test_a_step_must_be_an_integer() -> None:
    with pytest.raises(DTypeError, match="cannot be called with"):
        s.CosineDecay(1.0, 5)("1")
