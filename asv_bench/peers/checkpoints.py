"""Compare saving and restoring with safetensors' own: `python asv_bench/peers/checkpoints.py [--folder FOLDER]`.

Both write the same tensors to one file in the folder, which should be on a disk: 64 MB in 16 tensors, and 1,000 tensors
of 1 kB. With fsync, both replace the older file in the order that no crash can spoil: what `save_file` wrote is flushed
and renamed, and the directory flushed; "flushed after" instead flushes what `save_file` put into place itself. Without
fsync, polytape's calls of it do nothing. polytape restores variables; safetensors returns arrays, whose
checksums the same function computes. "Again" restores a file whose names and shapes the process has read before, as
those of other checkpoints of one training; "first" makes polytape forget them each time. Every sample of one is
followed by one of the other; the ratios of the medians and of the minima are printed. Also: how long it takes to open a
file of 400 MB and to read one small tensor in it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from safetensors.numpy import load_file, save_file

import polytape as pt
from polytape.checkpoint import objects, parsing
from polytape.checkpoint.checksums import crc32
from polytape.checkpoint.format import open_tensors, write_tensors

__all__ = ["main"]

Pair = tuple[Callable[[], object], Callable[[], object]]
SIZES = {"64 MB in 16 tensors": (16, 1 << 20), "1,000 tensors of 1 kB": (1000, 256)}


def flush(path: str) -> None:
    """Flush a file, or the entries of a directory."""
    descriptor = os.open(path, os.O_RDONLY)
    (os.fsync if os.path.isdir(path) else os.fdatasync)(descriptor)
    os.close(descriptor)


@contextmanager
def no_flush() -> Iterator[None]:
    """Calls of `os.fsync` and `os.fdatasync` do nothing."""
    # Not by mock.patch, which takes as long as a tenth of a save.
    functions = {name: getattr(os, name) for name in ("fsync", "fdatasync") if hasattr(os, name)}
    try:
        for name in functions:
            setattr(os, name, lambda descriptor: None)
        yield
    finally:
        for name, function in functions.items():
            setattr(os, name, function)


def pairs(folder: str, count: int, elements: int) -> dict[str, Pair]:
    """What polytape and safetensors do, by name."""
    generator = np.random.default_rng(0)
    arrays = {f"layer{index}/kernel": generator.standard_normal(elements).astype("f4") for index in range(count)}
    checkpoint = pt.Checkpoint(**{"model": {name: pt.Variable(array) for name, array in arrays.items()}})
    ours, theirs = os.path.join(folder, "ours.safetensors"), os.path.join(folder, "theirs.safetensors")
    checkpoint.write(ours)
    save_file(arrays, theirs)

    def write_only() -> None:
        with no_flush():
            checkpoint.write(ours)

    def replace_safely() -> None:
        new = os.path.join(folder, "new.safetensors")
        save_file(arrays, new)
        flush(new)
        os.replace(new, theirs)
        flush(folder)

    def flush_after() -> None:
        save_file(arrays, theirs)
        flush(theirs)
        flush(folder)

    def load_and_verify() -> None:
        for array in load_file(theirs).values():
            crc32(array.reshape(-1).view(np.uint8), 0)

    def first(verify: bool) -> None:
        objects.remembered.clear()
        parsing.remembered.clear()
        checkpoint.restore(ours, verify=verify)

    return {
        "save": (write_only, lambda: save_file(arrays, theirs)),
        "save, with fsync": (lambda: checkpoint.write(ours), replace_safely),
        "save, flushed after": (lambda: checkpoint.write(ours), flush_after),
        "first restore, verified": (lambda: first(True), load_and_verify),
        "first restore, verify=False": (lambda: first(False), lambda: load_file(theirs)),
        "restore again, verified": (lambda: checkpoint.restore(ours), load_and_verify),
        "restore again, verify=False": (lambda: checkpoint.restore(ours, verify=False), lambda: load_file(theirs)),
    }


def seconds(run: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """How long one call takes."""
    start = clock()
    run()
    return clock() - start


def opening_s(folder: str, repeats: int) -> float:
    """The median time to open a file of 400 MB and to read a small tensor."""
    path = os.path.join(folder, "large.safetensors")
    tensors = {f"large{index}": np.zeros(1 << 20, "f4") for index in range(100)}
    write_tensors(path, {**tensors, "small": np.ones(3)}, {})

    def read() -> None:
        with open_tensors(path) as file:
            assert file.read("small").sum() == 3.0

    return statistics.median([seconds(read) for _ in range(repeats)])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", help="where the files are written; default: the system's for temporary files")
    parser.add_argument("--repeats", type=int, default=30, help="samples of each (default 30)")
    parser.add_argument("--processor", action="store_true", help="processor time of this thread, on a busy machine")
    options = parser.parse_args()
    clock = time.thread_time if options.processor else time.perf_counter
    print(f"checksums by {crc32.__module__}")
    print("| what | polytape [ms] | safetensors [ms] | ratio of medians | of minima |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for size, (count, elements) in SIZES.items():
            for name, (ours, theirs) in pairs(folder, count, elements).items():
                samples = [(seconds(ours, clock), seconds(theirs, clock)) for _ in range(options.repeats)]
                medians = [statistics.median(times) * 1e3 for times in zip(*samples, strict=True)]
                minima = [min(times) * 1e3 for times in zip(*samples, strict=True)]
                ratios = f"{medians[0] / medians[1]:.2f}x | {minima[0] / minima[1]:.2f}x"
                print(f"| {name}, {size} | {medians[0]:.2f} | {medians[1]:.2f} | {ratios} |", flush=True)
        print(f"opening 400 MB and reading a small tensor: {opening_s(folder, options.repeats) * 1e3:.2f} ms")


if __name__ == "__main__":
    main()
