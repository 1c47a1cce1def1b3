"""Powers by square roots, and bounds by clip, against the C library and NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from polytape_numpy.kernels import build

Array = np.ndarray[Any, Any]
KERNELS = {kernel.op: kernel.fn for kernel in build(np, ("arithmetic",)) if kernel.dtypes != ("any",)}
BOUNDS = {kernel.op: kernel.fn for kernel in build(np, ("arithmetic",)) if kernel.op in ("maximum", "minimum")}
EPSILON = {"float32": 2.0**-23, "float64": 2.0**-52}
EDGES = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, 4.0, -1.0, 1e-45, -1e-45, 3e38, 1e-300, 1e300]


def _power(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except ValueError:  # the C library returns NaN for a negative base, and infinity for 1 / 0
        return math.inf if x == 0 else math.nan
    except OverflowError:
        return math.inf


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("exponent", [0.5, -0.5, 1.5])
@given(edges=st.lists(st.sampled_from(EDGES), min_size=1, max_size=4), size=st.sampled_from([(), (1,), (9,), (60, 50)]))
def test_powers_by_roots_are_the_c_library_s(
    dtype: str, exponent: float, edges: list[float], size: tuple[int, ...]
) -> None:
    with np.errstate(all="ignore"):
        x = np.resize(np.array([2.25, *edges]), size).astype(dtype)
        y = np.asarray(KERNELS["power"](x, np.array(exponent, dtype)))
        expected = np.array([_power(v, exponent) for v in x.reshape(-1).tolist()]).reshape(size).astype(dtype)
    assert (y.dtype, y.shape) == (x.dtype, x.shape)
    np.testing.assert_allclose(y, expected, rtol=2 * EPSILON[dtype], atol=float(np.finfo(dtype).smallest_subnormal))
    if exponent == 0.5 or x.size > 2048:  # below, NumPy's own power has its own zeros
        numbers = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(y)[numbers], np.signbit(expected)[numbers])


@pytest.mark.parametrize("name", ["maximum", "minimum"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "uint8", "bool"])
@pytest.mark.parametrize("shape", [(), (3000,), (50, 60)])
def test_bounds_beside_numbers_are_numpy_s(name: str, dtype: str, shape: tuple[int, ...]) -> None:
    x = np.asarray(3 * np.random.default_rng(0).standard_normal(shape)).astype("int32").astype(dtype)
    bounds = [1, np.nan, np.inf, -np.inf] if x.dtype.kind == "f" else [1]
    if shape and x.dtype.kind == "f":
        x[..., ::7] = np.nan
    ufunc = getattr(np, name)
    for bound in [np.array(b, dtype) for b in bounds]:
        for operands in ((x, bound), (bound, x), (x, x)):
            expected = ufunc(*operands)
            y = BOUNDS[name](*operands)
            assert y.dtype == expected.dtype
            np.testing.assert_array_equal(y, expected)
            out = np.empty(shape, dtype)
            assert BOUNDS[name](*operands, out=out) is out
            np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("shape", [(2,), (2, 3000)])
def test_bounds_of_shapes_that_do_not_broadcast_are_rejected(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError):
        BOUNDS["maximum"](np.zeros(3000, "float32")[:2999], np.zeros(shape, "float32"))


@pytest.mark.parametrize("bound", [0.0, -0.0])
@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_the_sign_of_a_zero_does_not_depend_on_out(name: str, bound: float) -> None:
    x = np.tile(np.array([0.0, -0.0, 1.0, -1.0], "float32"), 4096)
    for number in (np.array(bound, "float32"), np.array([bound], "float32")):
        for operands in ((x, number), (number, x)):
            y, out = BOUNDS[name](*operands), np.empty_like(x)
            BOUNDS[name](*operands, out=out)
            assert y.tobytes() == out.tobytes()
            assert BOUNDS[name](*[a[:4096] if a is x else a for a in operands]).tobytes() == y[:4096].tobytes()
