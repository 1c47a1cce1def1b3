"""A strict stand-in for cupy, for tests only: cupy's names and signatures, computed by NumPy without a GPU.

It has only the names that polytape's kernels use; any other name is an AttributeError. Check a name against cupy itself
before you add it here. Names, signatures and strictness are those of cupy 14.2.
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
    "ElementwiseKernel",
    "arange",
    "argsort",
    "array",
    "asarray",
    "ascontiguousarray",
    "asnumpy",
    "broadcast_to",
    "complex64",
    "complex128",
    "concatenate",
    "count_nonzero",
    "cuda",
    "cumprod",
    "cumsum",
    "dtype",
    "empty",
    "empty_like",
    "eye",
    "flip",
    "float16",
    "float32",
    "float64",
    "from_dlpack",
    "full",
    "get_default_memory_pool",
    "int8",
    "int16",
    "int32",
    "int64",
    "isin",
    "linspace",
    "matmul",
    "moveaxis",
    "ndarray",
    "partition",
    "searchsorted",
    "sort",
    "take_along_axis",
    "ufunc",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "vdot",
    "where",
    "zeros",
    "zeros_like",
]  # fmt: skip

__version__ = "14.2.0+standin"
cuda = SimpleNamespace(
    Device=standin_cuda.Device,
    Event=standin_cuda.Event,
    MemoryPool=standin_cuda.MemoryPool,
    Stream=standin_cuda.Stream,
    get_current_stream=standin_cuda.get_current_stream,
    memory=standin_cuda.memory,
    runtime=standin_cuda.runtime,
)
globals().update(ufuncs)
_pool = standin_cuda.MemoryPool()


def get_default_memory_pool() -> standin_cuda.MemoryPool:
    """The pool that arrays are allocated from."""
    return _pool


def array(
    obj: Any, dtype: Any = None, copy: bool = True, order: str = "K", subok: bool = False, ndmin: int = 0, *,
    blocking: bool = False,
) -> ndarray:  # fmt: skip
    """A device array with the given host data, or a copy of a device array."""
    if isinstance(obj, ndarray):
        return obj.astype(obj.dtype if dtype is None else dtype, copy=copy)
    return fresh(np.array(obj, dtype, ndmin=ndmin))


def asarray(
    a: Any, dtype: Any = None, order: Any = None, *, copy: bool | None = None, blocking: bool = False
) -> ndarray:
    """Like `array`, but without a copy if none is needed."""
    return array(a, dtype, copy=bool(copy))


def asnumpy(a: Any, stream: Any = None, order: str = "C", out: Any = None, *, blocking: bool = True) -> Any:
    """A copy on the host."""
    return a.get(stream, order) if isinstance(a, ndarray) else np.asarray(a)


def from_dlpack(array: Any, *, device: Any = None, copy: bool | None = None) -> ndarray:
    """An array that shares the memory of another library's array on a GPU."""
    if array.__dlpack_device__()[0] != 2:
        raise RuntimeError(
            "CPU arrays cannot be directly imported to CuPy. Use `cupy.array(numpy.from_dlpack(input))` instead."
        )
    source = array.__dlpack__(stream=None, max_version=(1, 2)).array
    return view(source, source._host)


def empty(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    """An uninitialized array. Here all its bits are set, so that tests detect reads of it."""
    result = ndarray(shape, dtype)
    result._host.view(np.uint8 if result.ndim else result.dtype).fill(0xFF if result.ndim else 0)
    return result


def zeros(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    """An array of zeros."""
    return fresh(np.zeros(shape, dtype))


def full(shape: Any, fill_value: Any, dtype: Any = None, order: str = "C") -> ndarray:
    """An array filled with one value."""
    return fresh(np.full(shape, operand(fill_value), dtype))


def empty_like(prototype: Any, dtype: Any = None, order: str = "K", subok: Any = None, shape: Any = None) -> ndarray:
    """An uninitialized array with the shape and dtype of another array."""
    return empty(prototype.shape if shape is None else shape, prototype.dtype if dtype is None else dtype)


def zeros_like(a: Any, dtype: Any = None, order: str = "K", subok: Any = None, shape: Any = None) -> ndarray:
    """An array of zeros with the shape and dtype of another array."""
    return zeros(a.shape if shape is None else shape, a.dtype if dtype is None else dtype)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> ndarray:
    """An array of evenly spaced numbers."""
    return fresh(np.arange(start, stop, step, dtype))


def argsort(a: Any, axis: int = -1, kind: str | None = None) -> ndarray:
    """The order of the elements along an axis; cupy's sort is stable."""
    return fresh(np.argsort(operand(a), axis, kind="stable"))


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = float, order: str = "C") -> ndarray:
    """A matrix with ones on a diagonal."""
    return fresh(np.eye(N, M, k, dtype))


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> ndarray:
    """Evenly spaced numbers."""
    return fresh(np.linspace(start, stop, num, endpoint, retstep, dtype, axis))


def sort(a: Any, axis: int = -1, kind: str | None = None) -> ndarray:
    """The elements in order along an axis."""
    return fresh(np.sort(operand(a), axis, kind="stable"))


def partition(a: Any, kth: Any, axis: int = -1) -> ndarray:
    """The elements with some in the place that they have in a sorted array."""
    return fresh(np.partition(operand(a), kth, axis))


def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> ndarray:
    """Where values belong in a sorted array."""
    return fresh(np.searchsorted(operand(a), operand(v), side))


def cumsum(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> ndarray:
    """The sums of the elements up to each one."""
    return fresh(np.cumsum(operand(a), axis, dtype))


def cumprod(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> ndarray:
    """The products of the elements up to each one."""
    return fresh(np.cumprod(operand(a), axis, dtype))


def flip(a: Any, axis: Any = None) -> ndarray:
    """The elements in reverse order along axes."""
    return view(a, np.flip(operand(a), axis))


def moveaxis(a: Any, source: Any, destination: Any) -> ndarray:
    """The array with axes in other places."""
    return view(a, np.moveaxis(operand(a), source, destination))


def ascontiguousarray(a: Any, dtype: Any = None) -> ndarray:
    """The array in row-major order."""
    return fresh(np.ascontiguousarray(operand(a), dtype))


def take_along_axis(a: Any, indices: Any, axis: int | None) -> ndarray:
    """The elements at indices along an axis."""
    return fresh(np.take_along_axis(operand(a), operand(indices), axis))


def isin(element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False) -> ndarray:
    """Whether each element is among others."""
    return fresh(np.isin(operand(element), operand(test_elements), assume_unique, invert))


def count_nonzero(a: Any, axis: Any = None) -> ndarray:
    """The number of elements that are not zero."""
    return fresh(np.count_nonzero(operand(a), axis))


def where(condition: Any, x: Any = None, y: Any = None) -> ndarray:
    """``x`` where the condition is true, ``y`` elsewhere."""
    if x is None or y is None:
        raise ValueError("Must provide both 'x' and 'y' or neither.")
    return fresh(np.where(operand(condition), operand(x), operand(y)))


def concatenate(
    tup: Any, axis: int | None = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind"
) -> ndarray:
    """The arrays joined along an axis."""
    for x in tup:
        if not isinstance(x, ndarray):
            raise TypeError(f"Only cupy arrays can be concatenated, not {type(x)}")
    return fresh(np.concatenate([operand(x) for x in tup], axis))


def broadcast_to(array: Any, shape: Any) -> ndarray:
    """A view broadcast to another shape."""
    if not isinstance(array, ndarray):
        raise TypeError(f"Unsupported type {type(array)}")
    return view(array, np.broadcast_to(operand(array), shape))


def matmul(*args: Any, out: Any = None, dtype: Any = None, **kwargs: Any) -> ndarray:
    """The product of matrices or stacks of matrices."""
    x1, x2 = args
    return fresh(np.matmul(operand(x1), operand(x2)))


def vdot(a: Any, b: Any) -> ndarray:
    """The sum of the products of the elements, with the first operand conjugated."""
    if not (isinstance(a, ndarray) and isinstance(b, ndarray)):
        raise TypeError(f"Unsupported types {type(a)}, {type(b)}")
    return fresh(np.vdot(operand(a), operand(b)))
