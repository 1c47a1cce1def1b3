"""Time the Numba kernels against the NumPy kernels and print the table of docs/backends/numba.md. This is a program."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from polytape_numba.kernels import kernels
from polytape_numpy.kernels import build

ROWS = [(2, 5), (10, 100), (1000, 1000), (10_000, 10)]
LENGTHS = [10, 1000, 1_000_000]
ONE = ("sigmoid", "softplus", "silu", "gelu", "elu", "erf", "lgamma")
TWO = ("relu_gradient", "sigmoid_gradient", "silu_gradient", "gelu_gradient", "elu_gradient")
REDUCED = ("sum", "max", "prod")


def samples(dtype: str) -> Iterator[tuple[str, tuple[int, ...], tuple[Any, ...], dict[str, Any]]]:
    """The measured calls: an op, the shape of its large operand, its operands and attributes."""
    rng = np.random.default_rng(0)
    real = np.dtype(dtype)
    for n in LENGTHS:
        x, y = rng.uniform(0.5, 1.5, n).astype(dtype), rng.uniform(0.5, 1.5, n).astype(dtype)
        yield from ((op, (n,), (x,), {}) for op in ONE)
        yield from ((op, (n,), (x, y), {}) for op in TWO)
        yield "power", (n,), (x, np.asarray(5.0, dtype)), {}
        yield from ((op, (n,), (x,), {} if op == "max" else {"dtype": real}) for op in REDUCED)
        yield "top_k", (n,), (x,), {"k": 5}
        slots = [rng.random(n).astype(dtype) for _ in range(4)]
        scalars = np.asarray(1e-3, dtype), np.asarray(3), np.asarray([0.9, 0.999, 1e-7, 0.0])
        yield "adam_update", (n,), (*slots, *scalars), {}
    for shape in ROWS:
        x = (4 * rng.standard_normal(shape)).astype(dtype)
        w = rng.uniform(0.5, 1.5, shape[1]).astype(dtype)
        labels, g = rng.integers(0, shape[1], shape[0], "int32"), np.ones(shape[0], dtype)
        yield "softmax", shape, (x,), {}
        yield "sparse_softmax_cross_entropy_with_logits", shape, (labels, x), {}
        yield "softmax_cross_entropy_gradient", shape, (g, labels, x), {}
        yield "sum", shape, (x,), {"axis": 0, "dtype": real}
        yield "mean", shape, (x,), {"axis": -1}
        yield "var", shape, (x,), {"axis": -1}
        yield "layer_norm", shape, (x, w, w), {}
        yield "layer_norm_gradients", shape, (x, x, w), {}
        yield "batch_norm", shape, (x, w, w, w, w), {}
        yield "batch_norm_gradient", shape, (x, x, w), {}
    for shape in ((2, 8, 8, 8), (16, 32, 32, 64)):
        x, w = rng.standard_normal(shape).astype(dtype), rng.standard_normal((3, 3, 1, shape[3])).astype(dtype)
        plain: dict[str, Any] = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "lhs_dilation": (1, 1)}
        plain |= {"rhs_dilation": (1, 1), "data_format": "channels_last"}
        yield "conv", shape, (x, w), {**plain, "groups": shape[3]}
        yield "conv_weight_gradient", shape, (x, x), {**plain, "groups": shape[3], "window": (3, 3)}
        pool: dict[str, Any] = {"size": (2, 2), "stride": (2, 2), "padding": ((0, 0), (0, 0))}
        pool |= {"dilation": (1, 1), "axes": (1, 2)}
        y = x.reshape(shape[0], shape[1] // 2, 2, shape[2] // 2, 2, shape[3]).max((2, 4))
        yield "max_pool", shape, (x,), pool
        yield "max_pool_gradient", shape, (y, x, y), pool
        yield "masked_scale", shape, (x, x > 0), {"scale": 1.25}
        state = np.array([7, 0], "uint64")
        yield "random_uniform", shape, (state,), {"shape": shape, "dtype": np.dtype(dtype), "device": None}
        yield "random_mask", shape, (state,), {"rate": 0.2, "shape": shape, "device": None}


def serving(kernels: list[Any], op: str, dtype: str) -> Any:
    """The first kernel of an op that serves operands of a dtype."""
    served = ("any", "floating", dtype)
    return next(k for k in kernels if k.op == op and any(part in served or dtype in part for part in k.dtypes))


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
    parser.add_argument("--budget-s", type=float, default=0.2, help="seconds for each row (default 0.2)")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32", help="(default %(default)s)")
    options = parser.parse_args()
    of_numpy, of_numba = build(np), kernels()
    print("| kernel | large operand | numpy [us] | numba [us] | ratio |\n|---|---|---|---|---|")
    for op, shape, operands, attributes in samples(options.dtype):
        try:
            ours, theirs = (serving(found, op, options.dtype) for found in (of_numba, of_numpy))
        except StopIteration:
            continue  # there is no kernel for the dtype

        # The time includes the predicate. Its result is ignored, so that the table also has operands it rejects.
        def with_predicate(kernel: Any = ours, operands: Any = operands, attributes: Any = attributes) -> None:
            if kernel.when is not None:
                kernel.when(*operands, **attributes)
            kernel.fn(*operands, **attributes)

        a, b = best_us(partial(theirs.fn, *operands, **attributes), with_predicate, options.budget_s)
        note = f", {', '.join(f'{name}={attributes[name]}' for name in ('axis', 'groups') if name in attributes)}"
        shown = f"{options.dtype}[{', '.join(map(str, shape))}]{note.rstrip(', ')}"
        print(f"| {op} | {shown} | {a:.1f} | {b:.1f} | {b / a:.2f} |", flush=True)


if __name__ == "__main__":
    main()
