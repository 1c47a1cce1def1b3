"""A ufunc of an array and a row, with and without joined rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from polytape_numpy.kernels.rows import beside_row

Array = np.ndarray[Any, Any]


@settings(max_examples=60, deadline=None)
@given(
    rows=st.sampled_from([1, 300, 8191, 16_384]),
    columns=st.sampled_from([1, 2, 3, 31, 32, 33]),
    row_shape=st.sampled_from(["row", "matrix", "stack", "column", "number"]),
    dtype=st.sampled_from(["float32", "float64"]),
    fortran=st.booleans(),
    in_place=st.booleans(),
    data=st.data(),
)
def test_joined_rows_give_what_the_ufunc_gives(
    rows: int, columns: int, row_shape: str, dtype: str, fortran: bool, in_place: bool, data: st.DataObject
) -> None:
    rng = np.random.default_rng(rows + columns)
    x = rng.standard_normal((rows, columns)).astype(dtype)
    if fortran:
        x = np.asfortranarray(x)
    shapes = {"stack": (1, 1, columns), "row": (columns,), "matrix": (1, columns), "column": (rows, 1), "number": ()}
    shape = shapes[row_shape]
    row = np.asarray(rng.standard_normal(shape)).astype(data.draw(st.sampled_from([dtype, "float32"])))
    ufunc = data.draw(st.sampled_from([np.add, np.subtract, np.divide]))
    in_place = in_place and len(shape) < 3
    expected = ufunc(x, row)
    y = beside_row(ufunc, x, row, x if in_place else None)
    assert (y is x) == in_place
    assert y.dtype == expected.dtype
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("shape", [(3,), (2, 10_000, 5), (10_000, 1)])
def test_a_row_that_does_not_fit_is_rejected(shape: tuple[int, ...]) -> None:
    x = np.zeros((10_000, 5), "float32")
    with pytest.raises(ValueError):
        beside_row(np.add, x[:9_999], np.zeros(shape, "float32"), x[:9_999])
