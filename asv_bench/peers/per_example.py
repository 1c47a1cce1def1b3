"""Time gradients per example, by `polytape.vmap`, beside a loop and PyTorch's: `python asv_bench/peers/per_example.py`.

The gradient of each image's loss with respect to all parameters of a small network: by ``vmap`` of a function that
opens a tape, run eagerly and traced; by a Python loop of gradients over the images; and by ``torch.func``'s ``vmap`` of
``grad``. All run in one process on one thread, in turns; the times are the processor's. Without PyTorch, the other
times are printed alone.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from interleave import interleaved, median

__all__ = ["main"]

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
Call = Callable[[], Any]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", default="numpy,numba", help="(default numpy,numba)")
    parser.add_argument("--batch", type=int, default=64, help="examples (default 64)")
    parser.add_argument("--batches", type=int, default=11, help="samples of each (default 11)")
    options = parser.parse_args()
    os.environ.update(dict.fromkeys(THREADS, "1"))
    rng = np.random.default_rng(0)
    images = rng.random((options.batch, 8, 8, 1), dtype="float32")
    labels = rng.integers(0, 10, options.batch)
    print("| network | backend | vmap [us] | traced [us] | loop [us] | torch [us] | vmap / loop |", end="")
    print(" traced / loop | traced / torch |\n|---|---|---|---|---|---|---|---|---|")
    for kind in SHAPES:
        parameters = [rng.standard_normal(shape).astype("float32") * 0.1 for shape in SHAPES[kind]]
        theirs = torch_gradients(kind, parameters, images, labels)
        for backend in options.backends.split(","):
            contestants = our_gradients(kind, parameters, images, labels, backend)
            if theirs is not None:
                contestants["torch"] = theirs
                compare(contestants["traced"](), theirs())
            samples = interleaved(contestants, options.batches, 0.05, time.process_time)
            times = {name: median(x) * 1e6 for name, x in samples.items()}
            figures = " | ".join(f"{times.get(name, 0.0):.0f}" for name in ("vmap", "traced", "loop", "torch"))
            ratio = f"{times['traced'] / times['torch']:.2f}" if "torch" in times else ""
            ours = " | ".join(f"{times[name] / times['loop']:.3f}" for name in ("vmap", "traced"))
            print(f"| {kind} | {backend} | {figures} | {ours} | {ratio} |")


# Weights in polytape's order; [out, in, ...] in PyTorch's.
SHAPES: dict[str, list[tuple[int, ...]]] = {
    "linear": [(64, 10), (10,)],
    "mlp": [(64, 128), (128,), (128, 10), (10,)],
    "cnn": [(3, 3, 1, 16), (16,), (256, 10), (10,)],
}


def our_gradients(kind: str, arrays: list[Any], images: Any, labels: Any, backend: str) -> dict[str, Call]:
    """The contestants of polytape."""
    import polytape as pt

    pt.set_backend(backend)
    x, y = pt.asarray(images), pt.asarray(labels)
    parameters = [pt.asarray(array) for array in arrays]

    def loss(parameters: list[Any], image: Any, label: Any) -> Any:
        *first, v, c = parameters
        hidden = image
        if kind == "mlp":
            hidden = pt.nn.relu(pt.reshape(image, (-1,)) @ first[0] + first[1])
        elif kind == "cnn":
            hidden = pt.nn.max_pool(pt.nn.relu(pt.nn.conv(image[None], first[0], padding="same") + first[1]), 2)
        logits = pt.reshape(hidden, (-1,)) @ v + c
        return pt.nn.sparse_softmax_cross_entropy_with_logits(label, logits)

    def gradient(parameters: list[Any], image: Any, label: Any) -> Any:
        with pt.GradientTape() as tape:
            tape.watch(parameters)
            value = loss(parameters, image, label)
        return tape.gradient(value, parameters)

    mapped = pt.vmap(gradient, in_axes=(None, 0, 0))
    traced = pt.function(mapped)

    def loop() -> Any:
        rows = [gradient(parameters, x[k], y[k]) for k in range(len(images))]
        return [pt.stack(column) for column in zip(*rows, strict=True)]

    def placed(call: Call) -> Call:
        def run() -> Any:
            with pt.device(backend):
                return call()

        return run

    return {
        "vmap": placed(lambda: mapped(parameters, x, y)),
        "traced": placed(lambda: traced(parameters, x, y)),
        "loop": placed(loop),
    }


def torch_gradients(kind: str, arrays: list[Any], images: Any, labels: Any) -> Call | None:
    """The same with PyTorch; None without it."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    functional: Any = torch.nn.functional
    *first, v, c = (torch.from_numpy(array) for array in arrays)
    # In the order of PyTorch: [out, in], or [out, in, height, width], with images whose channels come first.
    if kind == "mlp":
        first = [first[0].T.contiguous(), first[1]]
    elif kind == "cnn":  # the elements of an image are flattened with its channels first
        first = [first[0].permute(3, 2, 0, 1).contiguous(), first[1]]
        v = v.reshape(4, 4, 16, 10).permute(2, 0, 1, 3).reshape(256, 10)
    parameters = [*first, v.T.contiguous(), c]
    x = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    y = torch.from_numpy(labels)

    def loss(parameters: list[Any], image: Any, label: Any) -> Any:
        *first, v, c = parameters
        hidden = image
        if kind == "mlp":
            hidden = functional.relu(functional.linear(image.reshape(-1), *first))
        elif kind == "cnn":
            hidden = functional.max_pool2d(functional.relu(functional.conv2d(image[None], *first, padding="same")), 2)
        return functional.cross_entropy(functional.linear(hidden.reshape(-1), v, c)[None], label[None])

    mapped = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))
    return lambda: mapped(parameters, x, y)


def compare(ours: list[Any], theirs: list[Any]) -> None:
    """Raise AssertionError if the gradients of the biases, which both libraries have in one order, differ."""
    for k in range(1, len(ours), 2):
        np.testing.assert_allclose(ours[k].numpy(), theirs[k].numpy(), rtol=1e-3, atol=1e-5)


if __name__ == "__main__":
    main()
