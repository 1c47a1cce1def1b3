"""Derivatives of derivatives, by nested tapes and by one persistent tape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import polytape as pt


def derivative(f: Callable[[Any], Any], x: Any, order: int) -> Any:
    if order == 0:
        return f(x)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = derivative(f, x, order - 1)
    return tape.gradient(y, x)


def test_four_derivatives_of_a_gaussian_at_zero() -> None:
    x = pt.asarray(0.0, dtype="float64")
    for f in (lambda x: pt.exp(-(x**2)), lambda x: pt.exp(-x * x), lambda x: pt.exp(-pt.square(x))):
        found = [float(derivative(f, x, order)) for order in (1, 2, 3, 4)]
        assert found == pytest.approx([0.0, -2.0, 0.0, 12.0], abs=1e-12)


def test_three_derivatives_of_a_square_of_an_array() -> None:
    x = pt.asarray([-1.0, 0.0, 2.0])
    found = [derivative(lambda x: x**2, x, order).tolist() for order in (1, 2, 3)]
    assert found == [[-2.0, 0.0, 4.0], [2.0] * 3, [0.0] * 3]


def test_a_mixed_second_derivative_from_one_persistent_tape() -> None:
    y, v = pt.asarray(2.0), pt.Variable(3.0)
    with pt.GradientTape(persistent=True) as tape:
        tape.watch(y)
        slope = tape.gradient(y * y * v, y)
    assert float(slope) == 12.0 and float(tape.gradient(slope, v)) == 4.0 and float(tape.gradient(slope, y)) == 6.0
