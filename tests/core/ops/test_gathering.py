"""Elements taken from, and put at, positions along an axis: NumPy's results, gradients, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, OutOfRangeError, SettingError, ShapeError

X = np.arange(12, dtype="float64").reshape(3, 4)
ROWS = np.array([[2, 0, -1, 2]])
COLUMNS = np.array([[0, 3], [1, 1], [-1, 2]])


def put(indices: Any, values: Any, axis: int) -> Any:
    y = X.copy()
    np.put_along_axis(y, indices, values, axis)
    return y


def combined(ufunc: Any, x: Any, indices: Any, values: Any, axis: int) -> Any:
    y = x.copy()
    key = list(np.ogrid[tuple(slice(n) for n in np.broadcast_shapes(indices.shape, values.shape))])
    key[axis] = indices
    ufunc.at(y, tuple(key), values)
    return y


def added(indices: Any, values: Any, axis: int) -> Any:
    y = X.copy()
    np.add.at(y, (slice(None),) * axis + (indices,), values)
    return y


CALLS: list[tuple[Callable[[Any], Any], Any]] = [
    (lambda x: pt.take(x, [[1, 0], [-1, 2]], axis=1), np.take(X, [[1, 0], [-1, 2]], axis=1)),
    (lambda x: pt.take_along_axis(x, ROWS, axis=0), np.take_along_axis(X, ROWS, 0)),
    (lambda x: pt.take_along_axis(x, COLUMNS), np.take_along_axis(X, COLUMNS, 1)),
    (lambda x: pt.take_along_axis(x[:1], COLUMNS), np.take_along_axis(X[:1], COLUMNS, 1)),
    (lambda x: pt.put_along_axis(x, ROWS, 7.0, axis=0), put(ROWS, 7.0, 0)),
    (lambda x: pt.put_along_axis(x, COLUMNS[:, :1], x[:, 1:2] * 2), put(COLUMNS[:, :1], X[:, 1:2] * 2, 1)),
    (lambda x: pt.put_along_axis(x, COLUMNS, x[:, 2:]), put(COLUMNS, X[:, 2:], 1)),
    (lambda x: pt.reverse_sequence(x, [4, 0, 3]), X[[[0], [1], [2]], [[3, 2, 1, 0], [0, 1, 2, 3], [2, 1, 0, 3]]]),
    (
        lambda x: pt.reverse_sequence(x, [1, 3, 2, 0], axis=0, batch_axis=-1),
        X[[[0, 2, 1, 0], [1, 1, 0, 1], [2, 0, 2, 2]], [0, 1, 2, 3]],
    ),
    (lambda x: pt.index_add(x, [0, 0, -1], x * 2), added([0, 0, -1], X * 2, 0)),
    (lambda x: pt.index_add(x, [1], x[:, :1], axis=1), added([1], X[:, :1], 1)),
    (lambda x: pt.masked_fill(x, X > 5, 0.5), np.where(X > 5, 0.5, X)),
    (lambda x: pt.masked_fill(x, [True, False, False, True], -1), np.where([True, False, False, True], -1, X)),
    (lambda x: pt.diag(x[0]), np.diag(X[0])),
    (lambda x: pt.diag(x[0], k=-2), np.diag(X[0], -2)),
    (lambda x: pt.diag(x[0, :0], k=1), np.diag(X[0, :0], 1)),
    (lambda x: pt.diag(x, k=1), np.diag(X, 1)),
    (lambda x: pt.diag(x, k=-2), np.diag(X, -2)),
    (lambda x: pt.diag(x, k=7), np.diag(X, 7)),
]


@pytest.mark.parametrize(("ours", "expected"), CALLS)
def test_values_are_numpy_s_and_gradients_flow(ours: Callable[[Any], Any], expected: Any, backend: str) -> None:
    x = pt.asarray(X, device=backend)
    with pt.device(backend):
        y = ours(x)
        assert y.dtype == pt.float64
        np.testing.assert_array_equal(y.numpy(), expected)
        np.testing.assert_array_equal(pt.function(ours)(x).numpy(), expected)
        pt.check_gradients(ours, [x], order=2)
    np.testing.assert_array_equal(x.numpy(), X)


def test_the_last_of_repeated_positions_counts_and_only_it_has_a_gradient(backend: str) -> None:
    values = pt.asarray([1.0, 2.0, 3.0], device=backend)
    with pt.GradientTape() as tape:
        tape.watch(values)
        y = pt.put_along_axis(pt.zeros(3, device=backend), [1, 1, 0], values)
    assert y.tolist() == [3, 2, 0]
    assert tape.gradient(y, values).tolist() == [0, 1, 1]


@pytest.mark.parametrize("dtype", ["float32", "int8", "uint16"])
@pytest.mark.parametrize(
    ("mode", "ufunc"),
    [("add", np.add), ("multiply", np.multiply), ("max", np.maximum), ("min", np.minimum)],
    ids=["add", "multiply", "max", "min"],
)
def test_put_combines_an_element_with_all_values_at_its_position(
    mode: str, ufunc: Any, dtype: str, backend: str
) -> None:
    x, values = X.astype(dtype), np.arange(1, 10).reshape(3, 3).astype(dtype)
    indices = np.array([[1, 1, -1], [0, 0, 0], [2, 3, 2]])
    with pt.device(backend):

        def put_values(x: Any, indices: Any, values: Any) -> pt.Tensor:
            return pt.put_along_axis(x, indices, values, mode=mode)

        for call in (put_values, pt.function(put_values)):
            y = call(pt.asarray(x), pt.asarray(indices), pt.asarray(values))
            np.testing.assert_array_equal(y.numpy(), combined(ufunc, x, indices, values, 1))
            assert y.dtype == dtype
        along_rows = pt.put_along_axis(pt.asarray(x[:, :3]), indices[:1], 2, axis=0, mode=mode)
    twos = np.full((1, 3), 2, dtype)
    np.testing.assert_array_equal(along_rows.numpy(), combined(ufunc, x[:, :3], indices[:1], twos, 0))


def test_the_gradient_of_a_combination_is_that_of_its_sum_product_or_largest_element(backend: str) -> None:
    with pt.device(backend):
        x, values = pt.asarray([2.0, 3.0, 5.0]), pt.asarray([7.0, 0.0, 5.0])
        expected = {
            "add": ([1, 1, 1], [1, 1, 1]),
            "multiply": ([0, 1, 5], [0, 14, 5]),
            "max": ([0, 1, 0.5], [1, 0, 0.5]),
            "min": ([0, 1, 0.5], [0, 1, 0.5]),
        }
        for mode, gradients in expected.items():
            with pt.GradientTape() as tape:
                tape.watch([x, values])
                y = pt.put_along_axis(x, pt.asarray([0, 0, 2]), values, mode=mode)
            assert [g.tolist() for g in tape.gradient(y, [x, values])] == [list(g) for g in gradients], mode


def test_put_values_take_the_dtype_of_the_operand() -> None:
    assert pt.put_along_axis(pt.asarray([1.0, 2.0]), [0], [3]).dtype == pt.float32
    with pytest.raises(DTypeError, match="would drop the fractions"):
        pt.put_along_axis(pt.asarray([1, 2]), [0], [3.7])
    assert pt.index_add(pt.asarray([1, 2], dtype="int8"), [0], [3]).tolist() == [4, 2]


@pytest.mark.parametrize(
    ("call", "exception", "part"),
    [
        (lambda x: pt.take_along_axis(x, [[4]]), OutOfRangeError, "out of"),
        (lambda x: pt.take_along_axis(x, [[-5]]), OutOfRangeError, "out of"),
        (lambda x: pt.put_along_axis(x, [[4]], 0), OutOfRangeError, "out of"),
        (lambda x: pt.put_along_axis(x, [[4]], 0, mode="add"), OutOfRangeError, "out of"),
        (lambda x: pt.put_along_axis(x, [[0]], 0, mode="mean"), SettingError, "no mode 'mean'"),
        (lambda x: pt.put_along_axis(x > 0, [[0]], True, mode="max"), DTypeError, "bool"),
        (lambda x: pt.reverse_sequence(x, [1, 2]), ShapeError, "cannot find the sequences"),
        (lambda x: pt.reverse_sequence(x, [1, 1, 5]), OutOfRangeError, "out of"),
        (lambda x: pt.reverse_sequence(x, [1, 1, 1], axis=0), ShapeError, "cannot find the sequences"),
        (lambda x: pt.reverse_sequence(x, [1.0, 1.0, 1.0]), DTypeError, "must be integers"),
        (lambda x: pt.take(x, [3], axis=0), OutOfRangeError, "out of"),
        (lambda x: pt.index_add(x, [3], x[:1]), OutOfRangeError, "out of"),
        (lambda x: pt.index_add(x, [0], x), ShapeError, "do not match the indices"),
        (lambda x: pt.put_along_axis(x, [0], 0), ShapeError, "another number of axes"),
        (lambda x: pt.put_along_axis(x, [[0]], pt.ones((9, 9))), ShapeError, "broadcast"),
        (lambda x: pt.take_along_axis(x, [[0.5]]), DTypeError, "must be integers"),
        (lambda x: pt.masked_fill(x, [True, False], 0), ShapeError, "do not broadcast"),
        (lambda x: pt.diag(x[None]), ShapeError, "a vector or a matrix"),
    ],
)
def test_what_does_not_fit_is_rejected(call: Callable[[Any], Any], exception: type[Exception], part: str) -> None:
    with pytest.raises(exception, match=part):
        call(pt.asarray(X))


def test_host_operands_go_to_the_device_of_the_tensor(backend: str) -> None:
    x = pt.asarray(X, device=backend)
    results = [
        pt.tensordot(X.T, x, axes=1), pt.vecdot(x, X), pt.einsum("ij,kj->ik", X, x), pt.kron([[1.0]], x),
        pt.outer(x[0], X[0]),
        pt.choose([0, 0, 0, 0], [x[0]]), pt.fill_diagonal(x, [1.0]), pt.bincount([1], weights=x[0, :1]),
        pt.digitize(X, x[0]), pt.histogram(X, x[0]).counts, pt.put_along_axis(x, [[0]], [[1.0]]),
        pt.index_add(x, [0], X[:1]),
        pt.select([X > 1], [x]), pt.insert(x, 0, X[0], axis=0), pt.segment_sum(x, [0, 1, 0], num_segments=2),
        *pt.broadcast_arrays(X, x), *pt.meshgrid(X[0], x[0]),
    ]  # fmt: skip
    assert {y.device for y in results} == {x.device}
