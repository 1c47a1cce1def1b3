"""Rows of comparisons, logical operations and ``where``."""

from __future__ import annotations

from ...ops import logic
from ..case import Case
from ..makers import anything, booleans, exactly
from ..samples import sample

__all__ = ["CASES"]

_TRUTHS = ([True, True, False, False], [True, False, True, False])
_TABLE = sample(*(exactly(truths, "bool") for truths in _TRUTHS))

CASES = [
    Case(
        logic.where,
        booleans(2, 3),
        anything(2, 3),
        anything(2, 3),
        # A backend may have a separate kernel for large operands.
        more=[sample(booleans(130, 70), anything(130, 70), anything(70))],
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
]
