"""Numbers as arrays of rank 0."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from polytape_numpy.kernels.constants import clipped_of, number_of, numbers

ELSEWHERE: Any = SimpleNamespace(__name__="elsewhere")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_number_gives_the_bits_that_a_python_number_gives(dtype: str) -> None:
    x = np.random.default_rng(0).standard_normal(300).astype(dtype)
    for value in (0.1, -1 / 3, 1e-45, 1e38):
        for operand in (numbers(np, value)[x.dtype.char], number_of(np)(value, x)):
            assert operand.dtype == x.dtype and (x * operand).tobytes() == (x * value).tobytes()


def test_other_modules_keep_python_numbers() -> None:
    assert numbers(ELSEWHERE, 2.0).get("f", 2.0) == 2.0
    assert number_of(ELSEWHERE)(2.0, None) == 2.0


@pytest.mark.parametrize("xp", [np, ELSEWHERE])
def test_clipping_keeps_nan(xp: Any) -> None:
    x = np.array([-9.0, 0.5, np.nan, np.inf], "float32")
    np.testing.assert_array_equal(clipped_of(xp, 2.0)(x), np.array([-2.0, 0.5, np.nan, 2.0], "float32"))
