"""Cumulative ops: which element the gradient goes to, exact gradients at zeros, differences."""

from __future__ import annotations

import numpy as np
import pytest

import polytape as pt
from polytape.errors import OutOfRangeError, ShapeError


def test_the_gradient_of_a_cumulative_maximum_goes_to_the_first_of_equal_elements(backend: str) -> None:
    with pt.device(backend):
        (g,) = pt.gradients_function(pt.cumulative_max)(pt.asarray([1.0, 3.0, 3.0, 2.0, 5.0]))
    assert g.tolist() == [1.0, 3.0, 0.0, 0.0, 1.0]


def test_the_gradient_of_a_cumulative_product_is_exact_at_zeros(backend: str) -> None:
    x = np.array([2.0, 0.0, 3.0, 0.0, 5.0])
    jacobian = np.zeros((5, 5))
    for k in range(5):
        for j in range(k + 1):
            jacobian[k, j] = np.prod(np.delete(x[: k + 1], j))
    with pt.device(backend):
        (g,) = pt.gradients_function(pt.cumulative_prod)(pt.asarray(x, dtype="float32"))
    assert g.tolist() == jacobian.sum(0).tolist()


def test_logcumsumexp_neither_overflows_nor_underflows(backend: str) -> None:
    with pt.device(backend):
        y = pt.logcumsumexp(pt.asarray([-1e4, 1e3, 1e3]))
    np.testing.assert_allclose(y.numpy(), [-1e4, 1e3, 1e3 + np.log(2.0)], rtol=1e-6)


def test_differences_follow_the_standard(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([1, 4, 9, 16])
        assert pt.diff(x).tolist() == [3, 5, 7]
        assert pt.diff(x, n=0).tolist() == pt.diff(x, n=0, prepend=0, append=1).tolist() == x.tolist()
        assert pt.diff(x, n=2).tolist() == [2, 2]
        assert pt.diff(x, n=5).shape == (0,)
        assert pt.diff(x, prepend=0, append=pt.asarray([20, 30])).tolist() == [1, 3, 5, 7, 4, 10]
        assert pt.diff(pt.asarray([True, False, False])).tolist() == [True, False]
        assert pt.diff(pt.ones((2, 3)), axis=0).shape == (1, 3)


def test_differences_reject_a_negative_number_and_a_missing_axis() -> None:
    with pytest.raises(OutOfRangeError, match="n of 0 or more"):
        pt.diff(pt.ones(3), n=-1)
    with pytest.raises(ShapeError, match="there is no axis 1"):
        pt.diff(pt.ones(3), axis=1)
