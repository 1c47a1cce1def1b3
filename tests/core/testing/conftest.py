"""What the tests of planted defects share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import polytape as pt
from polytape.testing import CHECKS, case_of
from polytape.testing.limits import checked

VALUE = "check_value_dtype_and_shape"


@pytest.fixture
def failure_of() -> Callable[..., str]:
    """A function ``(op, fn, check) -> text``: how a check of an op fails on NumPy with ``fn`` as the op's kernel.

    The text is empty if the check passes. Without ``fn``, NumPy itself is checked.
    """

    def failure(op: str, fn: Callable[..., Any] | None, check: str) -> str:
        run = next(known for known in CHECKS if known.__name__ == check)
        kernels = [] if fn is None else [pt.Kernel(op, fn)]
        with pt.register_backend(pt.Backend(name="faulty", extends="numpy", kernels=kernels)):
            try:
                checked(run, case_of(op), "faulty")
            except AssertionError as error:
                return str(error)
        return ""

    return failure
