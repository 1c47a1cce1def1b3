"""Item assignments that do not do what they seem to: errors and a warning. Also the loop over a tensor's rows.

Tensor imports this module when it needs it, so nothing here imports Tensor.
"""

from __future__ import annotations

import linecache
import opcode
import sys
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

from ..errors import DTypeError, PolytapeWarning
from . import temporaries
from .rejections import described
from .scope import current_scope
from .temporaries import rows_in_loops

__all__ = ["check", "rows"]

# Frames from `check` to the caller of Tensor.__setitem__, which has no frame of its own when it is compiled.
_DEPTH: Final = 2 if temporaries.__file__.endswith(".py") else 1
_STORES: Final = frozenset(opcode.opmap[name] for name in ("STORE_SUBSCR", "STORE_SLICE") if name in opcode.opmap)


def rows(x: Any, count: int) -> Iterator[Any]:
    """The rows of ``x``, as new tensors. While the caller is at a row, `rows_in_loops` has it."""
    for position in range(count):
        row = x[position]
        rows_in_loops[id(row)] = row
        try:
            yield row
        finally:
            del rows_in_loops[id(row)]


def check(x: Any, temporary: bool) -> None:
    """Reject an assignment to an item of ``x`` that has no effect; warn if it costs a gradient.

    Args:
        x: the tensor.
        temporary: whether nothing seems to refer to it except the interpreter's stack.
    Raises:
        DTypeError: the tensor is a temporary one, or the row that a loop is at.
    """
    frame = sys._getframe(_DEPTH)
    if temporary and _is_lost(x, frame):
        raise DTypeError(
            f"item assignment to {described(x)} has no effect: it is a temporary tensor, which nothing refers to.",
            expected="one pair of brackets after a name, such as z[0, 1] = value",
            got=_line(frame) or "an assignment to the result of an index, a call or an attribute",
            fix="write z[0, 1] = value for z[0][1] = value, or give the tensor a name first",
        )
    if id(x) in rows_in_loops:
        raise DTypeError(
            f"item assignment to {described(x)} does not change the tensor that the loop goes over: a row is a copy.",
            expected="an assignment to the tensor itself",
            got=_line(frame) or "an assignment to the row that a loop is at",
            fix="for i in range(len(z)): z[i, 0] = value; to change a copy of the row, row = polytape.identity(row)",
        )
    for tape in current_scope.get().tapes:
        if tape.leaves.get(x.node):
            warnings.warn(
                f"item assignment to {described(x)}, which a tape watches: from here on, it is a new tensor, and the "
                "gradient with respect to the watched one cannot be requested. Assign before tape.watch(x), or to "
                "another tensor, y = polytape.identity(x).",
                PolytapeWarning,
                stacklevel=_DEPTH + 1,
            )
            return


def _is_lost(x: Any, frame: FrameType) -> bool:
    """Whether the statement that ``frame`` is at assigns to an item of a tensor that only the stack refers to."""
    # A C function that calls __setitem__ may refer to the tensor without counting: it is not suspected.
    if frame.f_code.co_code[frame.f_lasti] not in _STORES:
        return False
    # Python 3.14 does not count the stack's reference to a local variable.
    return all(value is not x for value in frame.f_locals.values())


def _line(frame: FrameType) -> str:
    return linecache.getline(frame.f_code.co_filename, frame.f_lineno, frame.f_globals).strip()
