"""Rows of the bitwise operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...ops import bitwise
from ..case import Case
from ..makers import each, whole
from ..samples import sample

__all__ = ["CASES"]

_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def _shifted(shift: Callable[[int, int], int]) -> Callable[..., Any]:
    """A reference on Python's integers, which have no width: the shifts below 0 and beyond the width are stated."""

    def reference(x1: Any, x2: Any) -> Any:
        x1, x2 = np.broadcast_arrays(x1, x2)
        values = [
            shift(int(a), int(b)) if 0 <= b < 64 else (-1 if a < 0 else 0)
            for a, b in zip(x1.flat, x2.flat, strict=True)
        ]
        return np.array(values, dtype=object).reshape(x1.shape)

    return reference


def _left(x1: Any, x2: Any) -> Any:
    values = _shifted(lambda a, b: a << b)(x1, x2)
    values = np.where((x2 < 0) | (x2 > 63), 0, values)
    return np.array(
        [(int(v) + 2**63) % 2**64 - 2**63 if x1.dtype.kind == "i" else int(v) % 2**64 for v in values.flat],
        dtype=x1.dtype,
    ).reshape(values.shape)


def _right(x1: Any, x2: Any) -> Any:
    return _shifted(lambda a, b: a >> b)(x1, x2).astype(x1.dtype)


def _counts(*dtypes: str) -> list[Any]:
    """Shifts below 0, and by as many bits as there are or more."""
    samples = []
    for dtype in dtypes:
        width = 8 * np.dtype(dtype).itemsize
        counts = [0, 1, width - 1, width, width + 1, 100, *([-1, -100] if dtype[0] == "i" else [])]
        samples.append(sample(each([5] * len(counts), dtype), each(counts, dtype)))
        if dtype[0] == "i":
            samples.append(sample(each([-5] * len(counts), dtype), each(counts, dtype)))
    return samples


CASES = [
    Case(bitwise.bitwise_and),
    Case(bitwise.bitwise_or),
    Case(bitwise.bitwise_xor),
    Case(bitwise.bitwise_invert, reference=np.invert),
    Case(
        bitwise.bitwise_left_shift, whole(2, 3), whole(2, 3, low=0.0), reference=_left, more=_counts("int64", "uint64")
    ),
    Case(
        bitwise.bitwise_right_shift,
        whole(2, 3),
        whole(2, 3, low=0.0),
        reference=_right,
        more=_counts("int8", "int32", "int64", "uint8", "uint64"),
    ),
]
