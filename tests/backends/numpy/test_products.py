"""Stacks of outer products: the bits of NumPy's matmul, in every layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape_numpy.kernels.products as products

matmul = {kernel.op: kernel.fn for kernel in products.kernels(np)}["matmul"]


def special(*shape: int, dtype: str, seed: int = 0) -> Any:
    """Numbers among which are zeros of both signs, infinities and NaN."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    for value in (0.0, -0.0, np.inf, -np.inf, np.nan):
        x[rng.random(shape) < 0.05] = value
    return x.astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("left", "right"), [((64, 37, 1), (64, 1, 19)), ((5, 1, 8, 1), (7, 1, 64)), ((1, 9, 1), (300, 1, 1))], ids=str
)
def test_outer_products_have_the_bits_of_matmul(left: tuple[int, ...], right: tuple[int, ...], dtype: str) -> None:
    x, y = special(*left, dtype=dtype), special(*right, dtype=dtype, seed=1)
    if len(left) > len(right):
        y = y[None]
    turned = np.ascontiguousarray(x.swapaxes(0, -2)).swapaxes(0, -2)
    with np.errstate(all="ignore"):
        expected = np.matmul(x, y)
        numbers = ~np.isnan(expected)
        for operand in (x, turned, np.concatenate([x, x], -1)[..., :1]):
            got = matmul(operand, y)
            assert got.flags.c_contiguous and got.dtype == expected.dtype and got.shape == expected.shape
            np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
            assert got[numbers].tobytes() == expected[numbers].tobytes()


def test_stacks_of_other_sizes_or_dtypes_are_left_to_matmul() -> None:
    x = np.ones((64, 8, 1), "float32")
    assert products._are_outer(x, np.ones((64, 1, 8), "float32"))
    assert not products._are_outer(x, np.ones((64, 1, 8), "float64"))
    assert not products._are_outer(x[:2], np.ones((2, 1, 8), "float32"))
    with pytest.raises(ValueError):
        matmul(x, np.ones((3, 1, 64), "float32"))
