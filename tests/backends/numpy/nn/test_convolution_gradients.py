"""Gradients of the weights of convolutions, against sums over all windows."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from polytape_numpy.kernels.nn import convolution_gradients

KERNEL = {kernel.op: kernel.fn for kernel in convolution_gradients.kernels(np)}["conv_weight_gradient"]


def _expected(g: Any, x: Any, window: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    x = np.pad(x, ((0, 0), *padding, (0, 0)))
    y = np.zeros((*window, x.shape[-1], g.shape[-1]), x.dtype)
    for tap in product(*[range(k) for k in window]):
        starts = zip(tap, dilation, stride, g.shape[1:-1], strict=True)
        met = x[(slice(None), *[slice(k * d, k * d + (n - 1) * s + 1, s) for k, d, s, n in starts])]
        y[tap] = np.tensordot(met.conj(), g, (range(g.ndim - 1), range(g.ndim - 1)))
    return y


@pytest.mark.parametrize("first", [False, True], ids=["channels last", "channels first"])
@pytest.mark.parametrize("channels", [1, 3, 8])
@pytest.mark.parametrize(
    ("sizes", "window", "stride", "padding", "dilation"),
    [
        ((7,), (3,), (1,), ((1, 1),), (1,)),
        ((7, 6), (3, 2), (2, 1), ((1, 0), (0, 2)), (1, 2)),
        ((3, 4, 5), (1, 2, 2), (1, 1, 2), ((0, 0), (1, 1), (0, 0)), (1, 1, 1)),
        ((5, 5), (5, 5), (1, 1), ((0, 0), (0, 0)), (1, 1)),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_the_gradient_is_the_sum_over_all_windows(
    sizes: Any, window: Any, stride: Any, padding: Any, dilation: Any, channels: int, first: bool, dtype: str
) -> None:
    rng = np.random.default_rng(0)
    counts = [
        (n + sum(pair) - (k - 1) * d - 1) // s + 1
        for n, k, s, pair, d in zip(sizes, window, stride, padding, dilation, strict=True)
    ]
    x = rng.standard_normal((3, *sizes, channels)).astype(dtype) + (1j if dtype[0] == "c" else 0)
    g = rng.standard_normal((3, *counts, 4)).astype(dtype)
    expected = _expected(g, x, window, stride, padding, dilation)
    if first:
        x, g = np.moveaxis(x, -1, 1).copy(), np.moveaxis(g, -1, 1).copy()
    y = KERNEL(
        g, x, window=window, stride=stride, padding=padding, lhs_dilation=(1,) * len(window), rhs_dilation=dilation,
        groups=1, data_format="channels_first" if first else "channels_last",
    )  # fmt: skip
    np.testing.assert_allclose(y, expected, 1e-12, 1e-12)


@pytest.mark.parametrize("channels", [2, 16])
def test_images_are_multiplied_in_parts_that_add_up(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, g = rng.standard_normal((11, 6, 6, channels)), rng.standard_normal((11, 6, 6, 4))
    same = ((1, 1), (1, 1))
    attributes: Any = {"window": (3, 3), "stride": (1, 1), "padding": same, "lhs_dilation": (1, 1)}
    attributes |= {"rhs_dilation": (1, 1), "groups": 1, "data_format": "channels_last"}
    expected = _expected(g, x, (3, 3), (1, 1), same, (1, 1))
    for limits in ({"WINDOWS": 36 * 9 * channels * 4}, {"WINDOWS": 1}, {"MATRIX": 1}):
        with monkeypatch.context() as patch:
            for name, value in limits.items():
                patch.setattr(convolution_gradients, name, value)
            np.testing.assert_allclose(KERNEL(g, x, **attributes), expected, 1e-12, 1e-12)
