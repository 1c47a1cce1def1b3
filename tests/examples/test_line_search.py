"""Descent by line search: it only goes down, and finds the minimum that SciPy finds."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest


@pytest.mark.parametrize(("backend", "steps"), [("numpy", 2000), ("numba", 50), ("sim", 20)])
def test_each_step_goes_down_towards_the_minimum(run: Callable[..., str], backend: str, steps: int) -> None:
    printed = run("line_search", "--steps", str(steps), backend=backend)
    rows = np.array([row for row in re.findall(r"f\((\S+), (\S+)\) = (\S+)", printed)], dtype=float)
    values = rows[:, 2]
    assert len(rows) == 10 and (np.diff(values) < 0).all() and values[0] < 24.2  # where it starts
    if steps == 2000:
        optimize = pytest.importorskip("scipy.optimize")
        minimum = optimize.minimize(optimize.rosen, [-1.2, 1.0], method="BFGS").x
        assert rows[-1, :2] == pytest.approx(minimum, abs=0.1)
        # The printed values are those of SciPy's function at the printed points.
        assert values[-1] == pytest.approx(optimize.rosen(rows[-1, :2]), rel=0.05)
