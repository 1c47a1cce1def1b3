"""Rows of comparisons, logical operations and ``where``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops import logic
from ..case import Case
from ..makers import anything, booleans, exactly, floats
from ..samples import sample

__all__ = ["CASES"]

_TRUTHS = ([True, True, False, False], [True, False, True, False])
_TABLE = sample(*(exactly(truths, "bool") for truths in _TRUTHS))


def _larger_share(incoming: Any, x1: Any, x2: Any) -> Any:
    return np.where(x1 == x2, incoming * 0.5, np.where(x1 < x2, 0.0, incoming))


CASES = [
    Case(
        logic.where,
        booleans(2, 3),
        anything(2, 3),
        anything(2, 3),
        # A backend may have a separate kernel for large operands.
        more=[
            sample(booleans(130, 70), anything(130, 70), anything(70)),
            sample(booleans(130, 70), floats(130, 1), floats(130, 70)),
            sample(booleans(130, 130), floats(130, 130), floats()),
            sample(booleans(130, 130), floats(), floats(130, 130)),
        ],
    ),
    Case(logic.equal),
    Case(logic.not_equal),
    Case(logic.less),
    Case(logic.less_equal),
    Case(logic.greater),
    Case(logic.greater_equal),
    Case(logic.logical_and, more=[_TABLE]),
    Case(logic.logical_or, more=[_TABLE]),
    Case(logic.logical_not),
    Case(logic.isfinite),
    Case(
        logic.larger_share,
        floats(2, 3),
        floats(2, 3),
        floats(2, 3),
        avoid="ties",
        more=[
            sample(exactly([1.0, 2.0, 4.0]), exactly([3.0, 3.0, 3.0]), exactly([3.0, 1.0, 5.0]), smooth=False),
            # A backend may have a separate kernel for large operands.
            sample(floats(130, 70), floats(130, 70), floats(70)),
        ],
        reference=_larger_share,
        signs=False,
    ),
]
