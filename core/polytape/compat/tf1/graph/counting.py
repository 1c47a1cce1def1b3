"""`tf.count_up_to`: a counter with an end."""

from __future__ import annotations

from typing import Any

from ....tensors.variable import Variable
from ...mode import building
from ..errors import OutOfRangeError
from .recording import record

__all__ = ["count_up_to"]


def count_up_to(ref: Variable, limit: int, name: str | None = None) -> Any:
    """Add 1 to an integer variable; the value before.

    Args:
        ref: the variable.
        limit: at this value it is not changed.
        name: of the operation.
    Raises:
        OutOfRangeError: the variable has reached the limit.
    """

    def count(variable: Variable) -> Any:
        before = variable.read_value()
        if not before._is_symbolic() and int(before) >= limit:
            raise OutOfRangeError(None, None, f"Reached limit of {limit}")
        variable.assign_add(1)
        return before

    return record(count, ref, "CountUpTo", name or "CountUpTo", eager=True) if building() else count(ref)
