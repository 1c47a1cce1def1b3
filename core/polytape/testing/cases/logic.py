"""Rows of comparisons, truth values and ``where``."""

from __future__ import annotations

from ...errors import DTypeError, ShapeError
from ...ops import logic
from ..case import Case, error, sample
from ..makers import anything, booleans, exactly, floats, integers, numbers, reals

__all__ = ["CASES"]

_APART = error(ShapeError, "the shapes do not broadcast", floats(2, 3), floats(4))
_COMPLEX = error(DTypeError, "has no order on complex numbers", numbers(3), numbers(3), varied="complex64")
_BOOLEANS_APART = error(ShapeError, "the shapes do not broadcast", booleans(2, 3), booleans(4))
_NUMBERS = error(DTypeError, "takes truth values only", integers(3), integers(3))
_TRUTHS = ([True, True, False, False], [True, False, True, False])

CASES = [
    Case(
        logic.where,
        booleans(2, 3),
        anything(2, 3),
        anything(2, 3),
        # A backend may take another way for many elements.
        more=[sample(booleans(130, 70), anything(130, 70), anything(70))],
        errors=[error(ShapeError, "the shapes do not broadcast", booleans(2), floats(2, 3), floats(2, 3))],
    ),
    Case(logic.equal, anything(2, 3), anything(2, 3), result="bool", errors=[_APART]),
    Case(logic.not_equal, anything(2, 3), anything(2, 3), result="bool", errors=[_APART]),
    Case(logic.less, reals(2, 3), reals(2, 3), result="bool", errors=[_APART, _COMPLEX]),
    Case(logic.less_equal, reals(2, 3), reals(2, 3), result="bool", errors=[_APART, _COMPLEX]),
    Case(logic.greater, reals(2, 3), reals(2, 3), result="bool", errors=[_APART, _COMPLEX]),
    Case(logic.greater_equal, reals(2, 3), reals(2, 3), result="bool", errors=[_APART, _COMPLEX]),
    Case(
        logic.logical_and,
        booleans(2, 3),
        booleans(2, 3),
        more=[sample(*(exactly(one, "bool") for one in _TRUTHS))],
        result="bool",
        errors=[_NUMBERS, _BOOLEANS_APART],
    ),
    Case(
        logic.logical_or,
        booleans(2, 3),
        booleans(2, 3),
        more=[sample(*(exactly(one, "bool") for one in _TRUTHS))],
        result="bool",
        errors=[_NUMBERS, _BOOLEANS_APART],
    ),
    Case(
        logic.logical_not,
        booleans(2, 3),
        result="bool",
        errors=[error(DTypeError, "takes truth values only", integers(3))],
    ),
    Case(logic.isfinite, numbers(2, 3), result="bool"),
]
