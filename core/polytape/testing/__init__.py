"""The conformance kit: rows of samples, one per op, and what is checked of every op on every backend.

A backend's author runs all of it with one command::

    python -m pytest -p polytape.testing.plugin --pyargs polytape.testing.suite --polytape-backend mine

or from a test file of five lines; see `polytape.testing.suite`. `check_gradients` and what rows are made of are of use
in any test. ``import polytape`` loads nothing of this.

May import: `autodiff`, `backend`, `device`, `dispatch`, `dtypes`, `errors`, `graph`, `ops`, `plugins`, `registry`,
`settings`, `tensors`, and polytape itself.
"""

from __future__ import annotations

from .case import Case
from .cases import CASES, case_of
from .checks import CHECKS
from .compare import assert_close
from .completeness import incomplete_ops, own_ops
from .gradients import check_gradients
from .kernels import unreached_kernels
from .makers import Maker, anything, booleans, exactly, floating, floats, integers, nonzero, numbers, positive, reals
from .samples import ErrorSample, Sample, error, sample
from .transfers import TRANSFERS

__all__ = [
    "CASES",
    "CHECKS",
    "TRANSFERS",
    "Case",
    "ErrorSample",
    "Maker",
    "Sample",
    "anything",
    "assert_close",
    "booleans",
    "case_of",
    "check_gradients",
    "error",
    "exactly",
    "floating",
    "floats",
    "incomplete_ops",
    "integers",
    "nonzero",
    "numbers",
    "own_ops",
    "positive",
    "reals",
    "sample",
    "unreached_kernels",
]
