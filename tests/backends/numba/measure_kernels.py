"""Time the Numba kernels against the NumPy kernels and print the table of docs/backends/numba.md. This is a program."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from polytape_numba.kernels import kernels
from polytape_numpy.kernels import build

ROWS = [(1, 10), (26, 10), (128, 10), (10_000, 10), (32, 1000), (4096, 1000), (4, 50_257)]
LENGTHS = [10, 256, 1000, 10_000, 100_000, 1_000_000, 10_000_000]


def samples(dtype: str) -> Iterator[tuple[str, tuple[int, ...], tuple[Any, ...]]]:
    """The measured calls: an op, the shape of its large operand, and its operands."""
    rng = np.random.default_rng(0)
    for shape in ROWS:
        x = (4 * rng.standard_normal(shape)).astype(dtype)
        labels, g = rng.integers(0, shape[1], shape[0], "int32"), np.ones(shape[0], dtype)
        yield "softmax", shape, (x,)
        yield "sparse_softmax_cross_entropy_with_logits", shape, (labels, x)
        yield "softmax_cross_entropy_gradient", shape, (g, labels, x)
    for n in LENGTHS:
        slots = [rng.random(n).astype(dtype) for _ in range(4)]
        yield "adam_update", (n,), (*slots, np.asarray(1e-3, dtype), np.asarray(3), np.asarray([0.9, 0.999, 1e-7, 0.0]))


def best_us(first: Callable[[], Any], second: Callable[[], Any], budget_s: float) -> tuple[float, float]:
    """The fastest call of each, in microseconds. They alternate, so that other load affects both."""
    best = [float("inf"), float("inf")]
    first(), second()  # compile, and warm the caches
    end = time.perf_counter() + budget_s
    while time.perf_counter() < end:
        for k, call in enumerate((first, second)):
            start = time.perf_counter()
            call()
            best[k] = min(best[k], time.perf_counter() - start)
    return best[0] * 1e6, best[1] * 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget-s", type=float, default=0.5, help="seconds for each row")
    budget_s = parser.parse_args().budget_s
    numpy_kernels, numba_kernels = {k.op: k.fn for k in build(np)}, {k.op: k for k in kernels()}
    print("| kernel | large operand | numpy [us] | numba [us] | ratio |\n|---|---|---|---|---|")
    for dtype in ("float32", "float64"):
        for op, shape, operands in samples(dtype):
            kernel = numba_kernels[op]

            # The time includes the predicate. Its result is ignored, so that the table also has operands it rejects.
            def with_predicate(kernel: Any = kernel, operands: Any = operands) -> None:
                kernel.when(*operands)
                kernel.fn(*operands)

            a, b = best_us(lambda fn=numpy_kernels[op], operands=operands: fn(*operands), with_predicate, budget_s)
            print(f"| {op} | {dtype}[{', '.join(map(str, shape))}] | {a:.1f} | {b:.1f} | {b / a:.2f} |", flush=True)


if __name__ == "__main__":
    main()
