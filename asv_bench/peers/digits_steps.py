"""Time training steps of the digits example's networks beside PyTorch's: `python asv_bench/peers/digits_steps.py`.

A step is eager: forward pass with dropout, cross entropy, gradients and Adam, on a batch of images of 8 x 8 pixels.
Both libraries run in one process on one thread, in turns. Images have their channels last in polytape and first in
PyTorch, each library's own default. Without PyTorch, polytape's times are printed alone.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from interleave import interleaved, median

__all__ = ["main"]

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", default="numpy,numba", help="(default numpy,numba)")
    parser.add_argument("--batch", type=int, default=32, help="images per step (default 32)")
    parser.add_argument("--batches", type=int, default=21, help="samples of each (default 21)")
    options = parser.parse_args()
    os.environ.update(dict.fromkeys(THREADS, "1"))
    rng = np.random.default_rng(0)
    images = rng.random((options.batch, 8, 8, 1), dtype="float32")
    labels = rng.integers(0, 10, options.batch)
    print("| network | backend | polytape [us] | torch [us] | ratio |\n|---|---|---|---|---|")
    for kind in ("mlp", "cnn"):
        theirs = torch_step(kind, images, labels)
        for backend in options.backends.split(","):
            contestants = {"polytape": our_step(kind, images, labels, backend)}
            if theirs is not None:
                contestants["torch"] = theirs
            samples = interleaved(contestants, options.batches, 0.02)
            times = {name: median(values) * 1e6 for name, values in samples.items()}
            ratio = f"{times['polytape'] / times['torch']:.2f}" if "torch" in times else ""
            print(f"| {kind} | {backend} | {times['polytape']:.0f} | {times.get('torch', 0.0):.0f} | {ratio} |")


def our_step(kind: str, images: Any, labels: Any, backend: str) -> Callable[[], Any]:
    """A step of the network in examples/digits.py."""
    import polytape as pt

    pt.set_backend(backend)
    layers = pt.nn
    if kind == "mlp":
        model = layers.Sequential(
            layers.Flatten(), layers.Dense(128, activation=layers.relu), layers.Dropout(0.2), layers.Dense(10)
        )
    else:
        model = layers.Sequential(
            layers.Conv2D(16, 3, padding="same", activation=layers.relu),
            layers.MaxPool2D(2),
            layers.Conv2D(32, 3, padding="same", activation=layers.relu),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(10),
        )
    x, y = pt.asarray(images), pt.asarray(labels)
    model(x)
    variables, optimizer = model.trainable_variables, pt.optim.Adam(1e-6)

    def step() -> Any:
        with pt.device(backend):
            with pt.GradientTape() as tape:
                logits = model(x, training=True)
                loss = pt.mean(pt.nn.sparse_softmax_cross_entropy_with_logits(y, logits))
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            return loss

    step()
    return step


def torch_step(kind: str, images: Any, labels: Any) -> Callable[[], Any] | None:
    """The same step in PyTorch; None without it."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    nn: Any = torch.nn
    if kind == "mlp":
        layers = [nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10)]
    else:
        layers = [nn.Conv2d(1, 16, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2)]
        layers += [nn.Conv2d(16, 32, 3, padding="same"), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(512, 10)]
    model = nn.Sequential(*layers)
    x = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    y = torch.from_numpy(labels)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-6)

    def step() -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    step()
    return step


if __name__ == "__main__":
    main()
