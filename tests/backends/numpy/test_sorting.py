"""Sorts by SIMD, against NumPy's stable sort."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from polytape_numpy.kernels import build

Array = np.ndarray[Any, Any]
SORT = next(kernel.fn for kernel in build(np, ("sorting",)) if kernel.op == "sort")


@settings(max_examples=100, deadline=None)
@given(
    shape=st.sampled_from([(65,), (700,), (3, 40), (40, 3), (2, 3, 40)]),
    dtype=st.sampled_from(["float16", "float32", "float64"]),
    seed=st.integers(0, 999),
    values=st.sampled_from([[0.0, -0.0], [0.0, -0.0, 1.0, -2.0], [0.0, -0.0, np.nan, np.inf, -np.inf], [0.0, 2.0]]),
    data=st.data(),
)
def test_zeros_of_both_signs_keep_their_order(
    shape: tuple[int, ...], dtype: str, seed: int, values: list[float], data: st.DataObject
) -> None:
    x = np.random.default_rng(seed).choice(values, shape).astype(dtype)
    x = data.draw(st.sampled_from([x, np.asfortranarray(x), x[..., ::-1]]))
    axis, descending = data.draw(st.integers(-x.ndim, x.ndim - 1)), data.draw(st.booleans())
    before = x.copy()
    y = SORT(x, axis=axis, descending=descending)
    expected = np.sort(x, axis, kind="stable")
    if descending:
        expected = np.flip(np.sort(np.flip(x, axis), axis, kind="stable"), axis)
    np.testing.assert_array_equal(y, expected)
    numbers = ~np.isnan(y)
    np.testing.assert_array_equal(np.signbit(y)[numbers], np.signbit(expected)[numbers])
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_arithmetic_with_a_sorted_nan_reports_nothing(dtype: str) -> None:
    x = np.arange(300).astype(dtype)
    x[7] = np.nan
    y = SORT(x)
    with np.errstate(all="raise"):
        assert np.isnan((y + y)[-1])
