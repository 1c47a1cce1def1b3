"""Formulas: numbers found from their values for some sizes have them for all sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from polytape.graph.formulas import formula, grid

ONE: list[Callable[[int], Any]] = [
    lambda n: n,
    lambda n: 3 * n - 2,
    lambda n: -n,
    lambda n: n // 2,
    lambda n: n // 3,
    lambda n: -(-n // 2),
    lambda n: -(-5 * n // 4),
    lambda n: 2 * -(-3 * n // 2),
    lambda n: 1.0 / n,
    lambda n: -1.0 / (2 * n),
    lambda n: 2.0 / (n - 1),
    lambda n: float(n),
]


@pytest.mark.parametrize("number", ONE)
def test_a_number_that_follows_a_formula_is_found_for_every_size(number: Callable[[int], Any]) -> None:
    found = formula([number(n) for (n,) in grid(1)], 1)
    assert found is not None
    for n in range(2, 300):
        assert found((n,)) == number(n) and type(found((n,))) is type(number(n))


@pytest.mark.parametrize(
    "number",
    [lambda n: n * n, lambda n: n % 2, lambda n: math.sqrt(n), lambda n: min(n, 50), lambda n: n > 10, str],
)
def test_a_number_that_follows_none_is_not_guessed(number: Callable[[int], Any]) -> None:
    assert formula([number(n) for (n,) in grid(1)], 1) is None


@given(st.lists(st.integers(-9, 9), min_size=8, max_size=8), st.tuples(*[st.integers(2, 1000)] * 3))
@settings(max_examples=60, deadline=None)
def test_polynomials_that_are_linear_in_each_size_are_found(factors: list[int], sizes: tuple[int, ...]) -> None:
    def number(n: int, m: int, k: int) -> int:
        terms = (1, n, m, k, n * m, n * k, m * k, n * m * k)
        return sum(a * b for a, b in zip(factors, terms, strict=True))

    found = formula([number(*known) for known in grid(3)], 3)
    assert found is not None and found(sizes) == number(*sizes)


def test_numbers_may_be_rounded_to_a_dtype() -> None:
    def stored(x: float) -> float:
        return np.float32(x).item()

    values = [stored(1.0 / n) for (n,) in grid(1)]
    assert formula(values, 1) is None
    found = formula(values, 1, stored)
    assert found is not None and found((1000,)) == 1.0 / 1000
