"""Functions of the caller on parts of a tensor, compared with NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import ShapeError

X = np.random.default_rng(0).normal(size=(2, 3, 4))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_function_along_an_axis_gives_numpy_s_result(axis: int) -> None:
    x = pt.asarray(X)
    for name in ("sum", "sort", "outer"):
        mine = (lambda v: pt.outer(v, v)) if name == "outer" else getattr(pt, name)
        theirs = (lambda v: np.outer(v, v)) if name == "outer" else getattr(np, name)
        got = pt.apply_along_axis(mine, axis, x)
        np.testing.assert_allclose(got.numpy(), np.apply_along_axis(theirs, axis, X), rtol=1e-14)
        pt.check_gradients(lambda x, mine=mine: pt.apply_along_axis(mine, axis, x), x)
    got = pt.apply_along_axis(lambda v, c, *, d: v * c + d, axis, x, 2.0, d=1.0)
    np.testing.assert_allclose(got.numpy(), X * 2 + 1)


def test_there_must_be_a_vector() -> None:
    with pytest.raises(ShapeError, match="there is no vector"):
        pt.apply_along_axis(pt.sum, 0, pt.ones((3, 0)))
    with pytest.raises(ShapeError):
        pt.apply_along_axis(pt.sum, 2, pt.ones((3, 1)))


def test_a_function_over_axes_gives_numpy_s_result() -> None:
    x = pt.asarray(X)
    for axes in (0, (0, 2), [-1, 1]):
        got = pt.apply_over_axes(pt.sum, x, axes)
        np.testing.assert_allclose(got.numpy(), np.apply_over_axes(np.sum, X, axes))
    pt.check_gradients(lambda x: pt.apply_over_axes(pt.mean, x, (0, 1)), x)
    with pytest.raises(ShapeError, match="changed the rank"):
        pt.apply_over_axes(lambda x, axis: pt.sum(x), x, 0)


@pytest.mark.parametrize("functions", [(-1.0, lambda x: x * x), (np.cos, lambda x: x * 3, lambda x: -x)])
def test_piecewise_is_numpy_s(functions: Any) -> None:
    conditions = [X < -0.5, X > 0.2]
    x = pt.asarray(X)
    ours = [pt.cos if f is np.cos else f for f in functions]
    got = pt.piecewise(x, [pt.asarray(c) for c in conditions], ours)
    np.testing.assert_allclose(got.numpy(), np.piecewise(X, conditions, functions), rtol=1e-14)
    pt.check_gradients(lambda x: pt.piecewise(x, [x < -0.5, x > 0.2], ours), x, order=2)


def test_piecewise_keeps_the_dtype_and_needs_functions() -> None:
    y = pt.piecewise(pt.asarray([1, 2, 3]), [pt.asarray([True, False, False])], [lambda x: x * 10, 7])
    assert (y.tolist(), y.dtype) == ([10, 7, 7], pt.int32)
    with pytest.raises(ShapeError, match="a function for each condition"):
        pt.piecewise(pt.ones(2), [True], [1, 2, 3])
