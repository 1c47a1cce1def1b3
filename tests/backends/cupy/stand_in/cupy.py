"""A strict stand-in for cupy: its names and signatures, NumPy's numbers, no GPU. For tests alone.

It has only what polytape's kernels call: any other name is an AttributeError, to be checked against cupy itself before
it is added here. Names, signatures and strictness were taken from cupy 14.2.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import standin_cuda
from numpy import (
    complex64,
    complex128,
    dtype,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)  # fmt: skip
from standin_arrays import fresh, ndarray, operand, ufunc, ufuncs, view
from standin_elementwise import ElementwiseKernel

if standin_cuda.MODE == "broken":
    raise ImportError("libcublas.so.12: cannot open shared object file: No such file or directory")

__all__ = [
    "ElementwiseKernel", "arange", "array", "asarray", "asnumpy", "broadcast_to", "complex64", "complex128",
    "concatenate", "cuda", "dtype", "empty", "empty_like", "float16", "float32", "float64", "full",
    "get_default_memory_pool", "int8", "int16", "int32", "int64", "matmul", "ndarray", "ufunc", "uint8", "uint16",
    "uint32", "uint64", "vdot", "where", "zeros", "zeros_like",
]  # fmt: skip

__version__ = "14.2.0+standin"
cuda = SimpleNamespace(
    Device=standin_cuda.Device,
    MemoryPool=standin_cuda.MemoryPool,
    Stream=standin_cuda.Stream,
    memory=standin_cuda.memory,
    runtime=standin_cuda.runtime,
)
globals().update(ufuncs)
_pool = standin_cuda.MemoryPool()


def get_default_memory_pool() -> standin_cuda.MemoryPool:
    """The pool arrays come from."""
    return _pool


def array(
    obj: Any, dtype: Any = None, copy: bool = True, order: str = "K", subok: bool = False, ndmin: int = 0, *,
    blocking: bool = False,
) -> ndarray:  # fmt: skip
    """An array of host data, which this call transfers, or a copy of an array."""
    if isinstance(obj, ndarray):
        return obj.astype(obj.dtype if dtype is None else dtype, copy=copy)
    return fresh(np.array(obj, dtype, ndmin=ndmin))


def asarray(
    a: Any, dtype: Any = None, order: Any = None, *, copy: bool | None = None, blocking: bool = False
) -> ndarray:
    """As `array`, without a copy where none is needed."""
    return array(a, dtype, copy=bool(copy))


def asnumpy(a: Any, stream: Any = None, order: str = "C", out: Any = None, *, blocking: bool = True) -> Any:
    """A host copy."""
    return a.get(stream, order) if isinstance(a, ndarray) else np.asarray(a)


def empty(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    """An array with any contents; here all bits set, so that reading them shows."""
    made = ndarray(shape, dtype)
    made._host.view(np.uint8 if made.ndim else made.dtype).fill(0xFF if made.ndim else 0)
    return made


def zeros(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    """An array of zeros."""
    return fresh(np.zeros(shape, dtype))


def full(shape: Any, fill_value: Any, dtype: Any = None, order: str = "C") -> ndarray:
    """An array of one value."""
    return fresh(np.full(shape, operand(fill_value), dtype))


def empty_like(prototype: Any, dtype: Any = None, order: str = "K", subok: Any = None, shape: Any = None) -> ndarray:
    """An array like another, with any contents."""
    return empty(prototype.shape if shape is None else shape, prototype.dtype if dtype is None else dtype)


def zeros_like(a: Any, dtype: Any = None, order: str = "K", subok: Any = None, shape: Any = None) -> ndarray:
    """An array like another, of zeros."""
    return zeros(a.shape if shape is None else shape, a.dtype if dtype is None else dtype)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> ndarray:
    """A range."""
    return fresh(np.arange(start, stop, step, dtype))


def where(condition: Any, x: Any = None, y: Any = None) -> ndarray:
    """``x`` where the condition holds, else ``y``."""
    if x is None or y is None:
        raise ValueError("Must provide both 'x' and 'y' or neither.")
    return fresh(np.where(operand(condition), operand(x), operand(y)))


def concatenate(
    tup: Any, axis: int | None = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind"
) -> ndarray:
    """Arrays one after another."""
    for x in tup:
        if not isinstance(x, ndarray):
            raise TypeError(f"Only cupy arrays can be concatenated, not {type(x)}")
    return fresh(np.concatenate([operand(x) for x in tup], axis))


def broadcast_to(array: Any, shape: Any) -> ndarray:
    """A view of another shape."""
    if not isinstance(array, ndarray):
        raise TypeError(f"Unsupported type {type(array)}")
    return view(array, np.broadcast_to(operand(array), shape))


def matmul(*args: Any, out: Any = None, dtype: Any = None, **kwargs: Any) -> ndarray:
    """The product of (stacks of) matrices."""
    x1, x2 = args
    return fresh(np.matmul(operand(x1), operand(x2)))


def vdot(a: Any, b: Any) -> ndarray:
    """The sum of the products, the first conjugated."""
    if not (isinstance(a, ndarray) and isinstance(b, ndarray)):
        raise TypeError(f"Unsupported types {type(a)}, {type(b)}")
    return fresh(np.vdot(operand(a), operand(b)))
