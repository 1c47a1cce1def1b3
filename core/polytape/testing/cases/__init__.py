"""The rows, one per op, in modules with the names of the op families."""

from __future__ import annotations

from ..case import Case
from . import (
    arithmetic,
    creation,
    exponential,
    indexing,
    linalg,
    logic,
    manipulation,
    optim,
    random,
    reduction,
    trigonometric,
)
from .nn import activations, losses

__all__ = ["CASES", "case_of"]

_FAMILIES = (
    arithmetic, exponential, trigonometric, creation, logic, reduction, manipulation, indexing, linalg,
    activations, losses, optim, random,
)  # fmt: skip
CASES: tuple[Case, ...] = tuple(case for family in _FAMILIES for case in family.CASES)


def case_of(op: str) -> Case:
    """The row of the op with the name ``op``.

    Raises:
        KeyError: the op has no row.
    """
    return {case.op.name: case for case in CASES}[op]
