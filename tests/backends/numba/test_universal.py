"""Universal functions: strides, broadcasting, floating-point conditions, and who serves few elements."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape_numba.kernels import kernels
from polytape_numba.kernels.compiled import FEW
from polytape_numpy.kernels import build

pytest.importorskip("numba")

EDGES = [0.0, -0.0, 1.0, -1.0, 1e-45, -1e-40, 1e-30, 88.9, -104.0, -1e30, 3.4e38, -3.4e38, np.inf, -np.inf, np.nan]
# One with a loop for each kind of operands: one, one with numbers that are not regular, two, and two with an attribute.
NAMES = ["sigmoid", "lgamma", "silu_gradient", "elu_gradient"]
UNARY = ["sigmoid", "softplus", "silu", "elu", "relu", "lgamma", "digamma", "log1p", "erf"]


def function(name: str) -> Any:
    from polytape_numba.kernels.compiled import loops

    return loops().ufunc(name, "float32")


def laid_out(x: Any, layout: str) -> Any:
    """The same numbers at other places in memory."""
    if layout == "reversed":
        return x[::-1].copy()[::-1]
    if layout == "with gaps":
        wide = np.zeros((*x.shape, 3), x.dtype)
        wide[..., 1] = x
        return wide[..., 1]
    if layout == "read-only":
        x = x.copy()
        x.flags.writeable = False
        return x
    if layout == "unaligned":
        raw = np.empty(x.nbytes + 1, "u1")[1:].view(x.dtype)
        raw[:] = x
        return raw
    return x


LAYOUTS = st.sampled_from(["plain", "reversed", "with gaps", "read-only", "unaligned"])
NUMBERS = st.lists(st.sampled_from(EDGES) | st.floats(-40, 40, width=32), min_size=1, max_size=40)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(values=NUMBERS, layouts=st.tuples(LAYOUTS, LAYOUTS, LAYOUTS))
def test_the_layout_of_the_operands_does_not_change_the_results(
    name: str, values: list[float], layouts: tuple[str, ...]
) -> None:
    fn = function(name)
    x = np.array(values, "f4")
    operands = [x, x[::-1].copy(), np.linspace(0.5, 2.0, len(x), dtype="f4")][: fn.nin]
    expected = np.array([fn(*[operand[i : i + 1] for operand in operands])[0] for i in range(len(x))])
    found = fn(*[laid_out(operand, layout) for operand, layout in zip(operands, layouts, strict=False)])
    # The compiler may fuse a product and a sum in one of the loops only, which saves a rounding.
    np.testing.assert_allclose(found, expected, rtol=3e-7, atol=1e-44)
    np.testing.assert_array_equal(np.signbit(found[found == 0]), np.signbit(expected[found == 0]))


@pytest.mark.parametrize("name", ["silu_gradient", "relu_gradient", "sigmoid_gradient"])
def test_an_operand_of_one_number_broadcasts(name: str) -> None:
    fn, x = function(name), np.linspace(-4, 4, 30, dtype="f4").reshape(5, 6)
    two = np.array(2.0, "f4")
    np.testing.assert_allclose(fn(two, x), fn(np.full_like(x, 2.0), x), rtol=3e-7)
    np.testing.assert_allclose(fn(x, two), fn(x, np.full_like(x, 2.0)), rtol=3e-7)
    row = x[:1]
    np.testing.assert_allclose(fn(row, x), fn(np.repeat(row, 5, 0), x), rtol=3e-7)
    with pytest.raises(ValueError, match="broadcast"):
        fn(x, np.ones(4, "f4"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_condition_is_reported(dtype: str) -> None:
    x = np.array(EDGES * 3, "f8").clip(-np.finfo(dtype).max, np.finfo(dtype).max).astype(dtype)
    x[: len(EDGES)] = EDGES
    with np.errstate(all="raise"):
        served = [
            kernel
            for kernel in kernels()
            if kernel.op in UNARY and kernel.dtypes == (dtype,) and not isinstance(kernel.fn, np.ufunc)  # NumPy's own
        ]
        assert len(served) >= 5
        for kernel in served:
            assert kernel.fn(x).shape == x.shape


def test_fewer_elements_are_always_numpys_so_that_equal_calls_give_equal_bits() -> None:
    of_numba = {kernel.op: kernel.fn for kernel in kernels() if kernel.dtypes == ("float32",)}
    of_numpy = {kernel.op: kernel.fn for kernel in build(np, ("nn.activations", "nn.smooth"))}
    x = np.linspace(-3, 3, FEW, dtype="f4")
    for op in ("sigmoid", "silu", "softplus"):
        of_numba[op](x)  # the universal function exists from now on
        few = x[: FEW - 1]
        np.testing.assert_array_equal(of_numba[op](few), of_numpy[op](few))


def test_attributes_outside_of_the_range_of_numpys_kernels_are_served() -> None:
    x = np.array([-2.0, 3.0], "f4")
    with pt.device("numba:cpu"):
        np.testing.assert_allclose(pt.nn.leaky_relu(pt.asarray(x), negative_slope=-2.0).numpy(), [4.0, 3.0])
        expected = [3.0 * math.expm1(-2.0), 3.0]
        np.testing.assert_allclose(pt.nn.elu(pt.asarray(x), alpha=3.0).numpy(), expected, rtol=1e-6)


def test_threads_may_make_the_first_call_at_once() -> None:
    kernel = next(k for k in kernels() if k.op == "softplus" and k.dtypes == ("float64",))
    x, results = np.linspace(-3, 3, 50), []
    threads = [threading.Thread(target=lambda: results.append(kernel.fn(x))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for y in results:
        np.testing.assert_allclose(y, np.logaddexp(0, x), rtol=1e-14)


@pytest.mark.parametrize("exponent", [3, 4, 5, 63, -2, -3, -63, 64, 1.5])
def test_powers_of_one_number_agree_with_float64(exponent: float) -> None:
    x = np.concatenate([EDGES, np.random.default_rng(0).uniform(-3, 3, 20_000)]).astype("f4")
    with np.errstate(all="ignore"), pt.device("numba:cpu"):
        expected = np.power(x.astype("f8"), exponent).astype("f4")
        found = (pt.asarray(x) ** exponent).numpy()
    np.testing.assert_allclose(found, expected, rtol=3e-7, atol=3e-45)
    if exponent != 1.5:
        np.testing.assert_array_equal(np.signbit(found[found == 0]), np.signbit(expected[found == 0]))


def test_log1p_agrees_with_float64() -> None:
    x = np.concatenate([EDGES, np.random.default_rng(0).uniform(-0.999, 9.0, 5000)]).astype("f4")
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(function("log1p")(x), np.log1p(x.astype("f8")).astype("f4"), rtol=3e-7, atol=1e-45)
