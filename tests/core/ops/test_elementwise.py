"""Further elementwise functions: bounds and dtypes of ``clip``, replaced values, and divisors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt


def test_clip_keeps_the_dtype_of_its_operand_whatever_the_bounds_are(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([-5, 3, 100], dtype="int8")
        y = pt.clip(x, pt.asarray(-1000, dtype="int64"), pt.asarray([0, 50, 50], dtype="int32"))
        assert y.tolist() == [-5, 3, 50] and y.dtype == pt.int8
        low = pt.asarray(0.25, dtype="float64")
        assert pt.clip(pt.asarray([0.0, 1.0]), low).dtype == pt.float32
        assert x.clip(0).tolist() == [0, 3, 100] and x.clip(max=7).tolist() == [-5, 3, 7]
        assert pt.clip(x).tolist() == x.tolist()


def test_clip_passes_the_gradient_to_the_operand_or_to_the_bound_that_is_the_result() -> None:
    x, low, high = pt.asarray([0.0, 1.0, 2.0, 5.0]), pt.asarray(1.0), pt.asarray([3.0, 3.0, 3.0, 4.0])
    with pt.GradientTape() as tape:
        tape.watch([x, low, high])
        y = pt.clip(x, low, high)
    gradients = tape.gradient(y, [x, low, high])
    assert [g.tolist() for g in gradients] == [[0.0, 1.0, 1.0, 0.0], 1.0, [0.0, 0.0, 0.0, 1.0]]


def test_nan_to_num_replaces_like_numpy_and_stops_the_gradient_there() -> None:
    values = np.array([math.nan, math.inf, -math.inf, 2.0], "float32")
    x = pt.asarray(values)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.nan_to_num(x)
    assert y.tolist() == np.nan_to_num(values).tolist()
    assert tape.gradient(y, x).tolist() == [0.0, 0.0, 0.0, 1.0]
    assert pt.nan_to_num(x, nan=-1.0, posinf=7.0, neginf=8.0).tolist() == [-1.0, 7.0, 8.0, 2.0]
    z = np.array([complex(math.nan, math.inf), 1j])
    assert pt.nan_to_num(pt.asarray(z)).tolist() == np.nan_to_num(z).tolist()
    for dtype in ("int32", "bool", "bfloat16"):
        assert pt.nan_to_num(pt.asarray([1, 0], dtype=dtype)).dtype.name == dtype


@settings(max_examples=200, deadline=None)
@given(st.integers(-(2**31) + 1, 2**31 - 1), st.integers(-(2**31) + 1, 2**31 - 1))
def test_divisors_and_multiples_are_python_s(a: int, b: int) -> None:
    x, y = pt.asarray(a, dtype="int64"), pt.asarray(b, dtype="int64")
    assert pt.gcd(x, y).item() == math.gcd(a, b) and pt.lcm(x, y).item() == math.lcm(a, b)


def test_the_body_of_gcd_needs_no_more_steps_than_it_takes() -> None:
    # Neighbours in Fibonacci's sequence take the most steps of Euclid's algorithm.
    for dtype, a, b in (("int8", 89, 55), ("uint8", 233, 144), ("int64", 7540113804746346429, 4660046610375530309)):
        operands = [pt.asarray(a, dtype=dtype), pt.asarray(b, dtype=dtype)]
        assert pt.gcd.run_body(operands, {}).item() == 1


def test_lerp_is_exact_at_both_ends() -> None:
    rng = np.random.default_rng(0)
    a, b = (pt.asarray(rng.normal(size=1000).astype("float32")) for _ in range(2))
    assert pt.array_equal(pt.lerp(a, b, 0.0), a) and pt.array_equal(pt.lerp(a, b, 1.0), b)


def test_float_power_computes_integers_in_floating_point() -> None:
    y = pt.float_power(pt.asarray([2, 4]), -1)
    assert y.tolist() == [0.5, 0.25] and y.dtype == pt.float32
    with pytest.raises(TypeError):
        pt.asarray([2, 4]) ** -1


def test_angles_in_degrees_and_sinc() -> None:
    assert pt.rad2deg(pt.deg2rad(pt.asarray([180.0, -90.0]))).tolist() == pytest.approx([180.0, -90.0])
    x = pt.asarray(np.array([0.0, 1e-5, 0.02, 0.5, 2.0]))
    np.testing.assert_allclose(pt.sinc(x).numpy(), np.sinc(x.numpy()), rtol=1e-14, atol=1e-16)
    pt.check_gradients(pt.sinc, x, order=2)
    huge = pt.asarray(np.array([3e38, 1.5e308, 7.0]))
    (g,) = pt.gradients_function(pt.sinc)(huge)
    assert pt.sinc(huge).tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(g.numpy(), [1 / 3e38, 1 / 1.5e308, -1 / 7], rtol=1e-14)


def test_heaviside_is_numpy_s() -> None:
    x1, x2 = np.array([-1.0, 0.0, -0.0, 3.0, math.nan]), np.array(0.5)
    got = pt.heaviside(pt.asarray(x1), pt.asarray(x2)).numpy()
    np.testing.assert_array_equal(got, np.heaviside(x1, x2))
