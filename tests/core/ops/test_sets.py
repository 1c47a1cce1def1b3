"""Unique elements and set operations, compared with NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import polytape as pt
from polytape.errors import ShapeError

_NAN = float("nan")
_X = np.array([[3.0, 1.0, _NAN], [1.0, _NAN, -0.0], [0.0, 7.0, 3.0]], "float32")


def test_the_parts_of_unique_are_numpy_s(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray(_X)
        found, expected = pt.unique_all(x), np.unique_all(_X)
        for part, reference in zip(found, expected, strict=True):
            np.testing.assert_array_equal(part.numpy(), reference)
        assert found.indices.dtype == found.inverse_indices.dtype == found.counts.dtype == pt.int64
        np.testing.assert_array_equal(pt.unique_values(x).numpy(), expected.values)
        np.testing.assert_array_equal(pt.unique_counts(x).counts.numpy(), expected.counts)
        np.testing.assert_array_equal(pt.unique_inverse(x).inverse_indices.numpy(), expected.inverse_indices)


def test_unique_joins_nan_unless_it_is_told_not_to(backend: str) -> None:
    with pt.device(backend):
        values, first, inverse, counts = pt.unique(
            pt.asarray(_X), return_index=True, return_inverse=True, return_counts=True
        )
        for part, reference in zip((values, first, inverse, counts), np.unique(_X, True, True, True), strict=True):
            np.testing.assert_array_equal(part.numpy(), reference)
        separate = pt.unique(pt.asarray(_X), equal_nan=False)
        assert isinstance(separate, pt.Tensor)
        assert separate.shape == (6,)


def test_the_slices_along_an_axis_are_unique_as_numpy_s_are(backend: str) -> None:
    rows = np.array([[2, 1, 0], [0, 3, 0], [2, 1, 0], [0, 1, 9]])
    with pt.device(backend):
        for x, axis in ((rows, 0), (rows, 1), (rows, -1), (np.stack([rows, rows]), 0), (rows[:0], 0), (rows[:, :0], 0)):
            found = pt.unique(pt.asarray(x), return_index=True, return_inverse=True, return_counts=True, axis=axis)
            for part, reference in zip(found, np.unique(x, True, True, True, axis=axis), strict=True):
                np.testing.assert_array_equal(part.numpy(), reference)
        with pytest.raises(ShapeError, match="axis 2"):
            pt.unique(pt.asarray(rows), axis=2)


def test_slices_with_nan_at_the_same_places_are_one_unless_unique_is_told_otherwise(backend: str) -> None:
    x = np.array([[1.0, _NAN], [0.0, -0.0], [1.0, _NAN], [_NAN, 1.0]], "float32")
    with pt.device(backend):
        np.testing.assert_array_equal(pt.unique(pt.asarray(x), axis=0).numpy(), x[[1, 0, 3]])
        np.testing.assert_array_equal(pt.unique(pt.asarray(x), axis=0, equal_nan=False).numpy(), x[[1, 0, 2, 3]])


def test_unique_of_no_element_and_of_a_number(backend: str) -> None:
    with pt.device(backend):
        assert pt.unique_values(pt.zeros(0)).shape == (0,)
        assert [part.shape for part in pt.unique_all(pt.zeros((0, 2)))] == [(0,), (0,), (0, 2), (0,)]
        assert pt.unique_all(pt.asarray(3)).inverse_indices.shape == ()


@pytest.mark.parametrize("name", ["intersect1d", "union1d", "setdiff1d", "setxor1d"])
def test_set_operations_are_numpy_s(backend: str, name: str) -> None:
    a, b = np.array([5, 1, 2, 2, 9]), np.array([[2, 7], [9, 9]])
    with pt.device(backend):
        got = getattr(pt, name)(pt.asarray(a), pt.asarray(b))
    np.testing.assert_array_equal(got.numpy(), getattr(np, name)(a, b))


def test_isin_takes_numbers(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([1, 2, 3])
        assert pt.isin(x, 2).tolist() == [False, True, False]
        assert pt.isin(x, pt.asarray([1, 3]), invert=True).tolist() == [False, True, False]
        assert pt.isin(2, x).tolist() is True


def test_the_gradient_of_unique_values_goes_to_the_first_of_equal_elements(backend: str) -> None:
    with pt.device(backend):
        weights = pt.asarray([1.0, 2.0, 3.0])
        (g,) = pt.gradients_function(lambda x: pt.unique_values(x) * weights)(pt.asarray([5.0, 4.0, 4.0, 6.0]))
    assert g.tolist() == [2.0, 1.0, 0.0, 3.0]
