"""Extremes of short rows, against NumPy's reductions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from polytape_numpy.kernels.extremes import extreme_reduce

Array = np.ndarray[Any, Any]
DTYPES = ("float16", "float32", "float64", "int32", "int64", "uint8")


def _array(shape: tuple[int, ...], dtype: str, seed: int, special: bool) -> Array:
    rng = np.random.default_rng(seed)
    x = rng.integers(0 if dtype == "uint8" else -100, 100, shape).astype(dtype)
    if special and x.dtype.kind == "f":
        x[rng.random(shape) < 0.001] = rng.choice([np.nan, np.inf, -np.inf])
    return x


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_extremes_are_numpy_s_for_any_axes_and_layout(data: st.DataObject) -> None:
    rows = data.draw(st.sampled_from([3, 64, 257, 1300]))
    rest = data.draw(st.lists(st.sampled_from([0, 1, 2, 3, 10, 41, 100]), max_size=3))
    while rows * int(np.prod(rest)) > 300_000:
        rest.pop()
    shape = tuple(data.draw(st.permutations([rows, *rest])))
    rank = len(shape)
    axis = data.draw(
        st.none()
        | st.integers(-rank, rank - 1)
        | st.lists(st.integers(0, rank - 1), unique=True, max_size=rank).map(tuple)
    )
    x = _array(shape, data.draw(st.sampled_from(DTYPES)), data.draw(st.integers(0, 99)), data.draw(st.booleans()))
    x = data.draw(st.sampled_from([x, np.asfortranarray(x), np.repeat(x, 2, -1)[..., ::2]]))
    x.flags.writeable = False
    name = data.draw(st.sampled_from(["maximum", "minimum"]))
    keepdims = data.draw(st.booleans())
    try:
        expected = getattr(np, name).reduce(x, axis=axis, keepdims=keepdims)
    except ValueError:
        with pytest.raises(ValueError):  # there is no extreme of nothing
            extreme_reduce(np, name)(x, axis, keepdims)
        return
    y = extreme_reduce(np, name)(x, axis, keepdims)
    assert y.dtype == expected.dtype
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("axis", [2, -3, (0, 0), (0, 2), (1, -1)])
def test_axes_that_do_not_exist_or_are_repeated_are_rejected(axis: Any) -> None:
    x = np.zeros((300, 10), "float32")
    with pytest.raises(ValueError):
        extreme_reduce(np, "maximum")(x, axis)
