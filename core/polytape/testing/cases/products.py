"""Rows of the matrix ops."""

from __future__ import annotations

from ...errors import ShapeError
from ...ops import products
from ..case import Case
from ..makers import counts, floats, numbers
from ..samples import error, sample

__all__ = ["CASES"]

_SHAPES = (
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((1, 1), (1, 1)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((2, 1, 2, 3), (4, 3, 2)),
    ((3,), (2, 3, 4)),
    ((2, 4, 3), (3,)),
)

CASES = [
    Case(
        products.matmul,
        numbers(2, 3),
        numbers(3, 4),
        more=[sample(numbers(*left), numbers(*right)) for left, right in _SHAPES],
        scale=32.0,
        errors=[
            error(ShapeError, "the inner sizes differ", floats(2, 3), floats(2, 3)),
            error(ShapeError, "the inner sizes differ", floats(3), floats(2)),
            error(ShapeError, "a number has no rows or columns", floats(), floats(3)),
            error(ShapeError, "the shapes do not broadcast", floats(2, 2, 3), floats(5, 3, 4)),
        ],
        large=[sample(counts(300, 400), counts(400, 200)), sample(counts(300, 400), counts(400))],
    ),
    Case(
        products.vdot,
        floats(2, 3),
        floats(2, 3),
        reference=lambda x1, x2: (x1 * x2).sum(),
        more=[sample(floats(*shape), floats(*shape)) for shape in ((), (1,), (0, 3), (2, 1, 3), (300,))],
        scale=64.0,
        errors=[error(ShapeError, "vdot", floats(2, 3), floats(3, 2))],
    ),
]
