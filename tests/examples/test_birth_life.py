"""Training on one country at a time: the lines are those of the same descent written out in NumPy."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).parents[2] / "examples" / "data" / "birth_life_2010.txt"
pytest.importorskip("matplotlib")
pytest.importorskip("tqdm")


def descent(epochs: int, rate: float, huber: bool) -> tuple[float, float]:
    """Slope and intercept after gradient descent in float64, by derivatives written by hand."""
    w = b = 0.0
    table = np.loadtxt(DATA, delimiter="\t", skiprows=1, usecols=(1, 2))
    for _ in range(epochs):
        for x, y in table:
            error = w * x + b - y
            slope = 2 * error if abs(error) <= 1 or not huber else 2 * np.sign(error)
            w, b = w - rate * slope * x, b - rate * slope
    return w, b


@pytest.mark.parametrize(("backend", "epochs"), [("numpy", 12), ("numba", 1), ("sim", 1)])
def test_both_lines_are_those_of_a_descent_in_numpy(
    run: Callable[..., str], backend: str, epochs: int, tmp_path: Path
) -> None:
    printed = run("birth_life", "--epochs", str(epochs), "--output", "out", backend=backend)
    for name, huber in (("squared", False), ("Huber", True)):
        match = re.search(rf"^{name} loss: y = (\S+) x ([+-]) (\S+)$", printed, re.MULTILINE)
        assert match, printed
        found = float(match[1]), float(match[2] + match[3])
        assert found == pytest.approx(descent(epochs, 0.01, huber), rel=2e-3)  # four digits are printed
    assert (tmp_path / "out" / "birth_life.png").read_bytes().startswith(b"\x89PNG")


def test_a_rate_that_diverges_is_one_line(run: Callable[..., str]) -> None:
    error = run("birth_life", "--learning-rate", "1", fails=True)
    assert "after epoch 0; try a smaller --learning-rate" in error
