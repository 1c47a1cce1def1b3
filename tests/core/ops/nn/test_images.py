"""Resizing and blocks: values known from PyTorch 2.13 and TensorFlow, and what stays as it is."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage

import polytape as pt
from polytape.errors import OutOfRangeError, ShapeError
from polytape.testing import check_gradients

RNG = np.random.default_rng(13)
ROW = [[[1.0], [2.0], [4.0]]]


def test_linear_interpolation_has_half_pixel_centres_or_aligned_corners(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray(ROW)
        y = pt.nn.resize_bilinear(x, 6).numpy().ravel()
        np.testing.assert_allclose(y, [1.0, 1.25, 1.75, 2.5, 3.5, 4.0], rtol=1e-6)
        y = pt.nn.resize_bilinear(x, 5, align_corners=True).numpy().ravel()
        np.testing.assert_allclose(y, [1.0, 1.5, 2.0, 3.0, 4.0], rtol=1e-6)
        assert pt.nn.resize_bilinear(x, 1).tolist() == [[[2.0]]]
        assert pt.nn.resize_bilinear(x, 1, align_corners=True).tolist() == [[[1.0]]]
        assert pt.nn.resize_nearest(x, 5).tolist() == [[[1.0], [1.0], [2.0], [4.0], [4.0]]]
        assert pt.nn.resize_nearest(x, 4, align_corners=True).tolist() == [[[1.0], [2.0], [2.0], [4.0]]]
        assert pt.nn.resize_nearest(pt.asarray([[[True], [False]]]), 4).tolist() == [[[True], [True], [False], [False]]]


def test_cubic_interpolation_has_the_values_of_pytorch(backend: str) -> None:
    with pt.device(backend):
        # torch.nn.functional.interpolate(..., size=6, mode="bicubic"), along one axis
        y = pt.nn.resize_bicubic(pt.asarray(ROW, dtype="float64"), 6).numpy().ravel()
        expected = [0.89453125, 1.15625, 1.5625, 2.55859375, 3.58203125, 4.2109375]
        np.testing.assert_allclose(y, expected, rtol=1e-12)
        # With a = -0.5 a quadratic function is reproduced, away from the ends.
        t = np.arange(12.0)
        y = pt.nn.resize_bicubic(pt.asarray((t * t).reshape(1, 12, 1)), 24, a=-0.5).numpy().ravel()
        inside = (np.arange(24) + 0.5) / 2 - 0.5
        np.testing.assert_allclose(y[4:-4], inside[4:-4] ** 2, rtol=1e-12)


def test_resizing_agrees_with_scipy_zoom(backend: str) -> None:
    x = RNG.normal(size=(5, 7))
    with pt.device(backend):
        y = pt.nn.resize_bilinear(pt.asarray(x[None, :, :, None]), (9, 4), align_corners=True).numpy()[0, :, :, 0]
        first = pt.nn.resize_bilinear(
            pt.asarray(x[None, None]), (9, 4), align_corners=True, data_format="channels_first"
        )
    np.testing.assert_allclose(y, scipy.ndimage.zoom(x, (9 / 5, 4 / 7), order=1), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(first.numpy()[0, 0], y, rtol=1e-12)


def test_an_infinite_element_stays_among_its_neighbours(backend: str) -> None:
    with pt.device(backend):
        y = pt.nn.resize_bilinear(pt.asarray([[[1.0], [1.0], [np.inf], [1.0], [1.0], [1.0]]]), 12).numpy().ravel()
    assert np.isfinite(y[:3]).all()
    assert np.isfinite(y[8:]).all()


def test_dtypes_of_resized_images(backend: str) -> None:
    with pt.device(backend):
        image = pt.asarray([[[0], [255]]], dtype="uint8")
        assert pt.nn.resize_nearest(image, 4).dtype.name == "uint8"
        assert pt.nn.resize_bilinear(image, 4).dtype.name == "float32"
        assert pt.nn.resize_bicubic(pt.asarray(ROW, dtype="float16"), 4).dtype.name == "float16"
        assert pt.nn.resize_bilinear(pt.asarray(ROW, dtype="float64"), 4).dtype.name == "float64"


def test_gradients_of_resizing(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray(RNG.normal(size=(2, 3, 4, 2)))
        check_gradients(lambda x: pt.nn.resize_bilinear(x, (5, 3)), [x], order=2)
        check_gradients(lambda x: pt.nn.resize_bicubic(x, (5, 3), align_corners=True), [x], order=2)
        check_gradients(lambda x: pt.nn.resize_nearest(x, 5), [x], order=2)


def test_depth_to_space_has_the_order_of_tensorflow(backend: str) -> None:
    x = RNG.integers(0, 99, (2, 3, 2, 12))
    with pt.device(backend):
        y = pt.nn.depth_to_space(pt.asarray(x), 2)
        expected = x.reshape(2, 3, 2, 2, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 6, 4, 3)
        np.testing.assert_array_equal(y.numpy(), expected)
        np.testing.assert_array_equal(pt.nn.space_to_depth(y, 2).numpy(), x)
        first = pt.nn.depth_to_space(pt.asarray(np.moveaxis(x, -1, 1)), 2, data_format="channels_first")
        np.testing.assert_array_equal(np.moveaxis(first.numpy(), 1, -1), expected)
        np.testing.assert_array_equal(
            pt.nn.space_to_depth(first, 2, data_format="channels_first").numpy(), np.moveaxis(x, -1, 1)
        )


def test_pixel_shuffle_has_the_order_of_pytorch(backend: str) -> None:
    x = RNG.integers(0, 99, (2, 12, 3, 2))
    with pt.device(backend):
        y = pt.nn.pixel_shuffle(pt.asarray(x), 2, data_format="channels_first")
        expected = x.reshape(2, 3, 2, 2, 3, 2).transpose(0, 1, 4, 2, 5, 3).reshape(2, 3, 6, 4)
        np.testing.assert_array_equal(y.numpy(), expected)
        np.testing.assert_array_equal(pt.nn.pixel_unshuffle(y, 2, data_format="channels_first").numpy(), x)
        last = pt.nn.pixel_shuffle(pt.asarray(np.moveaxis(x, 1, -1)), 2)
        np.testing.assert_array_equal(np.moveaxis(last.numpy(), -1, 1), expected)
        np.testing.assert_array_equal(pt.nn.pixel_unshuffle(last, 2).numpy(), np.moveaxis(x, 1, -1))


def test_errors_say_what_fits(backend: str) -> None:
    with pt.device(backend):
        with pytest.raises(ShapeError, match=r"the channels do not make blocks(.|\n)*2\*\*2 divides"):
            pt.nn.depth_to_space(pt.ones((1, 2, 2, 6)), 2)
        with pytest.raises(ShapeError, match="the sizes do not make blocks"):
            pt.nn.space_to_depth(pt.ones((1, 3, 2, 6)), 2)
        with pytest.raises(OutOfRangeError, match="block_size is too small"):
            pt.nn.depth_to_space(pt.ones((1, 2, 2, 6)), 0)
        with pytest.raises(ShapeError, match="there are no elements to resize"):
            pt.nn.resize_nearest(pt.ones((1, 0, 2)), 3)
        with pytest.raises(ShapeError, match="size does not fit"):
            pt.nn.resize_bilinear(pt.ones((1, 3, 2)), (3, 3))
