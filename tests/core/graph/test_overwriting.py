"""Traced steps overwrite the buffers of variables that nothing else refers to, and no others."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape import buildinfo
from polytape.graph.execution import overwriting

only_compiled = pytest.mark.skipif(not buildinfo.compiled(), reason="only compiled code overwrites arrays")
SIZE = 10_000  # larger variables than those that are updated together


class Step:
    """Adam on one variable, with a gradient that depends on it."""

    def __init__(self) -> None:
        self.w = pt.Variable(np.linspace(0.5, 1.5, SIZE, dtype="f4"))
        self.optimizer = pt.optim.Adam(0.1)
        self.kept: list[tuple[Any, Any]] = []

    def __call__(self) -> None:
        self.optimizer.apply_gradients([(self.w * 2.0, self.w)])

    def addresses(self) -> list[int]:
        """Of the variable and its slots."""
        return [x.numpy().ctypes.data for x in (self.w, *self.optimizer.variables) if x.shape]

    def keep(self, x: Any) -> None:
        """Keep a view of a value and a copy, which must stay equal."""
        self.kept.append((np.asarray(x), np.array(x)))


def values(step: Step) -> list[Any]:
    return [x.numpy().copy() for x in (step.w, *step.optimizer.variables)]


@only_compiled
def test_a_traced_step_overwrites_the_variable_and_its_slots() -> None:
    step = Step()
    traced = pt.function(step.__call__)
    for _ in range(2):  # the first call of the kernel gets copies
        traced()
    before = step.addresses()
    traced()
    assert step.addresses() == before


@only_compiled
def test_a_traced_step_allocates_no_more_than_an_eager_one() -> None:
    peaks = []
    for wrap in (pt.function, lambda f: f):
        step = wrap(Step().__call__)
        for _ in range(3):
            step()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            step()
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
        finally:
            tracemalloc.stop()
    assert peaks[0] <= peaks[1] + 4096


@pytest.mark.parametrize("kept", ["value", "view", "slot", "old value returned"])
def test_whoever_refers_to_an_old_value_keeps_it(kept: str) -> None:
    eager, traced = Step(), Step()

    def run(step: Step, wrap: Callable[[Any], Any]) -> None:
        def body() -> Any:
            old = pt.reshape(step.w, (2, -1)) if kept == "old value returned" else None
            step()
            return old

        f = wrap(body)
        for _ in range(5):
            if kept == "value":
                step.keep(step.w.read_value())
            elif kept == "view":
                step.keep(step.w[3:])
            elif kept == "slot" and step.optimizer.variables[1:]:
                step.keep(step.optimizer.variables[1].numpy())
            result = f()
            if result is not None:
                step.keep(result)

    run(eager, lambda f: f)
    run(traced, pt.function)
    for step in (eager, traced):
        for seen, expected in step.kept:
            np.testing.assert_array_equal(seen, expected)
    for one, other in zip(values(eager), values(traced), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_failing_op_leaves_the_variables_as_they_were() -> None:
    step, angle = Step(), pt.Variable([1.0])
    fail = False

    def fn(x: Any) -> Any:
        if fail:
            raise FloatingPointError("the kernel is broken")
        return np.cos(x)

    with pt.kernel("cos", backend="numpy", priority=10)(fn):

        def body() -> Any:
            step()
            return pt.cos(angle)  # after the update in the function, before it in a run

        f = pt.function(body)
        for _ in range(3):
            f()
        before = values(step)
        fail = True
        with pytest.raises(FloatingPointError, match="broken"):
            f()
    for one, other in zip(values(step), before, strict=True):
        np.testing.assert_array_equal(one, other)


def equations(body: Callable[[], Any]) -> list[str]:
    return [equation.op.name for equation in overwriting(pt.function(body).graph())]


@only_compiled
def test_an_update_whose_old_or_new_values_are_used_does_not_run_last() -> None:
    step, copied = Step(), pt.Variable(np.zeros(SIZE, "f4"))
    step()

    def with_old_value() -> None:
        copied.assign(step.w)
        step()

    def with_new_value() -> Any:
        step()
        return step.w * 2.0

    def twice() -> None:
        step()
        step()

    assert equations(step.__call__) == ["adam_update"]
    assert equations(with_old_value) == equations(with_new_value) == equations(twice) == []


def test_two_updates_that_read_each_other_s_variables_use_the_old_values() -> None:
    def program(wrap: Callable[[Any], Any]) -> list[Any]:
        a, b = (pt.Variable(np.full(SIZE, x, "f4")) for x in (1.0, 2.0))
        first, second = pt.optim.SGD(0.5, momentum=0.9), pt.optim.SGD(0.25, momentum=0.9)

        def body() -> None:
            x, y = a.read_value(), b.read_value()
            first.apply_gradients([(y, a)])  # the gradient is the other variable's old value
            second.apply_gradients([(x, b)])

        f = wrap(body)
        for _ in range(4):
            f()
        return [a.numpy(), b.numpy()]

    for one, other in zip(program(lambda f: f), program(pt.function), strict=True):
        np.testing.assert_array_equal(one, other)
