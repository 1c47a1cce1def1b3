"""Bitwise operations: Python's integers, every shift, and the rejected dtypes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt

BYTES = st.integers(-128, 127)


@settings(max_examples=200, deadline=None)
@given(BYTES, BYTES)
def test_bitwise_operations_are_python_s(a: int, b: int) -> None:
    x, y = pt.asarray(a, dtype="int8"), pt.asarray(b, dtype="int8")
    assert ((x & y).item(), (x | y).item(), (x ^ y).item(), (~x).item()) == (a & b, a | b, a ^ b, ~a)


@settings(max_examples=200, deadline=None)
@given(BYTES, BYTES)
def test_a_shift_by_any_count_is_defined(a: int, n: int) -> None:
    x, count = pt.asarray(a, dtype="int8"), pt.asarray(n, dtype="int8")
    inside = 0 <= n < 8
    assert (x << count).item() == (((a << n) + 128) % 256 - 128 if inside else 0)
    assert (x >> count).item() == (a >> n if inside else (-1 if a < 0 else 0))


def test_on_bools_they_are_the_logical_operations(backend: str) -> None:
    with pt.device(backend):
        x, y = pt.asarray([True, True, False]), pt.asarray([True, False, False])
    assert ((x & y).tolist(), (x | y).tolist()) == ([True, False, False], [True, True, False])
    assert ((x ^ y).tolist(), (~x).tolist()) == ([False, True, False], [False, False, True])
    assert (x & y).dtype == pt.bool


def test_floats_have_no_bitwise_operations() -> None:
    with pytest.raises(TypeError, match=r"bitwise_and.*only for integers and bool"):
        pt.bitwise_and(pt.ones(2), pt.ones(2))
    with pytest.raises(TypeError, match=r"bitwise_left_shift.*only for integers"):
        pt.bitwise_left_shift(pt.asarray([True]), pt.asarray([True]))
