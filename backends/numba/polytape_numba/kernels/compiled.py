"""Access to the compiled loops, which are imported when a kernel first runs."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any, Final

from polytape.errors import BackendError

__all__ = ["LARGE", "large_rows", "loops", "one_vector", "two_vectors"]

Array = Any

# Elements. The loops are faster than NumPy from one row of ten elements on, but below this size they save at most
# 10 us per call, and importing numba costs as much time as 30,000 such calls save.
LARGE: Final = 256


@cache
def loops() -> ModuleType:
    """The module `polytape_numba.loops`.

    The first call in a process imports numba, which takes 0.3 s. The first call of each loop compiles it (1 to 3 s) or
    reads it from numba's cache.

    Raises:
        BackendError: numba is installed but cannot be imported, for example because it does not support the installed
            NumPy.
    """
    try:
        from .. import loops as module
    except ImportError as error:
        raise BackendError(
            "backend 'numba' cannot compile: importing numba failed.",
            expected="a numba version that supports the installed NumPy",
            got=f"{type(error).__name__}: {error}",
            fix="pip install --upgrade 'polytape[numba]', or use the backend numpy",
        ) from error
    return module


# A read-only array has another type for numba, which would compile the loop again, so carray asks for a writable one.


def one_vector(x: Array) -> bool:
    """Whether an operand is large, in C order, aligned and writable, so that it can be read as a vector."""
    return bool(x.size >= LARGE and x.flags.carray)


def large_rows(x: Array, axis: Any) -> bool:
    """Whether an operand is large and in C order, and ``axis`` is its last one."""
    return one_vector(x) and (axis == -1 or axis == x.ndim - 1)


def two_vectors(incoming: Array, x: Array) -> bool:
    """Whether two operands of one shape are large, in C order, aligned and writable."""
    return bool(x.size >= LARGE and incoming.shape == x.shape and x.flags.carray and incoming.flags.carray)
