"""Reductions: ties, dtypes of sums, errors."""

from __future__ import annotations

import pytest

import polytape as pt
from polytape.errors import ShapeError


def test_equal_maxima_share_the_gradient(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([[1.0, 3.0, 3.0], [2.0, 0.0, 1.0]])
        (g,) = pt.gradients_function(lambda x: pt.max(x, axis=1))(x)
    assert g.tolist() == [[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]]


def test_the_gradient_of_an_empty_sum_is_empty(backend: str) -> None:
    with pt.device(backend):
        (g,) = pt.gradients_function(lambda x: pt.sum(x, axis=0))(pt.zeros((0, 3)))
    assert g.shape == (0, 3)


def test_a_sum_with_a_dtype_argument_adds_in_that_dtype(backend: str) -> None:
    with pt.device(backend):
        x = pt.full(3, 2**30, dtype="int32")
        assert pt.sum(x, dtype="int64").item() == 3 * 2**30
        assert pt.sum(pt.ones(3), dtype="float64").dtype == pt.float64
        (g,) = pt.gradients_function(lambda x: pt.sum(x, dtype="float64"))(pt.ones(3))
        assert g.dtype == pt.float32


def test_the_error_for_an_invalid_axis_names_the_op(backend: str) -> None:
    with pt.device(backend):
        x = pt.ones((2, 3))
    with pytest.raises(ShapeError, match=r"sum\(\[2,3\], axis=2, keepdims=False\): there is no axis 2"):
        pt.sum(x, axis=2)
    with pytest.raises(ShapeError, match=r"mean\(\[\], axis=0, keepdims=False\): there is no axis 0(.|\n)*rank 0"):
        pt.mean(pt.ones((), device=backend), axis=0)


def test_the_error_for_an_unknown_attribute_lists_the_attributes_of_the_op() -> None:
    with pytest.raises(TypeError, match=r"sum\(\).*'axes'.*axis, dtype, keepdims"):
        pt.sum(pt.ones(2), axes=0)  # type: ignore[call-arg]
