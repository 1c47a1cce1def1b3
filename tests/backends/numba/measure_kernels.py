"""Time numba's kernels against numpy's; prints the table of docs/backends/numba.md. A program, not a test."""

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
    """Ops, the shape of their large operand, and operands."""
    rng = np.random.default_rng(0)
    for shape in ROWS:
        x = (4 * rng.standard_normal(shape)).astype(dtype)
        labels, g = rng.integers(0, shape[1], shape[0], "int32"), np.ones(shape[0], dtype)
        yield "softmax", shape, (x,)
        yield "sparse_softmax_cross_entropy_with_logits", shape, (labels, x)
        yield "softmax_cross_entropy_gradient", shape, (g, labels, x)
    for n in LENGTHS:
        slots = [rng.random(n).astype(dtype) for _ in range(4)]
        yield "adam_update", (n,), (*slots, np.asarray(1e-3, dtype), np.asarray(3))


def best_us(first: Callable[[], Any], second: Callable[[], Any], budget_s: float) -> tuple[float, float]:
    """The fastest call of each, in microseconds; they alternate, so that a busy moment meets both."""
    found = [float("inf"), float("inf")]
    first(), second()  # warm caches, and compile
    end = time.perf_counter() + budget_s
    while time.perf_counter() < end:
        for k, call in enumerate((first, second)):
            start = time.perf_counter()
            call()
            found[k] = min(found[k], time.perf_counter() - start)
    return found[0] * 1e6, found[1] * 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget-s", type=float, default=0.5, help="seconds for each row")
    budget_s = parser.parse_args().budget_s
    plain, compiled = {k.op: k.fn for k in build(np)}, {k.op: k for k in kernels()}
    print("| kernel | large operand | numpy [us] | numba [us] | ratio |\n|---|---|---|---|---|")
    for dtype in ("float32", "float64"):
        for op, shape, operands in samples(dtype):
            kernel = compiled[op]

            # The predicate is part of the price; its answer is not asked, to show what it turns down.
            def guarded(kernel: Any = kernel, operands: Any = operands) -> None:
                kernel.when(*operands)
                kernel.fn(*operands)

            a, b = best_us(lambda fn=plain[op], operands=operands: fn(*operands), guarded, budget_s)
            print(f"| {op} | {dtype}[{', '.join(map(str, shape))}] | {a:.1f} | {b:.1f} | {b / a:.2f} |", flush=True)


if __name__ == "__main__":
    main()
