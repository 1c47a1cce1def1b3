"""Additions to several variables that become visible together, such as the totals of a metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..errors import BackendError
from ..registry import tables
from ..tensors.tensor import Tensor, operators
from ..tensors.variable import Variable
from .update import Changes

__all__ = ["add_together"]

_ATTEMPTS: Final = 1000  # how often the sums are computed again because another thread assigned a variable


def add_together(additions: Sequence[tuple[Variable, Tensor]]) -> None:
    """Add tensors to variables, all of them or none, whatever interrupts it; also in a traced function.

    Args:
        additions: variables, each once, and what is added to each: of its device and dtype, and a shape that broadcasts
            to its shape.
    Raises:
        ShapeError: a shape does not broadcast. BackendError: other threads assign the variables all the time.
    """
    broadcast_to = tables.get_op("broadcast_to")
    fitting = [(each, x if x.shape == each.shape else broadcast_to(x, each.shape)) for each, x in additions]
    for _ in range(_ATTEMPTS):
        changes = Changes(operators.add, {}, in_place=False)
        for variable, x in fitting:
            changes.add(variable, x)
        if changes.commit():
            return
    raise BackendError(
        "these variables could not be added to.",
        expected="no other thread and no signal handler that assigns them at the same time",
        got=f"other assignments during each of {_ATTEMPTS} attempts",
        fix="add to them from one thread at a time, for example under a lock",
    )
