"""Access to the compiled loops, which are imported when a kernel first runs."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any, Final

from polytape.errors import BackendError

__all__ = ["FEW", "LARGE", "contiguous_rows", "large_vector", "loops", "many_short_rows", "one_vector", "two_vectors"]

Array = Any

# Elements. One call of a loop takes 1 us and does what NumPy does in five to ten calls. Fewer elements than FEW are
# computed by NumPy: a program with numbers alone does not import numba, which takes 0.3 s.
FEW: Final = 8
# From here on a loop is also faster than a single call of NumPy.
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
    """Whether an operand has FEW elements or more, in C order, aligned and writable: it can be read as a vector."""
    return bool(x.size >= FEW and x.flags.carray)


def large_vector(x: Array) -> bool:
    """As `one_vector`, with LARGE elements or more."""
    return x.size >= LARGE and one_vector(x)


def contiguous_rows(x: Array, axis: Any) -> bool:
    """As `one_vector`, and ``axis`` is the last one."""
    return one_vector(x) and (axis == -1 or axis == x.ndim - 1)


def many_short_rows(x: Array, short: int, many: int) -> bool:
    """Whether rows have fewer than ``short`` elements, and all together more than ``many``.

    A loop takes some 20 ns per row in addition to its elements; NumPy's kernels compute such rows as a whole.
    """
    return bool(x.size > many and x.shape[-1] < short)


def two_vectors(incoming: Array, x: Array) -> bool:
    """As `one_vector`, for two operands of one shape."""
    return bool(x.size >= FEW and incoming.shape == x.shape and x.flags.carray and incoming.flags.carray)
