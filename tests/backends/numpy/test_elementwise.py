"""Clips with one bound, against NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from polytape_numpy.kernels import build

CLIP = next(kernel.fn for kernel in build(np, ("elementwise",)) if kernel.op == "clip")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "uint8"])
@pytest.mark.parametrize("shape", [(), (7,), (50, 60)])
def test_a_clip_may_have_one_bound_or_none(dtype: str, shape: tuple[int, ...]) -> None:
    x = np.asarray(abs(5 * np.random.default_rng(0).standard_normal(shape))).astype(dtype)
    if x.dtype.kind == "f":
        x = np.where(x > 4, np.asarray(np.nan, dtype), np.where(x > 3, np.asarray(-np.inf, dtype), x))
    bounds: list[Any] = [None, np.asarray(2, dtype), np.full(shape, 2, dtype)]
    for low, high in [(low, high) for low in bounds for high in bounds]:
        y = CLIP(x, low, high)
        expected = x if low is high is None else np.clip(x, low, high)
        np.testing.assert_array_equal(y, expected)
        assert y.dtype == x.dtype
        assert not np.shares_memory(y, x)
