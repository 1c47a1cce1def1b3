"""The steps of every example give the same numbers as traced functions, on every backend.

That of scipy_gradient is in `test_scipy_gradient`, since SciPy reads a setting when it is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import TraceError

Load = Callable[[str], ModuleType]
Wrap = Callable[[Any], Any]
DEVICES = ("numpy", "numba", "sim")
# A step on numba or sim may be compiled from other clusters than the ops that run eagerly.
TOLERANCE = {"numpy": 0.0, "numba": 2e-5, "sim": 2e-5}


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def trained(model: Any, loss_of: Callable[..., Any], wrap: Wrap, batches: list[Any], rate: float = 0.01) -> list[Any]:
    """The losses of a step per batch, and the variables after them."""
    optimizer = pt.optim.Adam(rate)

    def step(*batch: Any) -> Any:
        with pt.GradientTape() as tape:
            loss = loss_of(*batch)
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    run = wrap(step)
    return [*(run(*map(pt.asarray, batch)) for batch in batches), *model.trainable_variables]


def digits(load: Load, wrap: Wrap, kind: str) -> list[Any]:
    model = load("digits").network(kind)
    model.build((None, 8, 8, 1))

    def loss(images: Any, labels: Any) -> Any:
        logits = model(images, training=True)
        return pt.mean(pt.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))

    labels = np.arange(8) % 10
    return trained(model, loss, wrap, [(numbers(8, 8, 8, 1, seed=k), labels) for k in range(2)])


def char_lstm(load: Load, wrap: Wrap) -> list[Any]:
    model = load("char_lstm").CharModel(12, 8)
    codes = np.random.default_rng(0).integers(0, 12, (4, 6)).astype("int32")

    def loss(inputs: Any, labels: Any) -> Any:
        logits, _ = model(inputs)
        return pt.mean(pt.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))

    model(pt.asarray(codes))
    return trained(model, loss, wrap, [(codes, codes[::-1].copy())] * 2)


def gan(load: Load, wrap: Wrap) -> list[Any]:
    model = load("gan").Gan(0.001)
    step = wrap(model._step)
    losses = [loss for k in range(2) for loss in step(pt.asarray(abs(numbers(4, 8, 8, 1, seed=k)))).values()]
    return [*losses, *model.variables]


def linear_regression(load: Load, wrap: Wrap) -> list[Any]:
    results = []
    for fit in load("linear_regression").new_fits(0.1).values():
        step = wrap(fit.train_step)
        results += [step(pt.asarray(numbers(30)), pt.asarray(numbers(30, seed=1))) for _ in range(3)]
        results += [fit.slope, fit.intercept]
    return results


def model_class(load: Load, wrap: Wrap) -> list[Any]:
    model = load("model_class").Line()
    return trained(model, lambda x, y: pt.mean(pt.square(model(x) - y)), wrap, [(numbers(30), numbers(30, seed=1))] * 3)


def birth_life(load: Load, wrap: Wrap) -> list[Any]:
    loss = load("birth_life").squared_loss
    w, b = pt.Variable(0.0), pt.Variable(0.0)
    step = wrap(pt.implicit_value_and_gradients(lambda x, y: loss(w * x + b - y)))
    optimizer, results = pt.optim.SGD(0.01), []
    for x, y in zip(numbers(4), numbers(4, seed=1), strict=True):
        value, gradients = step(pt.asarray(x), pt.asarray(y))
        optimizer.apply_gradients(gradients)
        results.append(value)
    return [*results, w, b]


def line_search(load: Load, wrap: Wrap) -> list[Any]:
    run = wrap(pt.value_and_gradients_function(load("line_search").rosenbrock))
    value, gradients = run(pt.asarray(numbers(2)))
    return [value, *gradients]


def custom_gradients(load: Load, wrap: Wrap) -> list[Any]:
    module = load("custom_gradients")
    clipped = pt.gradients_function(lambda x: pt.sum(pt.square(module.clip_gradient_by_norm(x, 0.5))))
    functions = [pt.gradients_function(module.log1pexp), pt.gradients_function(module.naive_log1pexp), clipped]
    return [wrap(f)(pt.asarray(x))[0] for f in functions for x in (numbers(3), 0.1 * numbers(3, seed=1))]


def matmul_benchmark(load: Load, wrap: Wrap) -> list[Any]:
    return [wrap(lambda x: x @ x)(pt.asarray(numbers(5, 5)))]


STEPS: dict[str, Callable[[Load, Wrap], list[Any]]] = {
    "digits, mlp": lambda load, wrap: digits(load, wrap, "mlp"),
    "digits, cnn": lambda load, wrap: digits(load, wrap, "cnn"),
    "char_lstm": char_lstm,
    "gan": gan,
    "linear_regression": linear_regression,
    "model_class": model_class,
    "birth_life": birth_life,
    "line_search": line_search,
    "custom_gradients": custom_gradients,
    "matmul_benchmark": matmul_benchmark,
}


# On numba, their kernels take a minute to compile where no other test has run.
LONG = ("digits, mlp", "digits, cnn", "char_lstm", "gan")


@pytest.mark.parametrize(
    ("name", "device"),
    [
        pytest.param(name, device, marks=[pytest.mark.slow] if device == "numba" and name in LONG else [])
        for name in STEPS
        for device in DEVICES
    ],
)
def test_a_step_gives_the_same_traced(name: str, device: str, module: Load) -> None:
    if device not in {x.name for x in pt.backends() if x.status == "ready"}:
        pytest.skip(f"{device} is not ready")
    found = []
    with pt.device(device):
        for wrap in (lambda f: f, pt.function):
            pt.random.seed(3)
            found.append([np.array(x.numpy()) for x in STEPS[name](module, wrap)])
    for eager, traced in zip(*found, strict=True):
        assert (eager.dtype, eager.shape) == (traced.dtype, traced.shape)
        np.testing.assert_allclose(traced, eager, rtol=TOLERANCE[device], atol=0.1 * TOLERANCE[device])


def test_an_example_s_branch_on_a_value_is_an_error_that_names_cond(module: Load) -> None:
    """The Huber loss of birth_life and the loop of line_search are Python's; a graph needs pt.cond and while_loop."""
    huber, search = module("birth_life").huber_loss, module("line_search")
    with pytest.raises(TraceError, match=r"use polytape\.cond"):
        pt.function(huber)(pt.asarray(0.5))
    with pytest.raises(TraceError, match=r"polytape\.while_loop"):
        pt.function(lambda x: search.line_search_step(search.rosenbrock, x)[0])(pt.asarray([0.5, 1.0]))
