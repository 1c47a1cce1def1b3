"""Sorting and searching: gradients, errors, and functions whose result's size depends on the data."""

from __future__ import annotations

import numpy as np
import pytest

import polytape as pt
from polytape.errors import OutOfRangeError, ShapeError


def test_the_gradient_of_a_sort_returns_to_the_places_of_the_elements(backend: str) -> None:
    with pt.device(backend):
        weights = pt.asarray([1.0, 2.0, 3.0])
        (g,) = pt.gradients_function(lambda x: pt.sort(x) * weights)(pt.asarray([5.0, 1.0, 3.0]))
        assert g.tolist() == [3.0, 1.0, 2.0]
        (g,) = pt.gradients_function(lambda x: pt.top_k(x, 2).values * weights[:2])(pt.asarray([5.0, 1.0, 3.0]))
        assert g.tolist() == [1.0, 0.0, 2.0]


@pytest.mark.parametrize("dtype", ["int8", "float32", "float64"])
@pytest.mark.parametrize("largest", [True, False])
def test_top_k_of_equal_elements_takes_the_first(backend: str, dtype: str, largest: bool) -> None:
    x = np.random.default_rng(0).integers(0, 40, (3, 500)).astype(dtype)
    keys = -x.astype("float64") if largest else x
    with pt.device(backend):
        values, indices = pt.top_k(pt.asarray(x), 20, largest=largest)
    expected = np.argsort(keys, axis=-1, kind="stable")[:, :20]
    assert indices.tolist() == expected.tolist()
    assert values.tolist() == np.take_along_axis(x, expected, -1).tolist()


def test_searchsorted_takes_a_sorter(backend: str) -> None:
    with pt.device(backend):
        place = pt.searchsorted(pt.asarray([3.0, 1.0, 2.0]), pt.asarray([2.5]), sorter=pt.asarray([1, 2, 0]))
    assert place.tolist() == [2]


def test_partition_sorts(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([3.0, 1.0, 2.0])
        assert pt.partition(x, 1).tolist() == [1.0, 2.0, 3.0]
        assert pt.argpartition(x, -1).tolist() == [1, 2, 0]
    with pytest.raises(OutOfRangeError, match="no element of rank 3"):
        pt.partition(x, 3)


def test_lexsort_sorts_by_the_last_key_first(backend: str) -> None:
    keys = np.random.default_rng(1).integers(0, 3, (3, 50))
    with pt.device(backend):
        assert pt.lexsort(pt.asarray(keys)).tolist() == np.lexsort(keys).tolist()
        assert pt.lexsort([pt.asarray(key) for key in keys]).tolist() == np.lexsort(keys).tolist()


def test_nonzero_gives_the_indices_of_each_axis(backend: str) -> None:
    x = np.array([[0, 1, 0], [2, 0, 3]])
    with pt.device(backend):
        tensor = pt.asarray(x)
        assert [row.tolist() for row in pt.nonzero(tensor)] == [row.tolist() for row in x.nonzero()]
        assert tensor[pt.nonzero(tensor)].tolist() == [1, 2, 3]
        assert pt.argwhere(tensor).tolist() == np.argwhere(x).tolist()
        assert pt.flatnonzero(tensor).tolist() == [1, 3, 5]
        assert pt.flatnonzero(tensor, size=4).tolist() == [1, 3, 5, 0]
    with pytest.raises(ShapeError, match="rank 0"):
        pt.nonzero(pt.asarray(3))
