"""Reductions: ties, dtypes of sums, errors."""

from __future__ import annotations

import numpy as np
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


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64"])
def test_the_limits_of_integers_are_ordered(backend: str, dtype: str) -> None:
    info = np.iinfo(dtype)
    with pt.device(backend):
        x = pt.asarray(np.array([info.max, info.min, 3], dtype))
        assert pt.min(x).item() == info.min
        assert pt.max(x).item() == info.max
        assert pt.argmin(x).item() == 1


def test_a_product_is_differentiated_exactly_at_zeros(backend: str) -> None:
    with pt.device(backend):
        (g,) = pt.gradients_function(pt.prod)(pt.asarray([2.0, 0.0, 3.0]))
        assert g.tolist() == [0.0, 6.0, 0.0]
        (g,) = pt.gradients_function(pt.prod)(pt.asarray([0.0, 0.0, 3.0]))
        assert g.tolist() == [0.0, 0.0, 0.0]


def test_a_standard_deviation_of_0_has_a_gradient_of_0(backend: str) -> None:
    with pt.device(backend):
        (g,) = pt.gradients_function(pt.std)(pt.asarray([2.0, 2.0]))
    assert g.tolist() == [0.0, 0.0]


def test_a_variance_does_not_cancel(backend: str) -> None:
    with pt.device(backend):
        assert pt.var(pt.asarray([10000.0, 10001.0, 10002.0])).item() == pytest.approx(2 / 3)
        assert pt.var(pt.asarray([1.0, 3.0]), correction=1).item() == 2.0


def test_no_elements_are_all_true_and_none_is_any(backend: str) -> None:
    with pt.device(backend):
        x = pt.zeros((0, 2))
        assert pt.all(x, axis=0).tolist() == [True, True]
        assert pt.any(x, axis=0).tolist() == [False, False]
        assert pt.prod(x, axis=0).tolist() == [1.0, 1.0]
        assert pt.count_nonzero(x).item() == 0


def test_the_variance_of_complex_numbers_is_real() -> None:
    z = np.array([1 + 2j, 3 - 1j, 0.5j, -2.0])
    y = pt.var(pt.asarray(z, device="numpy"))
    assert y.dtype == pt.float64
    assert y.item() == pytest.approx(np.var(z))
