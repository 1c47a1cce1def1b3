"""Comparing results with those that ONNX expects: exact dtypes and shapes, and values within a tolerance."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import polytape as pt
from polytape.interop import onnx

from .cases import Case

__all__ = ["check", "load", "run"]

# By dtype: the relative tolerance, and that of sums, which is relative to the largest element of the result.
TOLERANCES = {"bfloat16": (2e-2, 1e-2), "float16": (2e-3, 5e-4), "float32": (2e-6, 2.4e-7), "float64": (1e-12, 4e-16)}
# Tests whose expected values are less accurate, with the reason.
COARSE = {
    r"averagepool_2d_ceil_last_window_starts_on_pad|gridsample_bicubic.*|roialign.*": (
        (3e-4, 1e-4),
        "the expected values are written with four decimals",
    ),
}


def tensors(x: Any) -> Any:
    """The tensors of an input: an array, a list of arrays, or None."""
    if x is None:
        return None
    return [tensors(part) for part in x] if isinstance(x, list) else pt.asarray(x)


def check(name: str, expected: Any, result: Any) -> None:
    """Compare an output of the test ``name``.

    Raises:
        AssertionError: the outputs differ.
    """
    if isinstance(expected, list):
        assert len(result) >= len(expected)  # a function may compute more outputs than a node has
        for wanted, got in zip(expected, result, strict=False):
            check(name, wanted, got)
        return
    if expected is None:
        assert result is None
        return
    wanted, got = np.asarray(expected), result.numpy()
    assert got.shape == wanted.shape
    assert got.dtype == wanted.dtype
    rtol, atol = TOLERANCES.get(str(got.dtype), (0.0, 0.0))
    rtol, atol = next((coarse for pattern, (coarse, _) in COARSE.items() if re.fullmatch(pattern, name)), (rtol, atol))
    if got.dtype == "bfloat16":
        wanted, got = wanted.astype(np.float32), got.astype(np.float32)
    np.testing.assert_allclose(got, wanted, rtol=rtol, atol=atol * scale(wanted))


def scale(x: np.ndarray) -> float:
    """The largest finite absolute value."""
    finite = np.abs(x[np.isfinite(x)]) if x.dtype.kind in "fc" else np.zeros(0)
    return float(finite.max(initial=0.0))


def load(case: Case, device: str = "numpy") -> Any:
    """The model of a test, by way of a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{case.name}.onnx"
        path.write_bytes(case.model.SerializeToString())
        return onnx.load(path, device=device)


def run(case: Case, device: str = "numpy") -> bool:
    """Run a test eagerly, and as a graph.

    Returns:
        Whether there was a graph: False if the values of all inputs determine shapes.

    Raises:
        AssertionError: a result differs from what ONNX expects.
    """
    with pt.device(device), np.errstate(all="ignore"):
        model = load(case, device)
        inputs = {name: tensors(x) for name, x in case.inputs.items()}
        for call in (model.eager, model):
            results = call(**inputs)
            check(case.name, case.expected, list(results) if isinstance(results, tuple) else [results])
    return any(x is not None and name not in model.static for name, x in inputs.items())
