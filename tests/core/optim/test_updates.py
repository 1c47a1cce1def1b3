"""Each optimizer over twenty steps against its formula in NumPy's float64, and a resumed training bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt

Formula = Callable[[Any, Any, dict[str, Any], int], Any]
RATE = 0.05


def momentum(x: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    g = g + 0.1 * x
    s["v"] = 0.9 * s.get("v", 0.0) + g
    return x - RATE * s["v"]


def nesterov(x: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    s["v"] = 0.9 * s.get("v", 0.0) + g
    return x - RATE * (0.9 * s["v"] + g)


def _moments(g: Any, s: dict[str, Any], t: int) -> tuple[Any, Any]:
    s["m"] = 0.9 * s.get("m", 0.0) + 0.1 * g
    s["v"] = 0.99 * s.get("v", 0.0) + 0.01 * g**2
    return s["m"] / (1 - 0.9**t), s["v"] / (1 - 0.99**t)


def adam(x: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    m, v = _moments(g, s, t)
    return x - RATE * m / (np.sqrt(v) + 1e-7)


def adamw(x: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    return adam(x, g, s, t) - RATE * 0.25 * x


def amsgrad(x: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    m, _ = _moments(g, s, t)
    s["max"] = np.maximum(s.get("max", 0.0), s["v"])
    return x - RATE * m / (np.sqrt(s["max"] / (1 - 0.99**t)) + 1e-7)


def adamax(x: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    s["m"] = 0.9 * s.get("m", 0.0) + 0.1 * g
    s["u"] = np.maximum(0.999 * s.get("u", 0.0), abs(g) + 1e-7)
    return x - RATE / (1 - 0.9**t) * s["m"] / s["u"]


def nadam(x: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    mu, after = (0.9 * (1 - 0.5 * 0.96 ** (k * 0.004)) for k in (t, t + 1))
    s["p"] = s.get("p", 1.0) * mu
    _, v = _moments(g, s, t)
    m = after * s["m"] / (1 - s["p"] * after) + (1 - mu) * g / (1 - s["p"])
    return x - RATE * m / (np.sqrt(v) + 1e-7)


def adagrad(x: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    s["a"] = s.get("a", 0.5) + g**2
    return x - RATE * g / (np.sqrt(s["a"]) + 1e-7)


def rmsprop(x: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    s["a"] = 0.9 * s.get("a", 0.0) + 0.1 * g**2
    s["v"] = 0.5 * s.get("v", 0.0) + g / (np.sqrt(s["a"]) + 1e-7)
    return x - RATE * s["v"]


def centered(x: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    s["a"] = 0.9 * s.get("a", 0.0) + 0.1 * g**2
    s["g"] = 0.9 * s.get("g", 0.0) + 0.1 * g
    return x - RATE * g / (np.sqrt(s["a"] - s["g"] ** 2) + 1e-7)


def adadelta(x: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    s["a"] = 0.9 * s.get("a", 0.0) + 0.1 * g**2
    step = np.sqrt(s.get("d", 0.0) + 1e-6) / np.sqrt(s["a"] + 1e-6) * g
    s["d"] = 0.9 * s.get("d", 0.0) + 0.1 * step**2
    return x - RATE * step


def ftrl(x: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    before = s.get("a", 0.5)
    s["a"] = before + g**2
    s["z"] = s.get("z", 0.0) + g - (np.sqrt(s["a"]) - np.sqrt(before)) / RATE * x
    y = (np.sign(s["z"]) * 0.25 - s["z"]) / (np.sqrt(s["a"]) / RATE + 2 * 0.125)
    return np.where(abs(s["z"]) > 0.25, y, 0.0)


def _shrunk(x: Any, rate: Any) -> Any:
    return np.sign(x) * np.maximum(abs(x) - rate * 0.25, 0.0) / (1 + rate * 0.125)


def proximal(x: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    return _shrunk(x - RATE * g, RATE)


def proximal_adagrad(x: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    s["a"] = s.get("a", 0.5) + g**2
    rate = RATE / np.sqrt(s["a"])
    return _shrunk(x - rate * g, rate)


def lion(x: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    m = s.get("m", 0.0)
    s["m"] = 0.99 * m + 0.01 * g
    return x - RATE * (np.sign(0.9 * m + 0.1 * g) + 0.25 * x)


OPTIMIZERS: dict[str, tuple[Callable[..., Any], Formula]] = {
    "momentum": (lambda rate=RATE: pt.optim.SGD(rate, momentum=0.9, weight_decay=0.1), momentum),
    "nesterov": (lambda rate=RATE: pt.optim.SGD(rate, momentum=0.9, nesterov=True), nesterov),
    "Adam": (lambda rate=RATE: pt.optim.Adam(rate, beta2=0.99), adam),
    "AdamW": (lambda rate=RATE: pt.optim.AdamW(rate, beta2=0.99, weight_decay=0.25), adamw),
    "amsgrad": (lambda rate=RATE: pt.optim.Adam(rate, beta2=0.99, amsgrad=True), amsgrad),
    "Adamax": (lambda rate=RATE: pt.optim.Adamax(rate), adamax),
    "Nadam": (lambda rate=RATE: pt.optim.Nadam(rate, beta2=0.99), nadam),
    "Adagrad": (lambda rate=RATE: pt.optim.Adagrad(rate, initial_accumulator=0.5), adagrad),
    "RMSProp": (lambda rate=RATE: pt.optim.RMSProp(rate, momentum=0.5), rmsprop),
    "centered": (lambda rate=RATE: pt.optim.RMSProp(rate, centered=True), centered),
    "Adadelta": (lambda rate=RATE: pt.optim.Adadelta(rate), adadelta),
    "Ftrl": (lambda rate=RATE: pt.optim.Ftrl(rate, initial_accumulator=0.5, l1=0.25, l2=0.125), ftrl),
    "ProximalGradientDescent": (lambda rate=RATE: pt.optim.ProximalGradientDescent(rate, l1=0.25, l2=0.125), proximal),
    "ProximalAdagrad": (
        lambda rate=RATE: pt.optim.ProximalAdagrad(rate, initial_accumulator=0.5, l1=0.25, l2=0.125),
        proximal_adagrad,
    ),
    "Lion": (lambda rate=RATE: pt.optim.Lion(rate, weight_decay=0.25), lion),
}


@pytest.fixture(params=sorted(OPTIMIZERS))
def optimizer(request: pytest.FixtureRequest) -> tuple[Callable[..., Any], Formula]:
    return OPTIMIZERS[request.param]


def gradients(count: int, dtype: str = "float64") -> Any:
    return np.random.default_rng(0).standard_normal((count, 7)).astype(dtype)


@pytest.mark.parametrize("traced", [False, True])
def test_twenty_steps_agree_with_the_formula(optimizer: tuple[Any, Formula], traced: bool) -> None:
    make, formula = optimizer
    x, state = pt.Variable(np.linspace(-1.0, 1.0, 7)), {}  # type: ignore[var-annotated]  # a dict of arrays
    expected = x.numpy().copy()
    ours = make()
    step = (
        pt.function(lambda g: ours.apply_gradients([(g, x)])) if traced else (lambda g: ours.apply_gradients([(g, x)]))
    )
    for t, g in enumerate(gradients(20), 1):
        step(pt.asarray(g))
        expected = formula(expected, g, state, t)
    np.testing.assert_allclose(x.numpy(), expected, rtol=1e-11, atol=1e-13)


def test_a_resumed_training_ends_bit_for_bit_where_an_undisturbed_one_does(
    optimizer: tuple[Any, Formula], tmp_path: Path
) -> None:
    make, _ = optimizer
    ends = []
    for stop in (None, 3):
        x, ours = pt.Variable(np.linspace(-1.0, 1.0, 7, dtype="float32"), name="x"), make()
        for t, g in enumerate(gradients(6, "float32")):
            if t == stop:
                path = pt.Checkpoint(x=x, optimizer=ours).save(str(tmp_path / "c"))
                x, ours = pt.Variable(np.zeros(7, "float32"), name="x"), make()
                pt.Checkpoint(x=x, optimizer=ours).restore(path)
            ours.apply_gradients([(pt.asarray(g), x)])
        ends.append([variable.numpy().tobytes() for variable in (x, *ours.variables)])
    assert ends[0] == ends[1] and len(ends[0]) >= 2


@pytest.mark.parametrize("traced", [False, True])
def test_rows_change_as_in_a_step_on_these_rows_alone(optimizer: tuple[Any, Formula], traced: bool) -> None:
    make, _ = optimizer
    start = np.linspace(-1.0, 1.0, 10).reshape(5, 2)
    whole, rows, ours, alone = pt.Variable(start), pt.Variable(start[[1, 3]]), make(), make()
    values = np.asarray([[0.5, -0.25], [1.0, 2.0], [0.25, 0.5]])

    def step(values: Any) -> None:
        ours.apply_gradients([(pt.IndexedSlices(values, pt.asarray([1, -2, 1]), (5, 2)), whole)])

    run = pt.function(step) if traced else step
    for _ in range(3):
        run(pt.asarray(values))
        alone.apply_gradients([(np.stack([values[0] + values[2], values[1]]), rows)])
    np.testing.assert_allclose(whole.numpy()[[1, 3]], rows.numpy(), rtol=1e-14)
    np.testing.assert_array_equal(whole.numpy()[[0, 2, 4]], start[[0, 2, 4]])


def test_a_hyperparameter_that_changes_each_step_is_not_traced_again(optimizer: tuple[Any, Formula]) -> None:
    make, _ = optimizer
    traces, results = [], []
    for compiled in (True, False):
        x, ours = pt.Variable(np.linspace(-1.0, 1.0, 7)), make()

        def step(g: Any, ours: Any = ours, x: Any = x) -> None:
            traces.append(g)
            ours.apply_gradients([(g, x)])

        run = pt.function(step) if compiled else step
        for t, g in enumerate(gradients(4)):
            for name, _ in ours.ranges:
                value = getattr(ours, name)
                setattr(ours, name, value * (1.0 - 0.01 * t))
            run(pt.asarray(g))
        results.append(x.numpy())
        assert len(traces) == (1 if compiled else 5)
    np.testing.assert_allclose(results[0], results[1], rtol=1e-12)
