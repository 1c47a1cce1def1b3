"""Rounding and integer division: identities, special values and gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt

INTEGERS = st.integers(-128, 127)
FLOATS = st.floats(-1e6, 1e6, width=32)


@settings(max_examples=200, deadline=None)
@given(INTEGERS, INTEGERS)
def test_integer_division_is_python_s_but_for_0_and_overflow(a: int, b: int) -> None:
    x, y = pt.asarray(a, dtype="int8"), pt.asarray(b, dtype="int8")
    quotient, rest = divmod(x, y)
    if b == 0:
        assert quotient.item() == rest.item() == pt.fmod(x, y).item() == 0
    else:
        assert quotient.item() == (a // b + 128) % 256 - 128 and rest.item() == a % b
        assert pt.fmod(x, y).item() == int(math.fmod(a, b))
    assert (x // y).item() == quotient.item() and (x % y).item() == rest.item()


@settings(max_examples=200, deadline=None)
@given(FLOATS, FLOATS.filter(bool))
def test_float_division_is_python_s(a: float, b: float) -> None:
    x, y = pt.asarray(a, dtype="float64"), pt.asarray(b, dtype="float64")
    assert (x // y).item() == a // b
    rest = (x % y).item()
    assert rest == a % b and math.copysign(1.0, rest) == math.copysign(1.0, a % b)
    assert pt.fmod(x, y).item() == math.fmod(a, b)


@pytest.mark.parametrize("op", [pt.floor, pt.ceil, pt.trunc, pt.round])
def test_integers_are_rounded_already_and_keep_their_dtype(op: Any, backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([-3, 4], dtype="int16")
        assert op(x).tolist() == [-3, 4] and op(x).dtype == pt.int16


def test_python_s_round_and_operators_work_on_either_side(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([2.5, -7.25])
    assert round(x).tolist() == [2.0, -7.0]
    assert (7.0 // x).tolist() == [2.0, -1.0] and (7.0 % x).tolist() == [2.0, -0.25]
    v = pt.Variable([7, -7], device=x.device)
    v //= 2
    assert isinstance(v, pt.Variable) and v.tolist() == [3, -4]
    v %= 3
    assert isinstance(v, pt.Variable) and v.tolist() == [0, 2]


def test_gradients_between_the_jumps() -> None:
    x1 = pt.asarray(np.array([7.3, -7.3, 7.3, -7.3]))
    x2 = pt.asarray(np.array([2.1, 2.1, -2.1, -2.1]))
    for op in (pt.fmod, pt.remainder):
        pt.check_gradients(op, [x1, x2], order=1)
