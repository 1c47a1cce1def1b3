"""Training steps of a linear regression, an MLP and a CNN, eager and traced; and what tracing itself takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

import polytape as pt

from .case import Call, Case, check, numbers
from .workloads import Cnn, Linreg, Mlp, NumpyLinreg, NumpyMlp

__all__ = ["CASES"]

Step = Callable[[], Any]


def small_regression(device: str) -> Step:
    """A linear regression on 1,000 points; the rate is so small that the numbers stay the same."""
    x = np.random.default_rng(0).normal(size=1000).astype("f4")
    inputs, targets = pt.asarray(x, device=device), pt.asarray(3 * x + 2, device=device)
    w, b = pt.Variable(5.0, device=device), pt.Variable(10.0, device=device)

    def step() -> Any:
        with pt.GradientTape() as tape:
            loss = pt.mean(pt.square(inputs * w + b - targets))
        dw, db = tape.gradient(loss, [w, b])
        w.assign_sub(dw * 1e-12)
        b.assign_sub(db * 1e-12)
        return loss

    check(step(), np.mean((x * 2.0 + 8.0) ** 2))
    return step


def small_network(device: str) -> Step:
    """A network 64-32-10 on 32 rows: relu, cross entropy, Adam."""
    x, w1, w2 = numbers(32, 64), numbers(64, 32) - 1, numbers(32, 10) - 1
    labels = np.arange(32, dtype="i4") % 10
    inputs, targets = pt.asarray(x, device=device), pt.asarray(labels, device=device)
    variables = [pt.Variable(value, device=device) for value in (w1, np.zeros(32, "f4"), w2, np.zeros(10, "f4"))]
    optimizer, relu = pt.optim.Adam(1e-12), pt.nn.relu
    cross_entropy = pt.nn.sparse_softmax_cross_entropy_with_logits

    def step() -> Any:
        with pt.GradientTape() as tape:
            hidden = relu(pt.matmul(inputs, variables[0]) + variables[1])
            logits = pt.matmul(hidden, variables[2]) + variables[3]
            loss = pt.mean(cross_entropy(labels=targets, logits=logits))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    logits = np.maximum(x.astype("f8") @ w1, 0) @ w2
    chosen = logits[np.arange(32), labels]
    check(step(), np.mean(np.log(np.exp(logits).sum(1)) - chosen))
    return step


def regression(device: str) -> Step:
    """A linear regression on 1,000 points that does learn."""
    reference, checked = NumpyLinreg(), Linreg(device)
    for _ in range(3):
        check(checked.step(), reference.step())
    return Linreg(device).step


def mlp(device: str) -> Step:
    """An MLP 784-128-10 on a batch of 128, with Adam."""
    check(Mlp(device).step(), NumpyMlp().step())
    return Mlp(device).step


def cnn(device: str) -> Step:
    """A CNN on 32 images of 12 by 12, with SGD."""
    learning = Cnn(device, rate=0.05)
    check(learning.step(), learning.reference())
    assert learning.step().numpy() < learning.reference()
    return Cnn(device).step


def traced(make: Callable[[str], Step]) -> Callable[[str], Call]:
    """The step as a traced function, whose first result is checked too."""

    def traced_step(device: str) -> Call:
        expected = make(device)().numpy()
        step: Step = pt.function(make(device))
        check(step(), expected)
        return step

    return traced_step


def tracing(make: Callable[[str], Step]) -> Callable[[str], Call]:
    """The first call of a traced function: tracing, passes, compilation, and one step; kernels that a backend has
    compiled before stay compiled.
    """

    def first_call(device: str) -> Call:
        step = make(device)

        def call() -> Any:
            return pt.function(step)()

        check(call(), step().numpy())
        return call

    return first_call


CASES: Final = (
    Case("training/regression", small_regression, panel=True),
    Case("training/traced_regression", traced(small_regression), panel=True),
    Case("training/network", small_network, panel=True),
    Case("training/linreg", regression),
    Case("training/traced_linreg", traced(regression)),
    Case("training/mlp", mlp),
    Case("training/traced_mlp", traced(mlp)),
    Case("training/cnn", cnn),
    Case("training/traced_cnn", traced(cnn)),
    Case("compile/regression", tracing(small_regression), panel=True),
    Case("compile/network", tracing(small_network)),
    Case("compile/cnn", tracing(cnn)),
)
