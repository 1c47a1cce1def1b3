"""The conformance kit: rows of samples, one per op, and what is checked of every op on every backend.

A backend's author runs all of it with one command, ``polytape conformance mine``, or in a program::

    from polytape.testing import conformance

    report = conformance("mine")
    print(report)
    assert report.passed

or as tests, see `polytape.testing.suite`. `check_gradients` and what rows are made of are of use
in any test. ``import polytape`` loads nothing of this.

May import: `autodiff`, `backend`, `checkpoint`, `device`, `dispatch`, `dtypes`, `errors`, `graph`, `ops`, `placement`,
`plugins`, `registry`, `settings`, `tensors`, and polytape itself.
"""

from __future__ import annotations

from .agreement import compared
from .case import Case
from .cases import CASES, case_of
from .checks import CHECKS
from .compare import assert_close
from .completeness import incomplete_ops, own_ops
from .conformance import conformance
from .gradients import check_gradients
from .kernels import unreached_kernels
from .makers import Maker, anything, booleans, exactly, floating, floats, integers, nonzero, numbers, positive, reals
from .narrowing import reproduce
from .reporting import Report
from .samples import ErrorSample, Sample, error, sample
from .transfers import TRANSFERS

__all__ = [
    "CASES",
    "CHECKS",
    "TRANSFERS",
    "Case",
    "ErrorSample",
    "Maker",
    "Report",
    "Sample",
    "anything",
    "assert_close",
    "booleans",
    "case_of",
    "check_gradients",
    "compared",
    "conformance",
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
    "reproduce",
    "sample",
    "unreached_kernels",
]
