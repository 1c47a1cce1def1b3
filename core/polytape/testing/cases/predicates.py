"""Rows of the questions about elements."""

from __future__ import annotations

import numpy as np

from ...ops import predicates
from ..case import Case
from ..makers import complexes, each, exactly, whole
from ..samples import sample

__all__ = ["CASES"]

_NAN, _INF = float("nan"), float("inf")
_COMPLEX = sample(exactly([complex(_NAN, 1), complex(1, _INF), complex(-_INF, _NAN), 1j], "complex64"))
_TRUTHS = ([True, True, False, False], [True, False, True, False])

CASES = [
    Case(predicates.isnan, more=[_COMPLEX]),
    Case(predicates.isinf, more=[_COMPLEX]),
    Case(predicates.logical_xor, more=[sample(*(exactly(truths, "bool") for truths in _TRUTHS))]),
    Case(
        predicates.isclose,
        result="bool",
        more=[
            sample(exactly([1.0, 1.0, _INF, -_INF, _NAN, 0.0, 1.0]), exactly([1.0, 1.5, _INF, _INF, _NAN, 0.0, _INF])),
            sample(exactly([1.0, _NAN, _INF]), exactly([1.1, _NAN, 1.0]), rtol=0.25, equal_nan=True),
            sample(exactly([1.0, 2.0]), exactly([1.5, 4.0]), rtol=0.0, atol=1.0),
            sample(exactly(2.0), exactly(2.0)),
            sample(complexes(2, 3), complexes(3), atol=2.0),
            sample(whole(2, 3), whole(3), atol=2.5),
            sample(each([100, -100, 1], "int8"), each([-100, -99, 1], "int8"), atol=1.0),
            sample(each([2**24 + 1, 7], "int32", "int64"), each([2**24, 8], "int32", "int64"), rtol=0.0, atol=0.5),
        ],
        reference=np.isclose,
    ),
]
