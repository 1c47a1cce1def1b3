"""Axes, joining, splitting and creation against NumPy, and the gradients of what is made of other ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import ShapeError

HOST = np.arange(24.0).reshape(2, 3, 4)
ONES = np.arange(6.0).reshape(1, 2, 1, 3)

# The call in polytape and in NumPy.
CALLS: list[tuple[Any, Callable[[Any], Any], Callable[[Any], Any]]] = [
    (HOST, lambda x: pt.expand_dims(x, axis=1), lambda x: np.expand_dims(x, 1)),
    (HOST, lambda x: pt.expand_dims(x, axis=(0, -1)), lambda x: np.expand_dims(x, (0, -1))),
    (ONES, lambda x: pt.squeeze(x), lambda x: np.squeeze(x)),
    (ONES, lambda x: x.squeeze(axis=(0, -2)), lambda x: np.squeeze(x, (0, -2))),
    (HOST, lambda x: x.flatten(), lambda x: x.flatten()),
    (HOST, lambda x: pt.moveaxis(x, 0, -1), lambda x: np.moveaxis(x, 0, -1)),
    (HOST, lambda x: pt.moveaxis(x, (0, 2), (1, 0)), lambda x: np.moveaxis(x, (0, 2), (1, 0))),
    (HOST, lambda x: x.swapaxes(0, -1), lambda x: np.swapaxes(x, 0, -1)),
    (HOST, lambda x: pt.flip(x), lambda x: np.flip(x)),
    (HOST, lambda x: pt.flip(x, axis=(0, 2)), lambda x: np.flip(x, (0, 2))),
    (HOST, lambda x: pt.rot90(x), lambda x: np.rot90(x)),
    (HOST, lambda x: pt.rot90(x, k=3, axes=(1, 2)), lambda x: np.rot90(x, 3, (1, 2))),
    (HOST, lambda x: pt.rot90(x, k=2), lambda x: np.rot90(x, 2)),
    (HOST, lambda x: pt.tile(x, (2, 1, 3)), lambda x: np.tile(x, (2, 1, 3))),
    (HOST, lambda x: pt.tile(x, (2, 1, 1, 2)), lambda x: np.tile(x, (2, 1, 1, 2))),
    (HOST, lambda x: pt.tile(x, 2), lambda x: np.tile(x, 2)),
    (HOST, lambda x: pt.repeat(x, 2), lambda x: np.repeat(x, 2)),
    (HOST, lambda x: x.repeat(3, axis=-1), lambda x: np.repeat(x, 3, -1)),
    (HOST, lambda x: pt.repeat(x, [2, 0, 1], axis=1), lambda x: np.repeat(x, [2, 0, 1], 1)),
    (HOST, lambda x: pt.repeat(x, pt.asarray([2, 0, 1]), axis=1), lambda x: np.repeat(x, [2, 0, 1], 1)),
    (HOST, lambda x: pt.unstack(x, axis=1)[2], lambda x: x[:, 2]),
    (HOST, lambda x: pt.split(x, 2, axis=-1)[1], lambda x: np.split(x, 2, -1)[1]),
    (HOST, lambda x: pt.split(x, [1, 3], axis=2)[1], lambda x: np.split(x, [1, 3], 2)[1]),
    (HOST, lambda x: pt.array_split(x, 3, axis=2)[0], lambda x: np.array_split(x, 3, 2)[0]),
    (HOST, lambda x: pt.atleast_3d(x[0, 0]), lambda x: np.atleast_3d(x[0, 0])),
    (HOST, lambda x: pt.atleast_3d(x[0]), lambda x: np.atleast_3d(x[0])),
    (HOST, lambda x: pt.atleast_2d(x[0, 0]), lambda x: np.atleast_2d(x[0, 0])),
    (HOST, lambda x: pt.atleast_1d(x[0, 0, 0]), lambda x: np.atleast_1d(x[0, 0, 0])),
    (HOST, lambda x: pt.broadcast_arrays(x, x[:, :1])[1], lambda x: np.broadcast_arrays(x, x[:, :1])[1]),
    (HOST[0, 0], lambda x: pt.meshgrid(x, x[:2])[0], lambda x: np.meshgrid(x, x[:2])[0]),
    (HOST[0, 0], lambda x: pt.meshgrid(x, x[:2], x[:3], indexing="ij")[2],
     lambda x: np.meshgrid(x, x[:2], x[:3], indexing="ij")[2]),
]  # fmt: skip


@pytest.mark.parametrize(("host", "ours", "theirs"), CALLS, ids=range(len(CALLS)))
def test_results_are_numpy_s_and_gradients_flow(host: Any, ours: Any, theirs: Any, backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray(host)
        expected = theirs(host)
        assert ours(x).shape == expected.shape and ours(x).tolist() == expected.tolist()
        pt.check_gradients(lambda x: ours(x * x), x, order=2)


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda x: pt.expand_dims(x, axis=4), "there is no axis 4"),
        (lambda x: pt.squeeze(x, axis=0), "cannot remove axis 0"),
        (lambda x: pt.moveaxis(x, (0, 1), 0), "source and destination differ"),
        (lambda x: pt.swapaxes(x, 0, 3), "there is no axis 3"),
        (lambda x: pt.split(x, 3, axis=2), "equal parts"),
        (lambda x: pt.array_split(x, 0), "a split needs a part"),
        (lambda x: pt.repeat(x, [1, 2], axis=1), "the numbers do not fit"),
        (lambda x: pt.repeat(x, -1), "the numbers do not fit"),
        (lambda x: pt.tile(x, -1), "a size is negative"),
        (lambda x: pt.rot90(x, axes=(0, 0)), "an axis is named twice"),
        (lambda x: pt.meshgrid(x), "takes vectors"),
        (lambda x: pt.meshgrid(x[0, 0], indexing="ji"), "indexing='xy' or 'ij'"),
        (lambda x: pt.broadcast_shapes((2,), (3,)), "do not broadcast"),
        (lambda x: pt.eye(-1), "a size is negative"),
        (lambda x: pt.geomspace(-1.0, 1.0), "the same sign"),
    ],
)
def test_what_does_not_fit_is_rejected(call: Any, part: str) -> None:
    with pytest.raises(ShapeError, match=part):
        call(pt.asarray(HOST))


def test_tensors_like_another_have_its_shape_dtype_and_device(backend: str) -> None:
    with pt.device(backend):
        x = pt.ones((2, 3), dtype="float16")
    for made, value in (
        (pt.zeros_like(x), 0.0),
        (pt.ones_like(x), 1.0),
        (pt.full_like(x, 2.5), 2.5),
        (pt.empty_like(x), 0.0),
    ):
        assert made.dtype == pt.float16 and made.device == x.device and made.tolist() == [[value] * 3] * 2
    assert pt.zeros_like(x, dtype="int32").dtype == pt.int32


@pytest.mark.parametrize(("rows", "columns", "k"), [(3, None, 0), (2, 4, 1), (4, 2, -2), (0, 3, 0), (2, 2, 9)])
def test_eye_is_numpy_s(rows: int, columns: int | None, k: int) -> None:
    assert pt.eye(rows, columns, k=k, dtype="int8").tolist() == np.eye(rows, columns, k, "int8").tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize("endpoint", [True, False])
@pytest.mark.parametrize("num", [0, 1, 2, 7, 50])
def test_linspace_has_numpy_s_values_and_both_ends(num: int, endpoint: bool, dtype: str) -> None:
    got = pt.linspace(-1.0, 3.7, num, endpoint=endpoint, dtype=dtype).numpy()
    expected = np.linspace(-1.0, 3.7, num, endpoint=endpoint, dtype=dtype)
    np.testing.assert_allclose(
        got, expected, rtol=1e-7 if got.dtype.itemsize < 8 or dtype == "complex64" else 1e-15, atol=1e-7
    )
    if num > 1 and endpoint:
        assert got[0] == expected[0] and got[-1] == expected[-1]


def test_spaces_of_equal_ratios_are_numpy_s() -> None:
    np.testing.assert_allclose(pt.logspace(0.0, 3.0, 4, dtype="float64").numpy(), np.logspace(0.0, 3.0, 4), rtol=1e-14)
    np.testing.assert_allclose(pt.geomspace(-1.0, -1000.0, 4).numpy(), np.geomspace(-1.0, -1000.0, 4), rtol=1e-6)


def test_transpose_takes_the_axes_as_numpy_does(backend: str) -> None:
    with pt.device(backend):
        x = pt.reshape(pt.arange(24), (2, 3, 4))
        host = x.numpy()
        for axes in ((), ((1, 0, 2),), (0, 2, 1), ([-1, 0, 1],), (None,)):
            assert np.array_equal(pt.transpose(x, *axes).numpy(), host.transpose(*axes))
            assert np.array_equal(x.transpose(*axes).numpy(), host.transpose(*axes))
        assert pt.transpose(x, axes=(2, 1, 0)).shape == (4, 3, 2)
        assert pt.transpose(pt.ones(3)).shape == (3,)
        assert pt.transpose(pt.ones((2, 3)), (0, 1)).shape == (2, 3)
        assert pt.transpose(pt.ones((2, 3)), 1, 0).shape == pt.transpose(pt.ones((2, 3)), -1, 0).shape == (3, 2)


def test_two_axes_of_three_are_not_exchanged_by_transpose() -> None:
    with pytest.raises(ShapeError, match=r"got two axes(.|\n)*swapaxes\(x, 0, 2\)"):
        pt.ones((2, 3, 4)).transpose(0, 2)
    for axes in ((0, 1), (-2, -1), (0, -1)):  # PyTorch would exchange them, NumPy leave them
        with pytest.raises(ShapeError, match=r"got two axes for shape \(2, 3\)"):
            pt.ones((2, 3)).transpose(*axes)
    with pytest.raises(ShapeError, match="not a permutation"):
        pt.ones((2, 3, 4)).transpose((0, 2))


def test_methods_take_the_sizes_or_axes_one_by_one_too() -> None:
    x = pt.reshape(pt.arange(24), (2, 3, 4))
    assert x.reshape(4, 6).shape == x.reshape(4, -1).shape == x.reshape((4, 6)).shape == (4, 6)
    assert x.reshape(-1).shape == x.reshape([24]).shape == (24,)
    assert x.reshape(1, 24, copy=True).shape == (1, 24)
    assert x.permute_dims(2, 0, 1).tolist() == x.permute_dims((2, 0, 1)).tolist() == x.transpose(2, 0, 1).tolist()
    with pytest.raises(ShapeError, match="24 elements"):
        x.reshape(5, 5)
    with pytest.raises(ShapeError, match="not a valid shape"):
        x.reshape((2, 3), 4)  # type: ignore[arg-type]
