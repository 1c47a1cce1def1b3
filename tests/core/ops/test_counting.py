"""Counts, histograms and bins."""

from __future__ import annotations

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, OutOfRangeError, ShapeError, TraceError

X = np.array([0.2, 3.0, 1.0, -1.0, 2.9, 3.1, float("nan")], "float32")


def test_bincount_is_numpys(backend: str) -> None:
    x = np.array([0, 3, 1, 3, 3])
    with pt.device(backend):
        assert pt.bincount(x).tolist() == np.bincount(x).tolist()
        assert pt.bincount(x, minlength=6).tolist() == np.bincount(x, minlength=6).tolist()
        weights = np.arange(5, dtype="float32")
        assert pt.bincount(x, weights).tolist() == np.bincount(x, weights).tolist()
        assert pt.bincount(np.zeros(0, "int64"), minlength=2).tolist() == [0, 0]
        assert pt.function(lambda n: pt.bincount(n, length=4))(pt.asarray(x)).tolist() == [1, 1, 0, 3]
    with pytest.raises(OutOfRangeError, match="no negative numbers"):
        pt.bincount([-1, 2])
    with pytest.raises(DTypeError, match="must be integers"):
        pt.bincount([1.0])
    with pytest.raises(TraceError):
        pt.function(lambda n: pt.bincount(n))(pt.asarray(x))


@pytest.mark.parametrize("right", [False, True])
def test_digitize_is_numpys_for_rising_and_falling_edges(backend: str, right: bool) -> None:
    x = X[:-1]
    with pt.device(backend):
        for bins in ([0.0, 1.0, 3.0], [3.0, 1.0, 0.0], [1.0], [1.0, 1.0]):
            assert pt.digitize(x, bins, right=right).tolist() == np.digitize(x, bins, right=right).tolist()
    with pytest.raises(ShapeError, match="a vector of edges"):
        pt.digitize(x, [[1.0]])


def test_histogram_is_numpys(backend: str) -> None:
    x = X[:-1]
    with pt.device(backend):
        for options in (
            {},
            {"bins": 3},
            {"bins": 4, "range": (0.0, 3.0)},
            {"bins": [0.0, 1.0, 3.0]},
            {"density": True},
        ):
            counts, edges = np.histogram(x, **options)  # type: ignore[arg-type]
            got = pt.histogram(x, **options)  # type: ignore[arg-type]
            np.testing.assert_allclose(got.counts.numpy(), counts, rtol=1e-6)
            np.testing.assert_allclose(got.edges.numpy(), edges, rtol=1e-6)
        assert pt.histogram(X, 2, range=(0.0, 4.0)).counts.tolist() == [2, 3]  # NaN is not counted
        assert pt.histogram([2.0, 2.0], 2).edges.tolist() == [1.5, 2.0, 2.5]
        assert pt.histogram([1.0, 2.0], [0.0, 1.5, 3.0], weights=[0.5, 2.0]).counts.tolist() == [0.5, 2.0]
    with pytest.raises(ShapeError, match="weights do not match"):
        pt.histogram([1.0, 2.0], 2, weights=[1.0])
    with pytest.raises(ShapeError, match="needs bins"):
        pt.histogram([1.0, 2.0], [1.0])


def test_histogram_passes_gradients_to_its_weights(backend: str) -> None:
    weights = pt.asarray([1.0, 2.0, 3.0], device=backend)
    with pt.GradientTape() as tape:
        tape.watch(weights)
        y = pt.histogram([0.5, 1.5, 9.0], 2, range=(0.0, 2.0), weights=weights).counts * np.array([3.0, 5.0], "float32")
    assert tape.gradient(y, weights).tolist() == [3.0, 5.0, 0.0]
