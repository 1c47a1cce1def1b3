"""A traced step reads the optimizer's hyperparameters at every call, as an eager step does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt

Step = Callable[[], None]


def traced(optimizer: Any, x: pt.Variable) -> Step:
    @pt.function
    def step() -> None:
        optimizer.apply_gradients([(pt.ones(x.shape), x)])

    return step


def test_a_function_is_called_once_per_traced_step() -> None:
    rates = iter([1.0, 2.0, 4.0, 8.0])
    x, y = pt.Variable(0.0), pt.Variable([0.0])
    sgd = pt.optim.SGD(lambda: next(rates))

    @pt.function
    def step() -> None:
        sgd.apply_gradients([(pt.ones(()), x), (pt.ones((1,)), y)])

    seen = []
    for _ in range(4):
        step()
        seen.append(float(x))
    assert seen == [-1.0, -3.0, -7.0, -15.0] and float(y[0]) == -15.0


def test_two_steps_in_one_function_call_the_rate_twice() -> None:
    rates = iter([1.0, 2.0, 4.0, 8.0])
    x = pt.Variable(0.0)
    sgd = pt.optim.SGD(lambda: next(rates))

    @pt.function
    def steps() -> None:
        sgd.apply_gradients([(pt.ones(()), x)])
        sgd.apply_gradients([(pt.ones(()), x)])

    steps()
    assert float(x) == -3.0
    steps()
    assert float(x) == -15.0


RATES: list[Callable[[float], Any]] = [
    lambda value: value,
    np.float32,
    pt.asarray,
    lambda value: pt.Variable(value, trainable=False),
    lambda value: lambda: value,
    lambda value: lambda: pt.asarray(value),
]


@pytest.mark.parametrize("first", range(len(RATES)))
@pytest.mark.parametrize("second", range(len(RATES)))
def test_a_rate_may_be_assigned_between_traced_steps(first: int, second: int) -> None:
    x = pt.Variable(0.0)
    sgd = pt.optim.SGD(RATES[first](1.0))
    step = traced(sgd, x)
    step()
    sgd.learning_rate = RATES[second](0.25)
    step()
    sgd.learning_rate = RATES[first](0.5)
    step()
    assert float(x) == -1.75


def test_a_rate_in_a_variable_may_be_assigned() -> None:
    x, rate = pt.Variable(0.0), pt.Variable(1.0, trainable=False)
    step = traced(pt.optim.SGD(rate), x)
    step()
    rate.assign(0.5)
    step()
    assert float(x) == -1.5


@pytest.mark.parametrize("name", ["beta1", "beta2", "epsilon"])
def test_the_other_hyperparameters_may_be_assigned_between_traced_steps(name: str) -> None:
    results = []
    for compiled in (True, False):
        x, adam = pt.Variable([1.0, 2.0]), pt.optim.Adam(0.1)
        step = traced(adam, x) if compiled else lambda adam=adam, x=x: adam.apply_gradients([(pt.ones((2,)), x)])
        for value in (0.5, 0.5, 0.25, 0.5):
            setattr(adam, name, value)
            step()
        results.append(x.tolist())
    np.testing.assert_allclose(results[0], results[1], rtol=1e-6)


def test_a_failing_rate_changes_nothing() -> None:
    x = pt.Variable(1.0)
    rates: list[Any] = [0.5, "fast"]
    sgd = pt.optim.SGD(lambda: rates.pop(0))
    step = traced(sgd, x)
    step()
    with pytest.raises(pt.PolytapeError, match="cannot use 'fast' as learning_rate"):
        step()
    assert float(x) == 0.5 and int(sgd.step) == 1


def test_the_rate_may_be_a_value_of_the_trace() -> None:
    x = pt.Variable(0.0)
    sgd = pt.optim.SGD(0.1)

    @pt.function
    def step(rate: pt.Tensor) -> None:
        sgd.learning_rate = rate * 2.0
        sgd.apply_gradients([(pt.ones(()), x)])
        sgd.learning_rate = 0.1

    step(pt.asarray(1.0))
    step(pt.asarray(0.5))
    assert float(x) == -3.0


@pytest.mark.parametrize("built", [True, False])
def test_a_restored_program_goes_on_though_its_first_step_is_traced(tmp_path: Path, built: bool) -> None:
    def program() -> tuple[pt.Checkpoint, Step, pt.nn.Dense]:
        pt.random.seed(0)
        layer, adam = pt.nn.Dense(2), pt.optim.Adam(0.1)
        if built:
            layer.build((None, 3))

        @pt.function
        def step() -> None:
            with pt.GradientTape() as tape:
                loss = pt.sum(pt.square(layer(pt.ones((1, 3)))))
            variables = layer.trainable_variables
            adam.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

        return pt.Checkpoint(layer=layer, adam=adam), step, layer

    checkpoint, step, layer = program()
    step()
    step()
    path = checkpoint.save(tmp_path)
    step()
    expected = layer.weight.tolist()
    checkpoint, step, layer = program()
    status = checkpoint.restore(path)  # the slots, and without `build` the weights, are made by the traced step
    step()
    status.assert_consumed()
    assert layer.weight.tolist() == expected
