"""The rows, a module per family of ops; one row per op."""

from __future__ import annotations

from ..case import Case
from . import creation, elementwise, indexing, linalg, logic, manipulation, nn, optim, random, reduction

__all__ = ["CASES", "case_of"]

CASES: tuple[Case, ...] = tuple(
    case
    for family in (creation, elementwise, logic, reduction, manipulation, indexing, linalg, nn, optim, random)
    for case in family.CASES
)


def case_of(op: str) -> Case:
    """The row of an op, by its name.

    Raises:
        KeyError: it has none.
    """
    return {case.op.name: case for case in CASES}[op]
