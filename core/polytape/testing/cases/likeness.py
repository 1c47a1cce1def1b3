"""Rows of the triangles of matrices."""

from __future__ import annotations

from ...errors import ShapeError
from ...ops import likeness
from ..case import Case
from ..makers import anything, exactly, floats
from ..samples import error, sample

__all__ = ["CASES"]

CASES = [
    Case(
        op,
        anything(4, 4),
        more=[
            sample(anything(3, 5), k=1),
            sample(anything(5, 3), k=-2),
            sample(anything(2, 1, 3, 2)),
            sample(anything(2, 3), k=9),
            sample(anything(2, 3), k=-9),
            sample(anything(2, 0)),
            sample(exactly([[-0.0, float("nan")], [float("inf"), -0.0]]), smooth=False, signs=True),
        ],
        errors=[error(ShapeError, "is no matrix", floats(3)), error(ShapeError, "is no matrix", floats(), k=1)],
    )
    for op in (likeness.tril, likeness.triu)
]
