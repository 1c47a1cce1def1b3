"""The gradients written by hand: right where those that follow from the ops are NaN, and clipped to a norm."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest


@pytest.mark.parametrize("backend", ["numpy", "numba", "sim"])
def test_the_table_has_values_and_gradients_of_numpy(run: Callable[..., str], backend: str) -> None:
    printed = run("custom_gradients", "--norm", "2", backend=backend)
    rows = np.array([row.split() for row in printed.splitlines()[2:6]], dtype=float)
    x, value, naive, custom = rows.T
    np.testing.assert_allclose(value, np.logaddexp(0.0, x), atol=1e-4)
    np.testing.assert_allclose(custom, np.exp(-np.logaddexp(0.0, -x)), atol=1e-6)
    assert np.isnan(naive).tolist() == [False, False, False, True]
    assert "agree with finite differences" in printed
    numbers = re.findall(r"gradient(| clipped): \[ *(\S+) +(\S+?)\], norm ([\d.]+)", printed)
    assert numbers == [("", "6.", "-8.", "10.000"), (" clipped", "1.2", "-1.6", "2.000")]
