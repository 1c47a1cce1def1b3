"""Peak memory of taped steps, and the hand count: the bytes that must be in use at the worst moment.

The peak is measured by tracemalloc, to which NumPy reports every buffer.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import polytape as pt

__all__ = ["CASES", "peak_nbytes"]

MB = 1_000_000


def peak_nbytes(run: Callable[[], Any]) -> int:
    """The peak of the bytes in use during ``run()``, minus those in use before it; host memory only."""
    run()  # fills caches, which are not part of a step
    gc.collect()
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        run()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def twenty_adds(device: str | None = None) -> tuple[Callable[[], Any], int]:
    """20 adds of 10 MB and the gradient: the backward pass of add needs no operands, so at most two arrays exist."""
    x = pt.asarray(np.ones(10 * MB // 4, "f4"), device=device)

    def run() -> Any:
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in range(20):
                y = y + 1.0
        return tape.gradient(y, x)

    return run, 2 * 10 * MB


def tanh_chain(device: str | None = None) -> tuple[Callable[[], Any], int]:
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

    return run, (19 + 3) * MB


def deep_mlp(device: str | None = None) -> tuple[Callable[[], Any], int]:
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
    x, target = (pt.asarray(rng.normal(size=(rows, width)).astype("f4"), device=device) for _ in range(2))
    weights = [pt.Variable((rng.normal(size=(width, width)) / 16).astype("f4"), device=device) for _ in range(4)]
    biases = [pt.Variable(np.zeros(width, "f4"), device=device) for _ in range(4)]

    def run() -> Any:
        with pt.GradientTape() as tape:
            h = x
            for w, b in zip(weights[:-1], biases[:-1], strict=True):
                h = relu(pt.matmul(h, w) + b)
            loss = pt.mean(pt.square(pt.matmul(h, weights[-1]) + biases[-1] - target))
            del h  # this handle would keep the last activation alive, in addition to the tape
        return tape.gradient(loss, [*weights, *biases])

    activation, weight = rows * width * 4, width * width * 4
    return run, 3 * activation + 2 * activation + activation // 4 + weight + width * 4


CASES: dict[str, Callable[[str | None], tuple[Callable[[], Any], int]]] = {
    "20 adds of 10 MB": twenty_adds,
    "20 tanh of 1 MB": tanh_chain,
    "MLP of 4 layers": deep_mlp,
}
