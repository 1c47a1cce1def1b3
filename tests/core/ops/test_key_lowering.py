"""The bodies of indexing, made of slices, rows and positions, against NumPy."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.errors import OutOfRangeError
from polytape.ops import indexing, keys


def mixed_key(data: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """A key of slices, integers, new axes and index arrays that broadcast."""
    common = data.draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
    parts: list[Any] = []
    for size in shape:
        parts += [None] * data.draw(st.integers(0, 1))
        kinds = ["slice", "int", "array"] if size else ["slice"]
        kind = data.draw(st.sampled_from(kinds))
        if kind == "slice":
            parts.append(data.draw(st.slices(size)))
        elif kind == "int":
            parts.append(data.draw(st.integers(-size, size - 1)))
        else:
            own = data.draw(st.sampled_from([common, common[1:], ()]))
            parts.append(data.draw(hnp.arrays("int64", own, elements=st.integers(-size, size - 1))))
    while parts and data.draw(st.booleans()):
        parts.pop()
    return tuple(parts)


def split(key: Any) -> tuple[Any, list[Any]]:
    template, arrays = keys.split_key(key)
    return template, [pt.asarray(array) for array in arrays]


@settings(max_examples=400, deadline=None)
@given(st.data())
@pytest.mark.slow
def test_the_bodies_select_replace_and_add_as_numpy_does(data: Any) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3))
    key = mixed_key(data, shape)
    host = np.arange(1.0, 1.0 + np.prod(shape, dtype=int)).reshape(shape)
    template, indices = split(key)
    attributes = {"key": template}
    got = indexing.getitem.run_body([pt.asarray(host), *indices], attributes)
    np.testing.assert_array_equal(got.numpy(), host[key])
    assert got.shape == np.shape(host[key])
    values = -np.arange(1.0, 1.0 + host[key].size).reshape(np.shape(host[key]))
    expected = host.copy()
    expected[key] = values
    got = indexing.setitem_.run_body([pt.asarray(host), pt.asarray(values), *indices], attributes)
    np.testing.assert_array_equal(got.numpy(), expected)
    expected = np.zeros(shape)
    np.add.at(expected, key, values)
    got = indexing.scatter_add.run_body([pt.asarray(values), *indices], {**attributes, "shape": shape})
    np.testing.assert_array_equal(got.numpy(), expected)


@pytest.mark.parametrize("rows", [[0, 3], [-4, 0]])
def test_an_index_out_of_range_is_an_error_and_not_another_element(rows: list[int]) -> None:
    template, indices = split((np.array(rows), np.array([1, 1])))
    x = pt.asarray(np.arange(6.0).reshape(3, 2))
    with pytest.raises(OutOfRangeError):
        indexing.getitem.run_body([x, *indices], {"key": template})
    with pytest.raises(OutOfRangeError):
        indexing.setitem_.run_body([x, pt.asarray([1.0, 2.0], dtype="float64"), *indices], {"key": template})
