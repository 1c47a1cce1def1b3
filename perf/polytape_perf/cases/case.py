"""What a case is, and what the modules of cases share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import polytape as pt

__all__ = ["Call", "Case", "Skipped", "check", "check_slope", "numbers"]

Call = Callable[[], object]


class Skipped(Exception):
    """A case has no meaning on this device, such as that of a kernel which another backend provides; says why."""


class Case(NamedTuple):
    """What is measured.

    Attributes:
        name: family and case, such as ``dispatch/add``.
        make: makes the call for a device ``backend:kind``; raises AssertionError if its result is wrong, and `Skipped`
            if the case has no meaning there.
        panel: whether the gate runs it.
        counted: whether its opcodes, kernels and bytes are counted; False if its work happens in another process.
    """

    name: str
    make: Callable[[str], Call]
    panel: bool = False
    counted: bool = True


def check(actual: Any, expected: Any, rtol: float = 1e-3) -> None:
    """Assert that a result is NumPy's."""
    host = actual.numpy() if isinstance(actual, (pt.Tensor, pt.Variable)) else np.asarray(actual)
    np.testing.assert_allclose(host, expected, rtol=rtol, atol=1e-3)


def check_slope(f: Callable[[Any], Any], host: Any, gradient: Any) -> None:
    """Assert that a gradient agrees with central differences along one direction, in float64 on NumPy.

    Args:
        f: a scalar function of a tensor.
        host: where the gradient was taken.
    """
    wide = np.asarray(host, "f8")
    direction = np.random.default_rng(1).normal(size=wide.shape)
    step = 1e-6
    ahead, behind = (f(pt.asarray(wide + sign * step * direction, device="numpy:cpu")) for sign in (1, -1))
    expected = (ahead.numpy() - behind.numpy()) / (2 * step)
    actual = np.sum(gradient.numpy().astype("f8") * direction)
    np.testing.assert_allclose(actual, expected, rtol=1e-2, atol=1e-3 * max(1.0, float(np.abs(gradient.numpy()).max())))


def numbers(*shape: int) -> Any:
    """Float32 numbers from 0.5 to 1.5, the same in each call."""
    return np.random.default_rng(0).uniform(0.5, 1.5, shape).astype("f4")
