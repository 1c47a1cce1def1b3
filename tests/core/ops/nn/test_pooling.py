"""Pools: values known from PyTorch 2.13, where the gradient goes, and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.ndimage

import polytape as pt
from polytape.errors import OutOfRangeError, ShapeError
from polytape.testing import check_gradients

RNG = np.random.default_rng(11)
FORMATS = ["channels_last", "channels_first"]
ROW = [[[3.0], [1.0], [4.0], [1.0], [5.0]]]


def gradient(f: Any, x: Any) -> Any:
    variable = pt.Variable(x)
    with pt.GradientTape() as tape:
        y = pt.sum(f(variable))
    return tape.gradient(y, variable).numpy()


def test_max_pools_agree_with_scipy_filters(backend: str) -> None:
    x = RNG.normal(size=(2, 7, 6, 3))
    with pt.device(backend):
        y = pt.nn.max_pool(pt.asarray(x), (3, 2), stride=1).numpy()
        mean = pt.nn.avg_pool(pt.asarray(x), (3, 2), stride=1).numpy()
    whole = scipy.ndimage.maximum_filter(x, (1, 3, 2, 1), mode="constant", cval=-np.inf)
    np.testing.assert_array_equal(y, whole[:, 1:-1, 1:])
    np.testing.assert_allclose(mean, scipy.ndimage.uniform_filter(x, (1, 3, 2, 1))[:, 1:-1, 1:], rtol=1e-12, atol=1e-14)


def test_the_gradient_of_a_tie_goes_to_the_first(backend: str) -> None:
    with pt.device(backend):
        x = np.array([[[2.0], [2.0], [0.0], [-np.inf], [np.nan], [1.0]]])
        assert gradient(lambda x: pt.nn.max_pool(x, 2), x).ravel().tolist() == [1, 0, 1, 0, 1, 0]
        low = np.full((1, 2, 1), -np.inf)  # as low as the padding
        assert gradient(lambda x: pt.nn.max_pool(x, 2, stride=1, padding=1), low).ravel().tolist() == [2, 1]


def test_padding_counts_only_on_request(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray(ROW)
        assert pt.nn.avg_pool(x, 2, padding=1).tolist() == [[[3.0], [2.5], [3.0]]]
        assert pt.nn.avg_pool(x, 2, padding=1, count_include_pad=True).tolist() == [[[1.5], [2.5], [3.0]]]
        assert pt.nn.avg_pool(x, 2, padding="same").tolist() == [[[2.0], [2.5], [5.0]]]
        assert pt.nn.max_pool(-x, 2, padding="same").tolist() == [[[-1.0], [-1.0], [-5.0]]]
        assert pt.nn.max_pool(pt.asarray(ROW, dtype="uint8"), 3, stride=1, dilation=2).tolist() == [[[5]]]


@pytest.mark.parametrize("data_format", FORMATS)
def test_adaptive_pools_reduce_the_regions_of_pytorch(data_format: str, backend: str) -> None:
    x = RNG.normal(size=(2, 7, 5, 3))
    regions = {(n, m): [slice(k * n // m, -(-(k + 1) * n // m)) for k in range(m)] for n in (7, 5) for m in (3, 5)}
    mean = [[x[:, a, b].mean((1, 2)) for b in regions[5, 5]] for a in regions[7, 3]]
    largest = [[x[:, a, b].max((1, 2)) for b in regions[5, 3]] for a in regions[7, 3]]
    given = x if data_format == "channels_last" else np.moveaxis(x, -1, 1)
    with pt.device(backend):
        averages = pt.nn.adaptive_avg_pool(pt.asarray(given), (3, 5), data_format=data_format).numpy()
        maxima = pt.nn.adaptive_max_pool(pt.asarray(given), 3, data_format=data_format).numpy()
    if data_format == "channels_first":
        averages, maxima = np.moveaxis(averages, 1, -1), np.moveaxis(maxima, 1, -1)
    np.testing.assert_allclose(averages, np.moveaxis(np.array(mean), 2, 0), rtol=1e-12)
    np.testing.assert_array_equal(maxima, np.moveaxis(np.array(largest), 2, 0))


def test_adaptive_pools_keep_infinity_in_its_region_and_the_dtype(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([[[1.0], [2.0], [3.0], [4.0], [np.inf]]])
        assert pt.nn.adaptive_avg_pool(x, 3).tolist() == [[[1.5], [3.0], [np.inf]]]
        half = pt.asarray(ROW, dtype="float16")
        assert pt.nn.adaptive_avg_pool(half, 2).dtype.name == "float16"
        assert pt.nn.adaptive_avg_pool(pt.asarray(ROW, dtype="int32"), 1).tolist() == [[[pytest.approx(2.8)]]]
        double = pt.nn.adaptive_max_pool(pt.asarray(ROW, dtype="float64"), 2)
        assert (double.dtype.name, double.tolist()) == ("float64", [[[4.0], [5.0]]])


def test_global_pools_and_norms(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray(ROW)
        assert pt.nn.global_max_pool(x).tolist() == [[5.0]]
        assert pt.nn.global_avg_pool(x, keepdims=True).tolist() == [[[pytest.approx(2.8)]]]
        assert pt.nn.global_max_pool(x, data_format="channels_first").tolist() == [[3.0, 1.0, 4.0, 1.0, 5.0]]
        y = pt.nn.lp_pool(pt.asarray([[[3.0], [-4.0], [0.0], [0.0]]]), 2)
        np.testing.assert_allclose(y.numpy().ravel(), [5.0, 0.0], rtol=1e-6)
        zero = gradient(lambda x: pt.nn.lp_pool(x, 2), np.zeros((1, 2, 1)))
        assert zero.ravel().tolist() == [0.0, 0.0]


@pytest.mark.parametrize("data_format", FORMATS)
def test_unpooling_puts_the_largest_elements_back(data_format: str, backend: str) -> None:
    x = RNG.normal(size=(2, 4, 6, 3)) if data_format == "channels_last" else RNG.normal(size=(2, 3, 4, 6))
    with pt.device(backend):
        values, indices = pt.nn.max_pool_with_indices(pt.asarray(x), 2, data_format=data_format)
        back = pt.nn.max_unpool(values, indices, (4, 6), data_format=data_format).numpy()
    assert indices.dtype.name == "int64"
    kept = back != 0
    np.testing.assert_array_equal(back[kept], x[kept])
    assert kept.sum() == values.numpy().size
    assert sorted(back[kept]) == sorted(values.numpy().ravel())


def test_indices_are_positions_in_the_image(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([[[[1.0, 5.0, 2.0], [7.0, 5.0, 0.0]]]])
        result = pt.nn.max_pool_with_indices(x, 2, stride=1, padding=1, data_format="channels_first")
        # As torch.nn.functional.max_pool2d(..., return_indices=True).
        assert result.indices.tolist() == [[[[0, 1, 1, 2], [3, 3, 1, 2], [3, 3, 4, 5]]]]
        low = pt.nn.max_pool_with_indices(pt.asarray(np.full((1, 1, 1), -np.inf)), 2, padding=1)
        assert (low.indices.numpy() == 0).all()  # never outside of the image


def test_gradients_of_composed_pools(backend: str) -> None:
    x = RNG.permutation(2 * 5 * 4 * 2).reshape(2, 5, 4, 2) / 10.0 + 0.05
    with pt.device(backend):
        for f in (
            lambda x: pt.nn.adaptive_avg_pool(x, 3),
            lambda x: pt.nn.adaptive_max_pool(x, 3),
            lambda x: pt.nn.lp_pool(x, 2, p=3.0),
            lambda x: pt.nn.max_pool(x, 3, stride=2, padding=1) ** 2,
            lambda x: pt.nn.max_pool_with_indices(x, 2).values,
        ):
            check_gradients(f, [pt.asarray(x)], order=2)


def test_half_precision_is_summed_in_float32(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray(np.full((1, 4096, 1), 1.0), dtype="float16")
        assert pt.nn.avg_pool(x, 4096).tolist() == [[[1.0]]]
        assert pt.nn.avg_pool(x * 60000, 2).tolist()[0][0] == [60000.0]


def test_errors_say_what_fits(backend: str) -> None:
    with pt.device(backend):
        x = pt.ones((1, 4, 4, 2))
        with pytest.raises(ShapeError, match=r"a window is longer than its axis(.|\n)*at most 4 elements"):
            pt.nn.max_pool(x, 5)
        with pytest.raises(OutOfRangeError, match="a window could lie in the padding"):
            pt.nn.max_pool(x, 2, padding=2)
        with pytest.raises(ShapeError, match="size does not fit"):
            pt.nn.avg_pool(x, (2, 2, 2))
        with pytest.raises(ShapeError, match="there is no axis to slide along"):
            pt.nn.avg_pool(pt.ones((2, 2)), 2)
        with pytest.raises(OutOfRangeError, match="output_size is too small"):
            pt.nn.adaptive_avg_pool(x, 0)
        with pytest.raises(ShapeError, match="there are no elements to pool"):
            pt.nn.adaptive_max_pool(pt.ones((1, 0, 2)), 1)
        with pytest.raises(OutOfRangeError, match=r"p is out of range(.|\n)*max_pool for infinity"):
            pt.nn.lp_pool(x, 2, p=float("inf"))
        with pytest.raises(ShapeError, match="the indices do not fit"):
            pt.nn.max_unpool(x, pt.zeros((1, 4, 4, 1), dtype="int64"), 8)
