"""The bits of numbers, compared with Python's math module."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.ops.representation import bitcast

FLOATS = st.floats(width=64)


def results(op: Any, *operands: pt.Tensor) -> list[Any]:
    """The result of the kernel, and that of the body."""
    with np.errstate(all="ignore"):
        return [op(*operands), op.run_body([*operands], {})]


def same(a: float, b: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))


@settings(max_examples=200, deadline=None)
@given(FLOATS)
def test_frexp_is_python_s(x: float) -> None:
    mantissa, exponent = math.frexp(x)
    for y in results(pt.frexp, pt.asarray(x, dtype="float64")):
        assert same(y.mantissa.item(), mantissa) and y.exponent.item() == (exponent if math.isfinite(x) else 0)
        assert y.exponent.dtype == pt.int32
        assert same(pt.ldexp(y.mantissa, y.exponent).item(), x)


@settings(max_examples=300, deadline=None)
@given(FLOATS, st.integers(-2200, 2200))
def test_ldexp_is_python_s_and_rounds_once(x: float, n: int) -> None:
    try:
        expected = math.ldexp(x, n)
    except OverflowError:
        expected = math.copysign(math.inf, x)
    for y in results(pt.ldexp, pt.asarray(x, dtype="float64"), pt.asarray(n)):
        assert same(y.item(), expected)


@settings(max_examples=200, deadline=None)
@given(FLOATS, FLOATS)
def test_nextafter_is_python_s(a: float, b: float) -> None:
    for y in results(pt.nextafter, pt.asarray(a, dtype="float64"), pt.asarray(b, dtype="float64")):
        assert same(y.item(), math.nextafter(a, b))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_signbit_and_copysign_see_the_sign_of_zero_and_nan(dtype: str, backend: str) -> None:
    if dtype not in pt.get_backend(backend).dtypes:
        pytest.skip(f"{backend} has no {dtype}")
    with pt.device(backend):
        x = pt.asarray([0.0, -0.0, math.nan, -math.nan, -2.0], dtype=dtype)
        signs = pt.asarray([-1.0, 1.0, 1.0, -1.0, 1.0], dtype=dtype)
    assert pt.signbit(x).tolist() == [False, True, False, True, True]
    assert pt.signbit(pt.copysign(x, signs)).tolist() == [True, False, False, True, False]
    assert pt.copysign(x, signs).dtype == pt.asarray(x).dtype


def test_the_gradient_of_copysign_is_that_of_a_reflection() -> None:
    x = pt.asarray([3.0, -3.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.copysign(x, pt.asarray([-1.0, -1.0]))
    assert tape.gradient(y, x).tolist() == [-1.0, 1.0]


def test_bits_are_read_without_conversion() -> None:
    assert bitcast(pt.asarray(1.0), dtype="int32").item() == 0x3F800000
    with pytest.raises(TypeError, match="cannot read the bits as int64"):
        bitcast(pt.asarray(1.0), dtype="int64")
