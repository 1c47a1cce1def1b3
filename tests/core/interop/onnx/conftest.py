"""Checks of exported models, here and in another program."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt

sys.path.append(str(Path(__file__).parents[3] / "fixtures"))
shared: Any = importlib.import_module("onnx_elsewhere")
RUNTIME, run_elsewhere = shared.RUNTIME, shared.run_elsewhere


def leaves(result: Any) -> list[Any]:
    """The results of a function, as arrays."""
    return [y.numpy() for y in (result if isinstance(result, (list, tuple)) else [result])]


def compare(got: list[Any], expected: list[Any], tolerance: float) -> None:
    """The same dtypes and shapes, and values within the tolerance."""
    assert [(y.dtype, y.shape) for y in got] == [(y.dtype, y.shape) for y in expected]
    for y, z in zip(got, expected, strict=True):
        np.testing.assert_allclose(y, z, rtol=tolerance, atol=tolerance)


@pytest.fixture
def outputs() -> Callable[[Path, list[Any]], list[Any]]:
    return run_elsewhere


@pytest.fixture
def runtime() -> bool:
    """Whether onnxruntime is installed."""
    return RUNTIME


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


@pytest.fixture
def agree(path: Path) -> Callable[..., Any]:
    """Checks that a model gives what the function gives: in another program, and loaded again, traced and eagerly."""
    interop: Any = importlib.import_module("polytape.interop.onnx")

    def check(body: Any, *inputs: Any, back: float = 1e-6, elsewhere: bool = True) -> Any:
        traced = body if hasattr(body, "trace") else pt.function(body)
        interop.export(traced, path, *inputs)
        expected = leaves(traced(*inputs))
        arrays = [np.asarray(x) for x in inputs]
        if elsewhere:
            compare(run_elsewhere(path, arrays), expected, 1e-5)
        loaded = interop.load(path)
        for call in (loaded, loaded.eager):
            compare(leaves(call(*arrays)), expected, back)
        assert not loaded.static
        return loaded

    return check
