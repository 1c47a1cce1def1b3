"""How fast each device multiplies matrices: every device of every backend that is ready.

    python examples/matmul_benchmark.py --sizes 200 1000

The best of several runs, in billions of floating-point operations per second: a product of two matrices of n x n takes
n * n * (2 n - 1). Devices may queue their work, so the clock stops after ``pt.synchronize``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import common
import polytape as pt

__all__ = ["main", "seconds_per_product"]


def seconds_per_product(x: pt.Tensor, calls: int, repeats: int = 5) -> float:
    """The time of one ``x @ x`` in seconds, the best of ``repeats`` runs of ``calls`` calls each."""
    best = float("inf")
    x @ x  # loads the kernel
    for _ in range(repeats):
        pt.synchronize(x.device)
        begin = time.perf_counter()
        for _ in range(calls):
            x @ x
        pt.synchronize(x.device)
        best = min(best, (time.perf_counter() - begin) / calls)
    return best


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row per device and size."""
    parser = common.options(__doc__)
    number = common.positive(int)
    parser.add_argument("--sizes", type=number, nargs="+", default=[2, 100, 1000], metavar="N", help="of the matrices")
    parser.add_argument("--calls", type=number, default=10, metavar="N", help="products per run")
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float32", help="of the elements")
    options = parser.parse_args(arguments)
    print(f"{'device':16} {'n':>6} {'time [us]':>12} {'Gflop/s':>10}")
    for backend in pt.backends():
        if backend.status != "ready":
            print(f"{backend.name}: {backend.status}{': ' if backend.reason else ''}{backend.reason}")
            continue
        for device in backend.devices:
            for size in options.sizes:
                x = pt.ones((size, size), dtype=options.dtype, device=device)
                seconds = seconds_per_product(x, options.calls)
                rate = size * size * (2 * size - 1) / seconds / 1e9
                print(f"{device!s:16} {size:6} {seconds * 1e6:12.2f} {rate:10.3f}")


if __name__ == "__main__":
    common.run(main)
