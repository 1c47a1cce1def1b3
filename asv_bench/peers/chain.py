"""Time traced programs that are fused, beside the same ops one by one and `jax.jit`: `python asv_bench/peers/chain.py`.

Everything runs on one thread, in turns, in one process. The ratios are of processor times, so that other processes
disturb them little.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from interleave import interleaved

__all__ = ["main"]


def chain(m: Any, x: Any) -> Any:
    """Eight elementwise ops."""
    return m.tanh(x * 0.5 + 1.0) * x - m.exp(-x * x)


def softmax(m: Any, x: Any) -> Any:
    """A softmax of rows, written out."""
    y = m.exp(x - m.max(x, axis=-1, keepdims=True))
    return y / m.sum(y, axis=-1, keepdims=True)


def layer_norm(m: Any, x: Any) -> Any:
    """A normalization of rows, written out."""
    distance = x - m.mean(x, axis=-1, keepdims=True)
    return distance / m.sqrt(m.mean(m.square(distance), axis=-1, keepdims=True) + 1e-5)


def loss(m: Any, x: Any) -> Any:
    """A mean of squares of elementwise ops."""
    return m.mean(m.square(m.tanh(x) * 2.0 - x))


ROWS = {
    "eight elementwise ops, 10,000,000": (chain, (10_000_000,)),
    "softmax, 4,096 x 1,024": (softmax, (4096, 1024)),
    "layer normalization, 4,096 x 1,024": (layer_norm, (4096, 1024)),
    "mean of squares, 4,000,000": (loss, (4_000_000,)),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=15, help="of each contestant")
    options = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # both are read once
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    import jax
    import jax.numpy as jnp
    import numpy as np

    import polytape as pt

    print("| float32 | on numpy | on numba | numpy / eager | numpy / jax.jit | numba / eager | numba / jax.jit |")
    print("|---|---|---|---|---|---|---|")
    for name, (program, shape) in ROWS.items():
        host = np.random.default_rng(0).standard_normal(shape).astype("float32")
        calls: dict[str, Callable[[], object]] = {}
        for device in ("numpy", "numba"):
            x, traced = pt.asarray(host, device=device), pt.function(lambda x, program=program: program(pt, x))
            calls[device] = lambda x=x, traced=traced: traced(x)
            if device == "numpy":
                calls["eager"] = lambda x=x, program=program: program(pt, x)
        y, compiled = jnp.asarray(host), jax.jit(lambda y, program=program: program(jnp, y))
        calls["jax"] = lambda y=y, compiled=compiled: compiled(y).block_until_ready()
        samples = interleaved(calls, options.samples, 0.02, clock=time.process_time)
        t = {label: statistics.median(values) for label, values in samples.items()}
        ratios = [t[device] / t[peer] for device in ("numpy", "numba") for peer in ("eager", "jax")]
        times = f"{t['numpy'] * 1e3:.1f} ms | {t['numba'] * 1e3:.1f} ms"
        print(f"| {name} | {times} | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |")


if __name__ == "__main__":
    main()
