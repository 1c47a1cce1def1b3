"""Convolutions against scipy.signal, and the relations between their forms."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import scipy.signal

import polytape as pt
from polytape.errors import DTypeError, OutOfRangeError, ShapeError
from polytape.ops.complex_parts import complex_
from polytape.testing import check_gradients

RNG = np.random.default_rng(7)


def draw(*shape: int) -> Any:
    return RNG.normal(size=shape)


def correlated(x: Any, w: Any) -> Any:
    """The valid convolution of [batch, *sizes, channels] with [*window, channels, channels out]."""
    y = [
        [
            sum(
                scipy.signal.correlate(image[..., c], w[..., c, o], mode="valid", method="direct")
                for c in range(x.shape[-1])
            )
            for o in range(w.shape[-1])
        ]
        for image in x
    ]
    return np.moveaxis(np.array(y), 1, -1)


@pytest.mark.parametrize(
    ("name", "sizes", "window", "channels"),
    [
        ("conv1d", (9,), (4,), (3, 2)),
        ("conv2d", (6, 7), (3, 2), (2, 3)),
        ("conv2d", (6, 7), (3, 2), (9, 3)),  # a product per element of the window
        ("conv2d", (6, 7), (6, 5), (9, 3)),  # a window longer than the result
        ("conv3d", (4, 5, 3), (2, 1, 3), (2, 2)),
    ],
)
def test_a_convolution_agrees_with_scipy(
    name: str, sizes: tuple[int, ...], window: tuple[int, ...], channels: tuple[int, int], backend: str
) -> None:
    x, w = draw(3, *sizes, channels[0]), draw(*window, *channels)
    with pt.device(backend):
        last = getattr(pt.nn, name)(pt.asarray(x), pt.asarray(w)).numpy()
        first = getattr(pt.nn, name)(pt.asarray(np.moveaxis(x, -1, 1)), pt.asarray(w), data_format="channels_first")
    np.testing.assert_allclose(last, correlated(x, w), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(np.moveaxis(first.numpy(), 1, -1), last, rtol=1e-12, atol=1e-12)


def test_same_padding_is_placed_as_in_tensorflow(backend: str) -> None:
    with pt.device(backend):
        x, w = pt.asarray([[[1.0], [2.0], [3.0], [4.0]]]), pt.asarray([[[1.0]], [[10.0]]])
        # The odd zero goes to the end.
        assert pt.nn.conv1d(x, w, padding="same").tolist() == [[[21.0], [32.0], [43.0], [4.0]]]
        assert pt.nn.conv1d(x, w, padding="same", stride=3).tolist() == [[[21.0], [4.0]]]
        assert pt.nn.conv1d(x, w, padding=[(2, 0)]).tolist() == [[[0.0], [10.0], [21.0], [32.0], [43.0]]]
        assert pt.nn.conv1d(x, w, padding=1, dilation=2).tolist() == [[[20.0], [31.0], [42.0], [3.0]]]


@pytest.mark.parametrize("name", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"), [*itertools.product((1, 2), (0, 1), (1, 2), (1, 2))]
)
def test_a_transposed_convolution_is_the_adjoint(
    stride: int, padding: int, dilation: int, groups: int, name: str, backend: str
) -> None:
    window, (channels, out) = (3, 2), (4, 2)
    attributes: Any = {
        "stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "data_format": name
    }  # fmt: skip
    with pt.device(backend):
        w = pt.asarray(draw(*window, channels // groups, out))
        x = pt.asarray(draw(2, channels, 9, 7) if name == "channels_first" else draw(2, 9, 7, channels))
        y = pt.nn.conv2d(x, w, **attributes)
        g = pt.asarray(draw(*y.shape))
        # Several sizes of x have a convolution of the size of y; without output_padding the transpose has the smallest.
        shortest = pt.nn.conv2d_transpose(g, w, **attributes).shape
        axes = (2, 3) if name == "channels_first" else (1, 2)
        extra = [x.shape[axis] - shortest[axis] for axis in axes]
        back = pt.nn.conv2d_transpose(g, w, output_padding=extra, **attributes)
        assert float(pt.sum(y * g)) == pytest.approx(float(pt.sum(x * back)), rel=1e-10)


def test_a_transposed_convolution_has_the_sizes_of_tensorflow(backend: str) -> None:
    with pt.device(backend):
        x, w = pt.ones((1, 4, 1)), pt.ones((3, 1, 1))
        assert pt.nn.conv1d_transpose(x, w, stride=2).shape == (1, 9, 1)
        assert pt.nn.conv1d_transpose(x, w, stride=2, output_padding=1).shape == (1, 10, 1)
        assert pt.nn.conv1d_transpose(x, w, stride=2, padding="same").shape == (1, 8, 1)
        assert pt.nn.conv1d_transpose(x, w, stride=5, padding="same").shape == (1, 20, 1)
        y = pt.nn.conv1d_transpose(pt.asarray([[[1.0], [2.0]]]), pt.asarray([[[1.0]], [[3.0]], [[5.0]]]), stride=2)
        assert y.tolist() == [[[1.0], [3.0], [7.0], [6.0], [10.0]]]
        assert pt.nn.conv3d_transpose(pt.ones((1, 2, 2, 2, 1)), pt.ones((1, 2, 3, 2, 1))).shape == (1, 2, 3, 4, 2)


def test_a_depthwise_convolution_convolves_each_channel(backend: str) -> None:
    x, w = draw(2, 5, 6, 3), draw(2, 3, 3, 2)
    with pt.device(backend):
        y = pt.nn.depthwise_conv2d(pt.asarray(x), pt.asarray(w)).numpy()
        for c in range(3):
            alone = pt.nn.conv2d(pt.asarray(x[..., c : c + 1]), pt.asarray(w[:, :, c : c + 1])).numpy()
            np.testing.assert_allclose(y[..., 2 * c : 2 * c + 2], alone, rtol=1e-12, atol=1e-13)
        p = draw(1, 1, 6, 4)
        separable = pt.nn.separable_conv2d(pt.asarray(x), pt.asarray(w), pt.asarray(p)).numpy()
    np.testing.assert_allclose(separable, y @ p[0, 0], rtol=1e-12, atol=1e-13)


def test_gradients_of_many_groups_and_of_strided_windows(backend: str) -> None:
    with pt.device(backend):
        # The numpy backend computes the weights' gradient of a depthwise convolution by a kernel of its own.
        x, w = pt.asarray(draw(3, 4, 5, 3)), pt.asarray(draw(2, 2, 3, 1))
        check_gradients(lambda x, w: pt.nn.depthwise_conv2d(x, w, padding="same"), [x, w], order=2)
        x, w = pt.asarray(draw(2, 6, 2)), pt.asarray(draw(3, 2, 9))
        check_gradients(lambda x, w: pt.nn.conv1d(x, w, stride=2, padding=2), [x, w], order=2)
        check_gradients(lambda g, w: pt.nn.conv1d_transpose(g, w, stride=3), [pt.asarray(draw(2, 3, 9)), w], order=2)


def test_the_gradient_of_complex_weights_is_conjugated(backend: str) -> None:
    x = np.array([[[1 + 2j], [3 - 1j], [2 + 0j]]])
    with pt.device(backend):
        real, imag = pt.Variable(np.ones((2, 1, 1))), pt.Variable(np.full((2, 1, 1), 0.5))
        with pt.GradientTape() as tape:
            y = pt.sum(pt.real(pt.nn.conv1d(pt.asarray(x), complex_(real, imag))))
        gradients = tape.gradient(y, [real, imag])
    # The real part is the sum of Re(x) * real - Im(x) * imag.
    assert [g.numpy().ravel().tolist() for g in gradients] == [[4.0, 5.0], [-1.0, 1.0]]


def test_integers_stay_integers_and_half_precision_is_summed_in_float32(backend: str) -> None:
    with pt.device(backend):
        y = pt.nn.conv1d(pt.asarray([[[1], [2], [3]]], dtype="int8"), pt.asarray([[[1]], [[100]]], dtype="int8"))
        assert y.dtype.name == "int8"
        assert y.tolist() == [[[-55], [46]]]
        ones = pt.ones((1, 4096, 1), dtype="float16")
        assert pt.nn.conv1d(ones, pt.ones((4096, 1, 1), dtype="float16")).tolist() == [[[4096.0]]]


def test_numpy_arrays_go_to_the_device_of_the_tensor(backend: str) -> None:
    with pt.device(backend):
        w = pt.ones((2, 1, 1), dtype="float64")
    y = pt.nn.conv1d(np.array([[[1.0], [2.0], [4.0]]]), w)
    assert y.device.backend == w.device.backend
    assert y.tolist() == [[[3.0], [6.0]]]


def test_windows_are_those_of_numpy_and_fold_sums_them(backend: str) -> None:
    x = draw(2, 7)
    with pt.device(backend):
        inside = pt.nn.windows(pt.asarray(x), 3, stride=2)
        expected = np.lib.stride_tricks.sliding_window_view(x, 3, 1)[:, ::2]
        np.testing.assert_array_equal(inside.numpy(), expected)
        counts = pt.nn.fold(pt.ones((1, 3, 3)), 7, stride=2)
        assert counts.tolist() == [[1.0, 1.0, 2.0, 1.0, 2.0, 1.0, 1.0]]
        assert pt.nn.windows(pt.asarray(x), (1, 2), axes=(0, -1)).shape == (2, 6, 1, 2)


def test_a_traced_convolution_equals_an_eager_one(backend: str) -> None:
    with pt.device(backend):
        x, w = pt.asarray(draw(2, 5, 5, 2)), pt.asarray(draw(3, 3, 2, 4))

        def f(x: pt.Tensor, w: pt.Tensor) -> pt.Tensor:
            return pt.nn.conv2d(x, w, padding="same", stride=2)

        np.testing.assert_allclose(pt.function(f)(x, w).numpy(), f(x, w).numpy(), rtol=1e-12)


def test_errors_say_what_fits(backend: str) -> None:
    with pt.device(backend):
        x, w = pt.ones((1, 4, 4, 2)), pt.ones((3, 3, 2, 1))
        with pytest.raises(ShapeError, match=r"the weights do not fit(.|\n)*channels in, channels out"):
            pt.nn.conv2d(x, pt.ones((1, 2, 3, 3)))
        with pytest.raises(ShapeError, match=r"conv2d takes a batch of 2-dimensional data(.|\n)*rank 4"):
            pt.nn.conv2d(pt.ones((4, 4, 2)), w)
        with pytest.raises(ShapeError, match="a window is longer than its axis"):
            pt.nn.conv2d(x, w, dilation=2)
        with pytest.raises(ShapeError, match="there is no padding 'full'"):
            pt.nn.conv2d(x, w, padding="full")
        with pytest.raises(ShapeError, match="there is no data format 'NCHW'"):
            pt.nn.conv2d(x, w, data_format="NCHW")
        with pytest.raises(ShapeError, match="stride does not fit"):
            pt.nn.conv2d(x, w, stride=(1, 2, 1))
        with pytest.raises(OutOfRangeError, match="stride is too small"):
            pt.nn.conv2d(x, w, stride=0)
        with pytest.raises(OutOfRangeError, match="padding is too small"):
            pt.nn.conv2d(x, w, padding=-1)
        with pytest.raises(DTypeError, match="is not defined for bool"):
            pt.nn.conv2d(x > 0, w > 0)
        with pytest.raises(ShapeError, match=r"the weights do not fit(.|\n)*channels out before channels in"):
            pt.nn.conv2d_transpose(x, w)
