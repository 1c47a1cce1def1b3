"""A model class: it finds the least-squares line, and a checkpoint restores it into another object."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

import polytape as pt


def test_it_finds_the_line_of_least_squares_and_restores_it(run: Callable[..., str]) -> None:
    printed = run("model_class", "--steps", "600", "--output", "out")
    lines = re.findall(r"y = (\S+) x \+ ([\d.]+\d)", printed)
    assert len(lines) == 2 and lines[0] == lines[1]
    assert printed.rstrip().endswith("step 600")
    pt.random.seed(0)
    x = pt.random.normal((2000,))
    y = 3.0 * x + 2.0 + pt.random.normal((2000,))
    assert [float(number) for number in lines[0]] == pytest.approx(np.polyfit(x.numpy(), y.numpy(), 1), abs=1e-3)


@pytest.mark.parametrize("backend", ["numba", "sim"])
def test_another_backend_prints_the_same_losses(run: Callable[..., str], backend: str) -> None:
    here, there = (run("model_class", "--steps", "21", "--output", name, backend=name) for name in ("numpy", backend))
    assert re.findall(r"step .*", here)[:2] == re.findall(r"step .*", there)[:2]
