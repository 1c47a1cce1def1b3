"""Inner loops of universal functions, called by their address from compiled code.

NumPy computes ``exp`` and the like with SIMD code of its own. A compiled cluster that calls the same code gives the
same bits; it calls it with pointers, for a part of the operands that is in the first-level cache.
"""

from __future__ import annotations

import ctypes
import importlib
from typing import Any, Final

import numba

__all__ = ["Address", "address_in", "call"]

_numba: Final[Any] = numba  # Any, since it exports nothing explicitly
_extending: Final[Any] = importlib.import_module("numba.extending")
_ir: Final[Any] = importlib.import_module("llvmlite.ir")

Address = tuple[int, int]  # of the loop, and of the data that it is called with

# The C struct of a universal function, a part of NumPy's ABI (numpy/ufuncobject.h), behind the head of an object:
# int nin, nout, nargs, identity; then the pointers of loops and their data; int ntypes, unused; char *name, *types.
_HEAD: Final = object.__basicsize__
_LOOPS: Final = _HEAD + 4 * ctypes.sizeof(ctypes.c_int)
_POINTER: Final = ctypes.sizeof(ctypes.c_void_p)
_COUNT: Final = _LOOPS + 2 * _POINTER


def address_in(function: Any, dtypes: tuple[Any, ...]) -> Address | None:
    """The loop of one of NumPy's universal functions for these operands and results; None if it is not found.

    Args:
        function: a universal function.
        dtypes: of the operands, then of the results.
    """
    numbers = bytes([dtype.num for dtype in dtypes])
    start, width = id(function), len(dtypes)
    counts = list((ctypes.c_int * 3).from_address(start + _HEAD))
    if counts != [function.nin, function.nout, function.nargs] or width != function.nargs:
        return None
    total = ctypes.c_int.from_address(start + _COUNT).value
    if total != function.ntypes:
        return None
    types = _pointers(start + _COUNT + 2 * ctypes.sizeof(ctypes.c_int), 2)[1]
    loops, data = _pointers(start + _LOOPS, 2)
    text = ctypes.string_at(types, total * width)
    for index in range(total):  # NumPy takes the first that fits, too
        if text[index * width : (index + 1) * width] == numbers:
            return _pointers(loops, total)[index], _pointers(data, total)[index] if data else 0
    return None


def _pointers(address: int, count: int) -> list[int]:
    return [x or 0 for x in (ctypes.c_void_p * count).from_address(address)]


def _call(typing: Any, loop: Any, data: Any, operands: Any, count: Any, steps: Any) -> Any:
    """Call an inner loop.

    Args:
        loop, data: its `Address`.
        operands: intp[k], the addresses of the operands and results.
        count: intp[1], of elements.
        steps: intp[k], in bytes.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        byte = _ir.IntType(8).as_pointer()
        pointers = [
            builder.bitcast(context.make_array(kind)(context, builder, value).data, byte)
            for kind, value in zip(signature.args[2:], values[2:], strict=True)
        ]
        function = builder.inttoptr(values[0], _ir.FunctionType(_ir.VoidType(), [byte] * 4).as_pointer())
        builder.call(function, [*pointers, builder.inttoptr(values[1], byte)])
        return context.get_dummy_value()

    return _numba.types.void(loop, data, operands, count, steps), generate


call: Final[Any] = _extending.intrinsic(_call)
