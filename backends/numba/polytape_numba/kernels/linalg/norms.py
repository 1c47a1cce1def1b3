"""The Euclidean norm over neighbouring axes; where the sum of squares leaves the range, NumPy's kernel scales it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from ..compiled import FEW, loops
from ..reduction import form
from ..universal import REAL, Fn, numpy_kernels

__all__ = ["kernels"]

Array = Any
Axis = int | tuple[int, ...] | None

# By bytes of a number, the range of sums of squares in which neither overflow nor underflow of a square matters.
_RANGE: Final = {4: (1e-25, 3e38), 8: (1e-280, 1e308)}


def kernels() -> list[Kernel]:
    """The kernel ``euclidean_norm``."""
    few = numpy_kernels("linalg.norms")["euclidean_norm"]
    return [Kernel("euclidean_norm", _euclidean_norm(few), dtypes=REAL, fresh=True)]


def _euclidean_norm(otherwise: Fn) -> Fn:
    def euclidean_norm(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        found = form(x.shape, axis, keepdims) if x.size >= FEW and x.flags.carray else None
        if found is not None and found[0][2] == 1:
            (before, n, _), shape = found
            y = np.empty(shape, x.dtype)
            if loops().norm_of_rows(x.reshape(before, n), *_RANGE[x.itemsize], y.reshape(before)):
                return y
        return otherwise(x, axis=axis, keepdims=keepdims)

    return euclidean_norm
