"""The compiled draws, masks and pools have the bits of NumPy's kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from polytape_numba.kernels import kernels
from polytape_numpy.kernels import build
from polytape_numpy.kernels.philox import block32, block64

pytest.importorskip("numba")

FAMILIES = ("random", "nn.pooling", "nn.regularization")
NUMBA = {kernel.op: kernel.fn for kernel in kernels(FAMILIES)}
NUMPY = {kernel.op: kernel.fn for kernel in build(np, FAMILIES)}
STATES = [[123456789012345, 7], [2**64 - 1, 2**64 - 3], [0, 2**32 - 2]]


def _assert_equal(op: str, *operands: Any, **attributes: Any) -> None:
    y, expected = NUMBA[op](*operands, **attributes), NUMPY[op](*operands, **attributes)
    assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("state", STATES, ids=str)
@pytest.mark.parametrize("n", [8, 13, 1000, 70_001])
def test_draws_have_the_same_bits(state: Any, n: int) -> None:
    state = np.array(state, "uint64")
    for lane in (0, 1, 2**64 - 1):
        _assert_equal("random_bits", state, lane=lane, n=n, device=None)
    for dtype in ("float16", "float32", "float64"):
        for op in ("random_uniform", "random_normal"):
            _assert_equal(op, state, shape=(n,), dtype=np.dtype(dtype), device=None)
    for low, high in ((0, 6), (-5, 2**32 - 5), (0, 2**32 - 1), (-(2**63), 2**63 - 1), (2**63, 2**63 + 3), (0, 2**64)):
        dtype = "int64" if low < 0 else "uint64"
        _assert_equal("random_integers", state, low=low, high=high, shape=(n,), dtype=np.dtype(dtype), device=None)
    for rate in (0.0, 0.2, 0.5, 2.0**-17, 1.0 - 2.0**-40, 1.0):
        _assert_equal("random_mask", state, rate=rate, shape=(n,), device=None)


def test_a_state_that_cannot_be_written_gives_the_same_bits() -> None:
    state = np.array(STATES[0], "uint64")
    expected = NUMBA["random_bits"](state, n=40, device=None)
    state.flags.writeable = False
    np.testing.assert_array_equal(NUMBA["random_bits"](state, n=40, device=None), expected)
    reversed_view = np.array(STATES[0][::-1], "uint64")[::-1]
    np.testing.assert_array_equal(NUMBA["random_bits"](reversed_view, n=40, device=None), expected)


@pytest.mark.parametrize("position", [0, 3, 5, 18, 999])
def test_later_digits_of_a_mask_decide_as_in_numpy(position: int) -> None:
    key, counter = STATES[0]
    w0, w1, w2, w3 = block32((counter, 0, 0, 0), (key & 0xFFFFFFFF, key >> 32))
    stream, number = (w0 | w1 << 32, w2 | w3 << 32), 0
    for digit in range(3):
        word = block64((position // 16, digit, 0, 0), stream)[position // 4 % 4]
        number = number << 16 | word >> 16 * (position % 4) & 0xFFFF
    for delta in (-1, 0, 1, 2**16, -(2**16)):
        rate = (number + delta) * 2.0**-48
        mask = NUMBA["random_mask"](np.array([key, counter], "uint64"), rate=rate, shape=(1000,), device=None)
        assert bool(mask[position]) == (delta <= 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_mask_scales_what_it_keeps(dtype: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20, 30)).astype(dtype)
    x[0, :4] = [np.inf, np.nan, -np.inf, 0.0]
    for kept in (rng.random(x.shape) < 0.5, np.zeros(x.shape, "bool")):
        _assert_equal("masked_scale", x, kept, scale=1.25)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("values", ["distinct", "tied", "not numbers"])
@pytest.mark.parametrize("channels", [1, 3, 16])
@pytest.mark.parametrize(
    ("size", "stride", "padding", "dilation"),
    [
        ((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)),
        ((3, 2), (1, 2), ((1, 1), (0, 1)), (1, 1)),
        ((2, 3), (2, 1), ((2, 0), (1, 2)), (2, 1)),
    ],
)
def test_pools_and_their_gradients_agree(
    size: Any, stride: Any, padding: Any, dilation: Any, channels: int, values: str, dtype: str
) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 6, 7, channels)).astype(dtype)
    if values != "distinct":
        x = np.maximum(np.round(x), 0)
    if values == "not numbers":
        x[rng.random(x.shape) < 0.2] = np.nan
        x[rng.random(x.shape) < 0.2] = -np.inf
    place = {"size": size, "stride": stride, "padding": padding, "dilation": dilation, "axes": (1, 2)}
    _assert_equal("max_pool", x, **place)
    y = NUMPY["max_pool"](x, **place)
    g = rng.integers(-9, 9, y.shape).astype(dtype)
    _assert_equal("max_pool_gradient", g, x, y, **place)
    _assert_equal("max_pool_gradient", g[::-1], x, y, **place)  # other layouts are NumPy's
