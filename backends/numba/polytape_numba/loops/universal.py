"""Universal functions of NumPy made of functions of one element.

NumPy allocates the result, broadcasts the operands and follows their strides, in one C call that takes 0.2 us. A call
of a compiled loop takes 0.5 us, since numba converts each operand, and the result is allocated by another call. What is
compiled here is the function that NumPy calls with pointers. It has a loop for operands without gaps, which uses SIMD.
"""

from __future__ import annotations

import importlib
import platform
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numba
import numpy as np
from numba.extending import register_jitable

from ..cache import compiled_pointer
from . import elementwise, logarithms
from .functions import EXACT
from .logarithms import OTHERWISE, is_regular

__all__ = ["ufunc"]

Scalar = Callable[..., Any]
_numba: Final[Any] = numba  # Any, since it exports nothing explicitly
carray, types = _numba.carray, _numba.types
_internal: Final[Any] = importlib.import_module("numba.np.ufunc._internal")
_strided: Final[Any] = np.lib.stride_tricks.as_strided

# The type of an inner loop of NumPy: (pointers to the operands and the result, count, steps in bytes, unused).
_SIGNATURE: Final = types.void(
    types.CPointer(types.voidptr), types.CPointer(types.intp), types.CPointer(types.intp), types.voidptr
)


def _reported() -> int:
    """The bits of the conditions that NumPy reports after a loop; all conditions if they are not known.

    Sources: ``fenv.h`` of glibc for x86 and ARM, and of Microsoft's C library.
    """
    machine = platform.machine().lower()
    if sys.platform == "win32":
        return 0x1E
    return {"x86_64": 0x1D, "amd64": 0x1D, "aarch64": 0x0F, "arm64": 0x0F}.get(machine, 0x3F)


_REPORTED: Final = _reported()
_raised: Final[Any] = types.ExternalFunction("fetestexcept", types.int32(types.int32))
_clear: Final[Any] = types.ExternalFunction("feclearexcept", types.int32(types.int32))


@register_jitable(**EXACT)
def _forget_conditions() -> None:
    """Clear the floating-point conditions, since every branch of a vectorised choice is computed.

    NumPy would report them as warnings. Testing them takes 1 ns, clearing them 50.
    """
    if _raised(np.int32(_REPORTED)) != 0:
        _clear(np.int32(_REPORTED))


def _one(fn: Scalar, real: Any) -> Callable[..., None]:
    """The inner loop of a function of one element."""

    def loop(args: Any, counts: Any, steps: Any, unused: Any) -> None:
        n = counts[0]
        x, y = carray(args[0], (n,), real), carray(args[1], (n,), real)
        if steps[0] == x.itemsize and steps[1] == y.itemsize:
            for i in range(n):
                y[i] = fn(x[i])
        else:
            xs, ys = _strided(x, (n,), (steps[0],)), _strided(y, (n,), (steps[1],))
            for i in range(n):
                ys[i] = fn(xs[i])
        _forget_conditions()

    return loop


def _regular(fn: Scalar, otherwise: Scalar, real: Any) -> Callable[..., None]:
    """The inner loop of a function of one element that has another function for some numbers."""

    def loop(args: Any, counts: Any, steps: Any, unused: Any) -> None:
        n = counts[0]
        x, y = carray(args[0], (n,), real), carray(args[1], (n,), real)
        xs, ys = _strided(x, (n,), (steps[0],)), _strided(y, (n,), (steps[1],))
        others = 0
        if steps[0] == x.itemsize and steps[1] == y.itemsize:
            for i in range(n):
                y[i] = fn(x[i])
            for i in range(n):
                others += not is_regular(x[i])
        else:
            others = n
            for i in range(n):
                ys[i] = fn(xs[i])
        if others:
            for i in range(n):
                if not is_regular(xs[i]):
                    ys[i] = otherwise(xs[i])
        _forget_conditions()

    return loop


def _two(fn: Scalar, real: Any) -> Callable[..., None]:
    """The inner loop of a function of two elements, with further loops for one number and many."""
    size = np.dtype(real).itemsize

    def loop(args: Any, counts: Any, steps: Any, unused: Any) -> None:
        n, a, b = counts[0], steps[0], steps[1]
        x1, x2, y = carray(args[0], (n,), real), carray(args[1], (n,), real), carray(args[2], (n,), real)
        if a == size and b == size and steps[2] == size:
            for i in range(n):
                y[i] = fn(x1[i], x2[i])
        elif a == size and b == 0 and steps[2] == size:
            number = x2[0]
            for i in range(n):
                y[i] = fn(x1[i], number)
        elif a == 0 and b == size and steps[2] == size:
            number = x1[0]
            for i in range(n):
                y[i] = fn(number, x2[i])
        else:
            xs1, xs2, ys = _strided(x1, (n,), (a,)), _strided(x2, (n,), (b,)), _strided(y, (n,), (steps[2],))
            for i in range(n):
                ys[i] = fn(xs1[i], xs2[i])
        _forget_conditions()

    return loop


def _three(fn: Scalar, real: Any) -> Callable[..., None]:
    """The inner loop of a function of two elements and a number, with a further loop for one number and many."""
    size = np.dtype(real).itemsize

    def loop(args: Any, counts: Any, steps: Any, unused: Any) -> None:
        n = counts[0]
        x1, x2, x3 = carray(args[0], (n,), real), carray(args[1], (n,), real), carray(args[2], (n,), real)
        y = carray(args[3], (n,), real)
        if steps[0] == size and steps[1] == size and steps[2] == 0 and steps[3] == size:
            number = x3[0]
            for i in range(n):
                y[i] = fn(x1[i], x2[i], number)
        else:
            xs1, xs2, xs3 = (
                _strided(x1, (n,), (steps[0],)),
                _strided(x2, (n,), (steps[1],)),
                _strided(x3, (n,), (steps[2],)),
            )
            ys = _strided(y, (n,), (steps[3],))
            for i in range(n):
                ys[i] = fn(xs1[i], xs2[i], xs3[i])
        _forget_conditions()

    return loop


_INNER: Final = (_one, _two, _three)


@cache
def ufunc(name: str, dtype: str) -> Any:
    """The universal function of a name in `elementwise` or `logarithms`, for operands and results of ``dtype``.

    The first call in a process compiles it (1 to 3 s) or reads it from numba's cache.
    """
    fn = getattr(elementwise, name, None) or getattr(logarithms, name)
    real = getattr(np, dtype)
    inputs = fn.__code__.co_argcount
    loop = _regular(fn, OTHERWISE[name], real) if name in OTHERWISE else _INNER[inputs - 1](fn, real)
    loop.__name__ = loop.__qualname__ = f"{name}_of_{dtype}"  # numba's cache files have this name
    code = compiled_pointer(loop, _SIGNATURE, EXACT)
    number = np.dtype(real).num
    return _internal.fromfunc(
        name, fn.__doc__, [code.address], [[number] * (inputs + 1)], inputs, 1, [None], (code,), _internal.PyUFunc_None
    )
