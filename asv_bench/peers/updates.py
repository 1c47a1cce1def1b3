"""Time Adam steps with and without another Python thread: `python asv_bench/peers/updates.py`.

Each process times one backend. It takes turns: a batch of steps alone, then a batch while a thread waits for an event.
With ``--variables 200``, it times a step on so many small variables instead, in turns with those of PyTorch; with
``--rows 512``, a step on so many rows of a table; with ``--optimizers``, steps of each optimizer on numpy and numba.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

__all__ = ["main"]

BATCHES = 15


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", default="numpy", help="(default numpy)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 10_000, 1_000_000], help="parameters per variable")
    parser.add_argument("--variables", type=int, help="time a step on so many variables of 16 to 512 parameters")
    parser.add_argument("--rows", type=int, help="time a step on so many of 200,000 rows of 64 parameters")
    parser.add_argument("--optimizers", action="store_true", help="time each optimizer on numpy and numba")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    sys.path.insert(0, str(Path(__file__).parents[2] / "perf"))  # the checkout's programs, whatever is installed
    if options.variables:
        many(options.backend, options.variables)
        return
    if options.optimizers:
        optimizers()
        return
    if options.rows:
        rows(options.backend, options.rows)
        return
    from polytape_perf.cases.workloads import AdamStep

    print("| parameters | alone [us] | with an idle thread [us] | ratio |\n|---|---|---|---|")
    for size in options.sizes:
        adam = AdamStep(options.backend, size)
        batch(adam)
        alone, beside = [], []
        for _ in range(BATCHES):
            alone.append(batch(adam))
            done = threading.Event()
            thread = threading.Thread(target=done.wait)
            thread.start()
            time.sleep(0.01)  # until it waits
            beside.append(batch(adam))
            done.set()
            thread.join()
        first, second = statistics.median(alone), statistics.median(beside)
        print(f"| {size:,} | {first:,.1f} | {second:,.1f} | {second / first:.2f} |")


def many(backend: str, count: int) -> None:
    """Time a step on ``count`` small variables beside PyTorch's Adam in its three forms."""
    import numpy as np
    import torch

    import polytape as pt

    torch.set_num_threads(1)
    shapes = ((16,), (8, 16), (32,), (64, 8))
    generator = np.random.default_rng(0)
    starts = [generator.standard_normal(shapes[number % len(shapes)]).astype("f4") for number in range(count)]
    gradients = [generator.standard_normal(start.shape).astype("f4") for start in starts]
    adam = pt.optim.Adam(1e-3)
    pairs = [
        (pt.asarray(g, device=backend), pt.Variable(x, device=backend)) for g, x in zip(gradients, starts, strict=True)
    ]
    calls: dict[str, Any] = {"polytape": lambda: adam.apply_gradients(pairs)}
    for name, options in (("a loop", {"foreach": False}), ("foreach", {"foreach": True}), ("fused", {"fused": True})):
        parameters = [torch.nn.Parameter(torch.tensor(start)) for start in starts]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = torch.tensor(gradient)
        calls[f"torch, {name}"] = torch.optim.Adam(parameters, lr=1e-3, **options).step
    report(f"Adam on {count} variables", calls)


def rows(backend: str, count: int) -> None:
    """Time a step on ``count`` rows of a table beside PyTorch's, and one that has to copy the table."""
    import numpy as np
    import torch

    import polytape as pt

    torch.set_num_threads(1)
    shape = (200_000, 64)
    positions = np.random.default_rng(0).integers(0, shape[0], count)
    ones = np.ones((count, shape[1]), "f4")
    table = pt.Variable(np.zeros(shape, "f4"), device=backend)
    slices = pt.IndexedSlices(pt.asarray(ones, device=backend), pt.asarray(positions, device=backend), shape)
    adam, sgd = pt.optim.Adam(1e-3), pt.optim.SGD(1e-3)
    parameter = torch.nn.Parameter(torch.zeros(shape))
    indices = torch.tensor(positions)[None]
    parameter.grad = torch.sparse_coo_tensor(indices, torch.tensor(ones), shape, check_invariants=True)

    def copying() -> None:
        kept = table.read_value()
        sgd.apply_gradients([(slices, table)])
        del kept

    calls = {
        "polytape, Adam": lambda: adam.apply_gradients([(slices, table)]),
        "torch.optim.SparseAdam": torch.optim.SparseAdam([parameter], lr=1e-3).step,
        "polytape, SGD": lambda: sgd.apply_gradients([(slices, table)]),
        "polytape, SGD, while something else refers to the table": copying,
        "torch.optim.SGD": torch.optim.SGD([parameter], lr=1e-3).step,
    }
    report(f"{count} rows of float32{list(shape)}", calls)


def optimizers() -> None:
    """Time a step of each optimizer on one variable, by numpy and by numba."""
    import numpy as np
    from interleave import interleaved, median

    import polytape as pt

    makers = {
        name: getattr(pt.optim, name)
        for name in ("Adam", "Adamax", "Nadam", "Adagrad", "RMSProp", "Adadelta", "Ftrl", "Lion")
    }
    makers |= {
        "SGD": lambda: pt.optim.SGD(0.01),
        "SGD, momentum": lambda: pt.optim.SGD(0.01, momentum=0.9),
        "Adam, amsgrad": lambda: pt.optim.Adam(amsgrad=True),
        "RMSProp, centered": lambda: pt.optim.RMSProp(centered=True),
        "ProximalGradientDescent": lambda: pt.optim.ProximalGradientDescent(0.01, l1=0.1),
        "ProximalAdagrad": lambda: pt.optim.ProximalAdagrad(0.01, l1=0.1),
    }
    print("| optimizer | parameters | numpy [us] | numba [us] | ratio |\n|---|---|---|---|---|")
    for name, make in makers.items():
        for size in (1000, 1_000_000):
            calls: dict[str, Any] = {}
            for backend in ("numpy", "numba"):
                values = np.random.default_rng(0).standard_normal(size).astype("f4")
                pair = pt.asarray(values, device=backend), pt.Variable(values, device=backend)
                calls[backend] = partial(make().apply_gradients, [pair])
                calls[backend]()  # the first step of a type copies, and numba compiles
            samples = interleaved(calls, BATCHES, 0.05)
            ours, theirs = (median(times) * 1e6 for times in samples.values())
            print(f"| {name} | {size:,} | {ours:,.0f} | {theirs:,.0f} | {theirs / ours:.2f} |")


def report(title: str, calls: dict[str, Any]) -> None:
    """Time the calls in turns, and print them with the ratios of the first one's times to theirs."""
    from interleave import interleaved, median, ratio_spread

    samples = interleaved(calls, BATCHES, 0.2)
    first = next(iter(samples))
    print(f"| {title} | us | {first} by this one |\n|---|---|---|")
    for name, times in samples.items():
        low, high = ratio_spread(samples[first], times)
        ratio = median(samples[first]) / median(times)
        print(f"| {name} | {median(times) * 1e6:,.0f} | {ratio:.2f}x ({low:.2f} to {high:.2f}) |")


def batch(adam: Any) -> float:
    """Microseconds per step."""
    step = adam.step
    steps = min(1000, max(40, 10_000_000 // adam.gradient.size))
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - start) / steps * 1e6


if __name__ == "__main__":
    main()
