"""How `Tensor.__setitem__` finds an assignment that has no effect: to a temporary tensor, or to a loop's row.

``z[0][1] = 5`` assigns to ``z[0]``, a new tensor that is gone afterwards. Such a tensor has one reference only, that of
the interpreter's stack. `tensors.assignment` examines the suspects, and raises the error.
"""

from __future__ import annotations

import sys
from typing import Any, Final

__all__ = ["TEMPORARY", "rows_in_loops"]


class Measured:
    """Stands for a tensor: its ``__setitem__`` finds out the reference count that a temporary object has there."""

    def __setitem__(self, key: int, counts: list[int]) -> None:
        counts.append(sys.getrefcount(self))


def measure() -> int:
    """The reference count of a temporary object in its own ``__setitem__``."""
    counts: list[int] = []
    Measured()[0] = counts
    return counts[0]


# The call itself adds to the count, in compiled code less than in Python.
TEMPORARY: Final[int] = measure()

# The row that each loop over a tensor is at, by its id.
rows_in_loops: Final[dict[int, Any]] = {}
