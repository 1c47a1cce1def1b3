"""The gradient of max_pool, against a loop over windows."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from polytape_numpy.kernels.nn import pooling

KERNELS = {kernel.op: kernel.fn for kernel in pooling.kernels(np)}


def _expected(g: Any, x: Any, size: Any, stride: Any) -> Any:
    """Of images [n, height, width, channels]."""
    y = np.zeros_like(x)
    for n, i, j, c in product(*[range(k) for k in g.shape]):
        rows, columns = slice(i * stride[0], i * stride[0] + size[0]), slice(j * stride[1], j * stride[1] + size[1])
        window = x[n, rows, columns, c]
        a, b = divmod(int(np.argmax(window)), size[1])  # the first largest one, or the first NaN
        y[n, i * stride[0] + a, j * stride[1] + b, c] += g[n, i, j, c]
    return y


@pytest.mark.parametrize("values", ["distinct", "tied", "not numbers"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32"])
@pytest.mark.parametrize(("size", "stride"), [((2, 2), (2, 2)), ((3, 2), (3, 2)), ((2, 2), (1, 2)), ((2, 1), (3, 1))])
def test_the_first_largest_element_gets_the_gradient(size: Any, stride: Any, dtype: str, values: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.permutation(2 * 6 * 8 * 3).reshape(2, 6, 8, 3).astype(dtype)
    if values != "distinct":
        x = np.maximum(x - 200, 0) // 9
    if values == "not numbers" and dtype != "int32":
        x[rng.random(x.shape) < 0.2] = np.nan
    place: Any = {"size": size, "stride": stride, "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "axes": (1, 2)}
    y = KERNELS["max_pool"](x, **place)
    g = rng.integers(1, 9, y.shape).astype(dtype)
    gradient = KERNELS["max_pool_gradient"](g, x, y, **place)
    assert gradient.dtype == x.dtype
    np.testing.assert_array_equal(gradient, _expected(g, x, size, stride))


def test_an_infinite_gradient_stays_at_its_element() -> None:
    x = np.arange(8.0).reshape(1, 8)
    place: Any = {"size": (2,), "stride": (2,), "padding": ((0, 0),), "dilation": (1,), "axes": (1,)}
    y = KERNELS["max_pool"](x, **place)
    gradient = KERNELS["max_pool_gradient"](np.array([[np.inf, np.nan, -np.inf, 1.0]]), x, y, **place)
    np.testing.assert_array_equal(gradient, [[0, np.inf, 0, np.nan, 0, -np.inf, 0, 1]])
