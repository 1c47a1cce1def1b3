"""The rows, a module per family of ops and under its name; one row per op."""

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
    """The row of an op, by its name.

    Raises:
        KeyError: it has none.
    """
    return {case.op.name: case for case in CASES}[op]
