"""Taped steps whose peak memory is measured, and the hand count: the bytes that must be in use at the worst moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

import polytape as pt

from .case import Call, Case, Skipped, check

__all__ = ["CASES", "MB", "STEPS"]

MB: Final = 1_000_000
Step = tuple[Callable[[], Any], int]


def twenty_adds(device: str | None = None) -> Step:
    """20 adds of 10 MB and the gradient: the backward pass of add needs no operands, so at most two arrays exist."""
    x = pt.asarray(np.ones(10 * MB // 4, "f4"), device=device)

    def run() -> Any:
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in range(20):
                y = y + 1.0
        return tape.gradient(y, x)

    check(run()[:10], np.ones(10))
    return run, 2 * 10 * MB


def tanh_chain(device: str | None = None) -> Step:
    """20 tanh of 1 MB and the gradient: the backward pass needs all 20 results.

    The worst moment is the second step of the backward pass, since the seed gradient can be a single 1.0: 19 results,
    the gradient, y * y and 1 - y * y.
    """
    x = pt.asarray(np.ones(MB // 4, "f4"), device=device)

    def run() -> Any:
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in range(20):
                y = pt.tanh(y)
        return tape.gradient(y, x)

    y, slope = 1.0, 1.0
    for _ in range(20):
        y = float(np.tanh(y))
        slope *= 1 - y * y
    np.testing.assert_allclose(run()[:10].numpy(), np.full(10, slope), rtol=1e-3)
    return run, (19 + 3) * MB


def deep_mlp(device: str | None = None) -> Step:
    """Four layers of 256 on 4,096 rows, with relu between them and squared loss.

    An activation takes 4.2 MB, a weight 0.26 MB.

    The forward pass keeps three hidden activations (each is both relu's result and the next layer's operand) and the
    difference, for the gradient of the square. The worst moment is the backward pass of the last hidden relu, when only
    the difference has been freed: three activations, the gradient, its mask (one byte per element) and their product,
    and the weight and bias gradients of the last layer.
    """
    from polytape.nn import relu

    rows, width = 4096, 256
    rng = np.random.default_rng(0)
    hosts = [rng.normal(size=(rows, width)).astype("f4") for _ in range(2)]
    matrices = [(rng.normal(size=(width, width)) / 16).astype("f4") for _ in range(4)]
    x, target = (pt.asarray(host, device=device) for host in hosts)
    weights = [pt.Variable(matrix, device=device) for matrix in matrices]
    biases = [pt.Variable(np.zeros(width, "f4"), device=device) for _ in range(4)]

    def run() -> Any:
        with pt.GradientTape() as tape:
            h = x
            for w, b in zip(weights[:-1], biases[:-1], strict=True):
                h = relu(pt.matmul(h, w) + b)
            loss = pt.mean(pt.square(pt.matmul(h, weights[-1]) + biases[-1] - target))
            del h  # this handle would keep the last activation alive, in addition to the tape
        return tape.gradient(loss, [*weights, *biases])

    y = hosts[0]
    for matrix in matrices:
        y = (np.maximum(y, 0) if matrix is not matrices[0] else y) @ matrix
    expected = 2 * (y - hosts[1]).astype("f8").sum(0) / (rows * width)  # the gradient of the last bias
    np.testing.assert_allclose(run()[-1].numpy(), expected, rtol=1e-2, atol=1e-6)
    activation, weight = rows * width * 4, width * width * 4
    return run, 3 * activation + 2 * activation + activation // 4 + weight + width * 4


STEPS: Final[dict[str, Callable[[str | None], Step]]] = {
    "20 adds of 10 MB": twenty_adds,
    "20 tanh of 1 MB": tanh_chain,
    "MLP of 4 layers": deep_mlp,
}


def _case(make: Callable[[str | None], Step]) -> Callable[[str], Call]:
    def step(device: str) -> Call:
        if not pt.get_backend(device.partition(":")[0]).host:
            raise Skipped("the memory of this device is not the host's, which is what is measured")
        return make(device)[0]

    return step


CASES: Final = tuple(Case(f"memory/{name.replace(' ', '_')}", _case(make)) for name, make in STEPS.items())
