"""Time per sample of a pipeline over an array beside torch's DataLoader: `python asv_bench/peers/data_pipeline.py`.

60,000 samples of 784 numbers with labels, shuffled, scaled to float32 in a function, in batches of 128. torch reads a
TensorDataset whose samples a function scales, and stacks them (``num_workers=0``); polytape shuffles indices, and the
function gets a row at a time, or a batch. The contestants take turns in one process, one epoch each.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

__all__ = ["main"]

SAMPLES, FEATURES, BATCH = 60_000, 784, 128


def torch_loader(x: Any, y: Any, per_batch: bool) -> Iterable[Any]:
    """torch's DataLoader over a dataset with a function of each sample, or the same function of each batch."""
    import torch

    pairs = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))

    class Scaled(torch.utils.data.Dataset):  # type: ignore[type-arg]  # torch's own examples leave it out
        def __len__(self) -> int:
            return len(pairs)

        def __getitem__(self, index: int) -> Any:
            sample, label = pairs[index]
            return sample.float() / 255, label

    if per_batch:
        loader = torch.utils.data.DataLoader(pairs, BATCH, shuffle=True)
        return MappedBatches(loader)
    return torch.utils.data.DataLoader(Scaled(), BATCH, shuffle=True)


class MappedBatches:
    """Batches of a DataLoader, scaled one by one."""

    def __init__(self, loader: Iterable[Any]) -> None:
        self.loader = loader

    def __iter__(self) -> Any:
        return ((x.float() / 255, y) for x, y in self.loader)


def polytape_dataset(x: Any, y: Any, how: str) -> Iterable[Any]:
    """polytape's Dataset; the function gets a sample, several of them at once, or a batch."""
    import polytape as pt

    def scale(x: Any, y: Any) -> Any:
        return x / 255, y  # an integer by a number is float32

    ds = pt.data.Dataset.from_tensor_slices((x, y)).shuffle()
    if how == "after batch":
        return ds.batch(BATCH).map(scale)
    return ds.map(scale, batched=how == "batched").batch(BATCH)


def epoch_s(loader: Iterable[Any]) -> float:
    """Seconds of one pass, in CPU time of the process: other processes run on the same cores."""
    start = time.process_time()
    n = 0
    for batch, labels in loader:
        n += labels.shape[0]
        assert str(batch.dtype).endswith("float32")
    assert n == SAMPLES
    return time.process_time() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=5, help="of each contestant (default 5)")
    parser.add_argument("--dtype", default="uint8", choices=["uint8", "float32"], help="of the array (default uint8)")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    generator = np.random.default_rng(0)
    x = generator.integers(0, 256, (SAMPLES, FEATURES)).astype(options.dtype)
    y = generator.integers(0, 10, SAMPLES)
    import torch

    torch.set_num_threads(1)
    contestants: dict[str, Callable[[], Iterable[Any]]] = {
        "torch, a function of each sample": lambda: torch_loader(x, y, per_batch=False),
        "torch, a function of each batch": lambda: torch_loader(x, y, per_batch=True),
        "polytape, a function of each sample": lambda: polytape_dataset(x, y, "sample"),
        "polytape, map(batched=True)": lambda: polytape_dataset(x, y, "batched"),
        "polytape, map after batch": lambda: polytape_dataset(x, y, "after batch"),
    }
    loaders = {name: make() for name, make in contestants.items()}
    times: dict[str, list[float]] = {name: [] for name in loaders}
    for _ in range(options.epochs):
        for name, loader in loaders.items():
            times[name].append(epoch_s(loader))
    base = statistics.median(times["torch, a function of each sample"])
    print("| pipeline | us per sample, median (min to max) | times torch's |\n|---|---|---|")
    for name, seconds in times.items():
        low, middle, high = (t / SAMPLES * 1e6 for t in (min(seconds), statistics.median(seconds), max(seconds)))
        print(f"| {name} | {middle:.3f} ({low:.3f} to {high:.3f}) | {statistics.median(seconds) / base:.3f} |")


if __name__ == "__main__":
    main()
