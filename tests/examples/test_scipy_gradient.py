"""The example as a user runs it, and its gradients beside finite differences, on the backends that are ready."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import polytape as pt

EXAMPLES = Path(__file__).parents[2] / "examples"
pytest.importorskip("scipy", minversion="1.15", reason="older SciPy's logsumexp takes NumPy arrays alone")

GRADIENTS = """
import scipy_gradient
import polytape as pt

x = pt.asarray([1.5, 4.0, 9.0], dtype="float64")
parameters = [pt.asarray(values, dtype="float64") for values in ([0.3, -0.2], [2.0, 4.0], [0.1, -0.4])]
density = scipy_gradient.log_density(x, *parameters)
assert isinstance(density, pt.Tensor) and density.device.backend == {backend!r} and density.dtype == pt.float64
pt.check_gradients(scipy_gradient.log_density, [x, *parameters])
print("gradients agree")
"""

TRACED = """
import numpy as np
import scipy_gradient
import polytape as pt

model = [pt.Variable([0.0, 0.0]), pt.Variable([2.5, 3.5]), pt.Variable([0.0, 0.0])]

def step(x):
    with pt.GradientTape() as tape:
        loss = -pt.mean(scipy_gradient.log_density(x, *model))
    return loss, *tape.gradient(loss, model)

traced = pt.function(step)
for offset in (1.5, 2.5):
    x = pt.linspace(offset, offset + 2.0, 20)
    for eager, result in zip(step(x), traced(x), strict=True):
        assert eager.dtype == result.dtype and eager.shape == result.shape
        np.testing.assert_allclose(result.numpy(), eager.numpy(), rtol={tolerance}, atol=0.1 * {tolerance})
print("steps agree")
"""


def run(backend: str, *arguments: str) -> str:
    """What a program prints on a backend."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("POLYTAPE_")},
        "POLYTAPE_BACKEND": backend,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(EXAMPLES), os.environ.get("PYTHONPATH", "")))),
    }
    command = [sys.executable, "-W", "error", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_gradients_through_scipy_agree_with_finite_differences_on_another_backend() -> None:
    if not any(status.name == "sim" and status.status == "ready" for status in pt.backends()):
        pytest.skip("sim is not ready")
    assert "gradients agree" in run("sim", "-c", GRADIENTS.format(backend="sim"))


@pytest.mark.parametrize(("backend", "tolerance"), [("numpy", 0.0), ("numba", 2e-5), ("sim", 2e-5)])
def test_a_step_gives_the_same_traced(backend: str, tolerance: float) -> None:
    if not any(status.name == backend and status.status == "ready" for status in pt.backends()):
        pytest.skip(f"{backend} is not ready")
    assert "steps agree" in run(backend, "-c", TRACED.format(tolerance=tolerance))


def test_the_mixture_is_found() -> None:
    output = run("numpy", str(EXAMPLES / "scipy_gradient.py"))
    found = re.findall(r"(\d+)% near ([\d.]+) minutes, standard deviation ([\d.]+)", output)
    (share, short, narrow), (_, long, wide) = ([float(number) for number in row] for row in found)
    assert 25 <= share <= 42
    assert abs(short - 2.0) < 0.1 and abs(long - 4.3) < 0.1
    assert abs(narrow - 0.25) < 0.06 and abs(wide - 0.45) < 0.06
    assert "area under the density: 1.0000" in output
