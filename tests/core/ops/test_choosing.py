"""Choosing among tensors, leaving out and inserting elements: NumPy's results, and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import OutOfRangeError, ShapeError, TraceError

X = np.arange(12, dtype="float64").reshape(3, 4)
MASK = np.array([True, False, True])


def filled(offset: int, value: Any) -> Any:
    y = X.copy()
    rows = np.arange(3)[max(-offset, 0) :][: 4 - max(offset, 0)]
    y[rows, rows + offset] = value
    return y


CALLS: list[tuple[Callable[[Any], Any], Any]] = [
    (lambda x: pt.select([x > 7.5, x > 3.5], [x, -x], 0.5), np.select([X > 7.5, X > 3.5], [X, -X], 0.5)),
    (lambda x: pt.choose([2, 0, 1, 0], x), np.choose([2, 0, 1, 0], X)),
    (lambda x: pt.choose([[1], [0]], [x[0], x[1] * 2]), np.choose([[1], [0]], [X[0], X[1] * 2])),
    (lambda x: pt.compress(MASK, x, axis=0), np.compress(MASK, X, axis=0)),
    (lambda x: pt.compress([False, True], x, axis=1), np.compress([False, True], X, axis=1)),
    (lambda x: pt.compress([False, True], x), np.compress([False, True], X)),
    (lambda x: pt.extract(X % 3 == 0, x), np.extract(X % 3 == 0, X)),
    (lambda x: pt.delete(x, 1, axis=0), np.delete(X, 1, axis=0)),
    (lambda x: pt.delete(x, [0, -1, 0], axis=1), np.delete(X, [0, -1, 0], axis=1)),
    (lambda x: pt.delete(x, slice(None, None, 2)), np.delete(X, slice(None, None, 2))),
    (lambda x: pt.delete(x, MASK, axis=0), np.delete(X, MASK, axis=0)),
    (lambda x: pt.delete(x, pt.asarray([5, 6])), np.delete(X, [5, 6])),
    (lambda x: pt.delete(x, []), np.delete(X, [])),
    (lambda x: pt.insert(x, 1, 5.0), np.insert(X, 1, 5.0)),
    (lambda x: pt.insert(x, 1, [1.0, 2.0, 3.0], axis=1), np.insert(X, 1, [1.0, 2.0, 3.0], axis=1)),
    (lambda x: pt.insert(x, -1, x[:2], axis=0), np.insert(X, -1, X[:2], axis=0)),
    (lambda x: pt.insert(x, [0, 4, 2], x[:, :3], axis=1), np.insert(X, [0, 4, 2], X[:, :3], axis=1)),
    (lambda x: pt.insert(x, [1, 1], [7, 8]), np.insert(X, [1, 1], [7, 8])),
    (lambda x: pt.insert(x, slice(0, 2), x[0], axis=0), np.insert(X, slice(0, 2), X[0], axis=0)),
    (lambda x: pt.fill_diagonal(x, 9), filled(0, 9)),
    (lambda x: pt.fill_diagonal(x, x[0, :3], offset=1), filled(1, X[0, :3])),
    (lambda x: pt.fill_diagonal(x, [1, 2], offset=-1), filled(-1, [1, 2])),
]


@pytest.mark.parametrize(("ours", "expected"), CALLS)
def test_values_are_numpy_s_and_gradients_flow(ours: Callable[[Any], Any], expected: Any, backend: str) -> None:
    x = pt.asarray(X, device=backend)
    with pt.device(backend):
        y = ours(x)
        assert y.dtype == pt.float64
        np.testing.assert_array_equal(y.numpy(), expected)
        pt.check_gradients(ours, [x], order=2)


def test_several_matrices_get_the_same_diagonal() -> None:
    y = pt.fill_diagonal(pt.ones((2, 2, 2)), 0)
    assert y.tolist() == [[[0, 1], [1, 0]]] * 2


@pytest.mark.parametrize(
    ("call", "exception", "part"),
    [
        (lambda x: pt.select([], []), ShapeError, "do not match the conditions"),
        (lambda x: pt.select([x > 0], [x, x]), ShapeError, "do not match the conditions"),
        (lambda x: pt.choose([3, 0, 0, 0], x), OutOfRangeError, "out of"),
        (lambda x: pt.choose([0], []), ShapeError, "nothing to join"),
        (lambda x: pt.delete(x, 3, axis=0), OutOfRangeError, "a position does not exist"),
        (lambda x: pt.insert(x, [9], 0, axis=0), OutOfRangeError, "a position does not exist"),
        (lambda x: pt.insert(x, 0, [1.0, 2.0], axis=0), ShapeError, "do not broadcast"),
        (lambda x: pt.delete(x, 0, axis=2), ShapeError, "there is no axis 2"),
        (lambda x: pt.fill_diagonal(x[0], 0), ShapeError, "takes matrices"),
        (lambda x: pt.fill_diagonal(x, [1, 2, 3, 4]), ShapeError, "broadcast"),
    ],
)
def test_what_does_not_fit_is_rejected(call: Callable[[Any], Any], exception: type[Exception], part: str) -> None:
    with pytest.raises(exception, match=part):
        call(pt.asarray(X))


def test_positions_are_read_on_the_host() -> None:
    with pytest.raises(TraceError, match="cannot read"):
        pt.function(lambda x, k: pt.delete(x, k))(pt.asarray(X), pt.asarray(1))
    assert pt.function(lambda x: pt.delete(x, [0, 1], axis=0))(pt.asarray(X)).tolist() == [[8, 9, 10, 11]]
