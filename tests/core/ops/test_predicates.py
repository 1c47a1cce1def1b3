"""Questions about elements, and about whole tensors."""

from __future__ import annotations

import math

import numpy as np
import pytest

import polytape as pt


def test_allclose_and_array_equal_answer_for_whole_tensors(backend: str) -> None:
    with pt.device(backend):
        x, y = pt.asarray([1.0, math.nan]), pt.asarray([1.0 + 1e-6, math.nan])
        assert pt.allclose(x, y, equal_nan=True) is True and pt.allclose(x, y) is False
        assert pt.array_equal(x, x, equal_nan=True) is True and pt.array_equal(x, x) is False
        assert pt.array_equal(pt.ones((2, 1)), pt.ones(2)) is False
        assert pt.array_equal(pt.asarray([1, 2]), [1.0, 2.0]) is True
        assert pt.allclose(pt.zeros((0, 3)), 1.0) is True


def test_isclose_subtracts_integers_exactly() -> None:
    x1, x2 = pt.asarray([100, 2**24 + 1]), pt.asarray([-100, 2**24])
    assert pt.isclose(x1, x2, rtol=0.0, atol=0.5).tolist() == [False, False]
    assert pt.isclose(pt.asarray([100], dtype="int8"), pt.asarray([-100], dtype="int8"), atol=60.0).tolist() == [False]
    assert pt.isclose(pt.asarray([100], dtype="int8"), pt.asarray([-100], dtype="int8"), atol=200.0).tolist() == [True]


def test_isclose_of_infinities_and_nan_is_numpy_s() -> None:
    values = [0.0, 1.0, math.inf, -math.inf, math.nan]
    a, b = (np.array(axis) for axis in np.meshgrid(values, values))
    for equal_nan in (False, True):
        got = pt.isclose(pt.asarray(a), pt.asarray(b), equal_nan=equal_nan).numpy()
        np.testing.assert_array_equal(got, np.isclose(a, b, equal_nan=equal_nan))


def test_a_traced_function_cannot_ask_for_a_python_bool() -> None:
    with pytest.raises(pt.PolytapeError):
        pt.function(lambda x: pt.ones(1) if pt.allclose(x, 1.0) else x)(pt.ones(3))
