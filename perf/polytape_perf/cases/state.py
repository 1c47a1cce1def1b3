"""Checkpoints, with real files; transfers between the host, the device and other ones; data pipelines."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any, Final

import numpy as np

import polytape as pt

from .case import Call, Case, Skipped, check, numbers

__all__ = ["CASES"]


def _folder(call: Call) -> Path:
    """A folder that is removed with the call."""
    folder = tempfile.mkdtemp(prefix="polytape-perf-")
    weakref.finalize(call, shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def checkpoint(device: str) -> Call:
    """Save and restore ten variables of 100 numbers."""
    variables = [pt.Variable(numbers(100) + k, device=device) for k in range(10)]
    writer = pt.Checkpoint(variables=variables)

    def call() -> Any:
        writer.restore(writer.save(path))
        return variables[9]

    path = str(_folder(call) / "ten")
    check(call(), numbers(100) + 9)
    return call


def save(device: str) -> Call:
    """Save four variables of 4 MB."""
    writer = pt.Checkpoint(variables=[pt.Variable(np.full(1_000_000, k, "f4"), device=device) for k in range(4)])

    def call() -> Any:
        return writer.save(path)

    path = str(_folder(call) / "large")
    restored = [pt.Variable(np.zeros(1_000_000, "f4"), device=device) for _ in range(4)]
    pt.Checkpoint(variables=restored).restore(call())
    check(restored[3], np.full(1_000_000, 3))
    return call


def restore(device: str) -> Call:
    """Restore four variables of 4 MB."""
    saved = [pt.Variable(np.full(1_000_000, k, "f4"), device=device) for k in range(4)]
    restored = [pt.Variable(np.zeros(1_000_000, "f4"), device=device) for _ in range(4)]
    reader = pt.Checkpoint(variables=restored)

    def call() -> Any:
        return reader.restore(path)

    path = pt.Checkpoint(variables=saved).save(_folder(call) / "large")
    call()
    check(restored[3], np.full(1_000_000, 3))
    return call


def transfer(device: str) -> Call:
    """400 KB from the host to the device and back."""
    host = numbers(100_000)

    def call() -> Any:
        return pt.asarray(host, device=device).numpy()

    check(call(), host)
    return call


def to_device(device: str) -> Call:
    """400 KB from NumPy's backend to the device."""
    host = numbers(100_000)
    x = pt.asarray(host, device="numpy:cpu")
    if pt.asarray(0.0, device=device).device == x.device:
        raise Skipped("it is the same device")
    check(pt.to(x, device), host)
    return lambda: pt.to(x, device)


def from_device(device: str) -> Call:
    """400 KB from the device to NumPy's backend."""
    host = numbers(100_000)
    x = pt.asarray(host, device=device)
    if x.device == pt.asarray(0.0, device="numpy:cpu").device:
        raise Skipped("it is the same device")
    check(pt.to(x, "numpy:cpu"), host)
    return lambda: pt.to(x, "numpy:cpu")


def pipeline(device: str) -> Call:
    """One pass over 1,000 rows: shuffled, in batches of 100, mapped, on the device."""
    rows = numbers(1_000, 64)
    data = pt.data.Dataset.from_tensor_slices(rows).shuffle(seed=1).batch(100).map(lambda x: x * 2.0).to(device)

    def call() -> Any:
        return [batch for batch in data]

    batches = call()
    assert len(batches) == 10
    check(np.sort(np.concatenate([batch.numpy() for batch in batches]), 0), np.sort(rows, 0) * 2)
    return call


def pipeline_of_elements(device: str) -> Call:
    """One pass over 200 elements, each mapped by itself, and prefetched."""
    data = pt.data.Dataset.from_tensor_slices(numbers(200, 8)).map(lambda x: x + 1.0).batch(50).prefetch(2).to(device)

    def call() -> Any:
        return [batch for batch in data]

    check(call()[3], numbers(200, 8)[150:] + 1)
    return call


CASES: Final = (
    Case("state/checkpoint", checkpoint, panel=True),
    Case("state/save_16_MB", save),
    Case("state/restore_16_MB", restore),
    Case("state/transfer", transfer, panel=True),
    Case("state/to_device", to_device),
    Case("state/from_device", from_device),
    Case("data/batches", pipeline, panel=True),
    Case("data/elements", pipeline_of_elements),
)
