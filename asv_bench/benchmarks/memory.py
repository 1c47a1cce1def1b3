"""Peak memory of taped work, and the hand count of what must be there at its worst moment.

Host arrays are counted by tracemalloc, to which NumPy reports each buffer; a device's by its backend's own counter.
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
    """The most bytes in use at once while ``run`` runs, above what was in use before; host memory only."""
    run()  # caches and memos are no part of a step
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
    """20 adds of 10 MB and the gradient: add needs no operand again, so two arrays are there at once, never 21."""
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
    """20 tanh of 1 MB: all 20 results are needed again.

    Worst moment: one step back, since the first gradient can stay a single 1: 19 results, the gradient, y * y and
    1 - y * y.
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
    """Four layers of 256 on 4,096 rows, relu between them, squared loss; 4.2 MB per activation, 0.26 MB per weight.

    Kept by the forward pass: three hidden activations (each the next layer's operand and relu's own result) and the
    difference that the square needs. Worst moment: the way back through the last hidden relu, before anything but
    the difference is gone: three activations, the gradient, its mask (a byte per element) and the product; beside
    them the last layer's weight and bias gradients.
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
            del h  # the caller's own handle is not the tape's
        return tape.gradient(loss, [*weights, *biases])

    activation, weight = rows * width * 4, width * width * 4
    return run, 3 * activation + 2 * activation + activation // 4 + weight + width * 4


CASES: dict[str, Callable[[str | None], tuple[Callable[[], Any], int]]] = {
    "20 adds of 10 MB": twenty_adds,
    "20 tanh of 1 MB": tanh_chain,
    "MLP of 4 layers": deep_mlp,
}
