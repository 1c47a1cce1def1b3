"""Reductions over one axis, several or all."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, prod
from typing import Any, Final

from polytape.backend import Kernel

from .extremes import extreme_reduce
from .rows import beside_row, column, is_rows, ones
from .specialised import of_reduction
from .summing import LONG, SMALL, add_reduce, sum_by_dot

__all__ = ["kernels"]

Array = Any
Axis = int | tuple[int, ...] | None

_LARGE: Final = 4096  # elements
_COLUMNS: Final = 512
_SHORT: Final = 256  # elements of a row that BLAS sums at a time, as in `summing`


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the reductions on the arrays of ``xp``."""
    sum, mean = _sum(xp), _mean(xp)
    return [
        Kernel("sum", sum, fresh=True, specialise=of_reduction(xp, sum)),
        Kernel("mean", mean, fresh=True, specialise=of_reduction(xp, mean)),
        Kernel("max", _extreme(xp, "maximum"), fresh=True),
        Kernel("min", _extreme(xp, "minimum"), fresh=True),
        Kernel("argmax", _argmax, fresh=True),
        Kernel("argmin", _argmin, fresh=True),
        Kernel("any", _any, fresh=True),
        Kernel("all", _all, fresh=True),
        Kernel("count_nonzero", _count_nonzero(xp), fresh=True),
        Kernel("prod", _prod(xp), fresh=True),
        Kernel("var", _var(xp), fresh=True),
        Kernel("std", _std(xp), fresh=True),
    ]


def _check_axis(x: Array, axis: Axis) -> None:
    # NumPy ignores axis 0 or -1 of a rank-0 array; in the array API standard it is an error.
    if x.ndim == 0 and axis != ():
        raise ValueError(f"axis {axis} is out of bounds for an array of rank 0")


def _sum(xp: Any) -> Callable[..., Array]:
    # xp.sum reaches the same loop as add.reduce through 1.3 us of Python. In half precision 2048 + 1 is 2048 (bfloat16:
    # 256 + 1 is 256), so such sums are computed in float32.
    reduce, accurate, by_dot, float32 = xp.add.reduce, add_reduce(xp), sum_by_dot(xp), xp.dtype("float32")

    def sum(x: Array, *, axis: Axis = None, dtype: Any, keepdims: bool = False) -> Array:
        if axis is None and x.ndim == 1 and LONG < x.size <= SMALL and dtype.itemsize > 2:
            return reduce(x, None, dtype, None, keepdims)  # what follows does the same, 150 ns later
        if dtype is x.dtype:
            y = by_dot(x, axis, keepdims)
            if y is not None:
                return y
        if axis is not None:
            _check_axis(x, axis)
        add = reduce if x.size <= SMALL else accurate
        if dtype.itemsize == 2 and dtype.kind not in "iu":
            return add(x, axis, float32, None, keepdims).astype(dtype)
        return add(x, axis, dtype, None, keepdims)

    return sum


def _mean(xp: Any) -> Callable[..., Array]:
    reduce, accurate, by_dot, float32 = xp.add.reduce, add_reduce(xp), sum_by_dot(xp), xp.dtype("float32")

    def mean(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        if axis is None and x.ndim == 1 and LONG < x.size <= SMALL and x.dtype.itemsize > 2:
            return reduce(x, None, None, None, keepdims) / x.size  # as in `sum`
        y = by_dot(x, axis, keepdims)
        if y is not None:
            return y / (x.size if axis is None else x.shape[-1])
        if axis is None:
            count = x.size
        else:
            _check_axis(x, axis)
            count = x.shape[axis] if type(axis) is int else prod(x.shape[k] for k in axis)  # type: ignore[union-attr]
        add = reduce if x.size <= SMALL else accurate
        dtype = x.dtype
        if dtype.itemsize == 2:
            return (add(x, axis, float32, None, keepdims) / count).astype(dtype)
        return add(x, axis, None, None, keepdims) / count

    return mean


def _extreme(xp: Any, name: str) -> Callable[..., Array]:
    reduce = extreme_reduce(xp, name)

    def extreme(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        if axis is not None:
            _check_axis(x, axis)
        return reduce(x, axis, keepdims)

    return extreme


# argmax is a method of arrays in every module.
def _argmax(x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    if axis is not None:
        _check_axis(x, axis)
    if keepdims:
        return x.argmax(axis, keepdims=True)
    return x.argmax(axis)


def _argmin(x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    if axis is not None:
        _check_axis(x, axis)
    if keepdims:
        return x.argmin(axis, keepdims=True)
    return x.argmin(axis)


def _any(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    if axis is not None:
        _check_axis(x, axis)
    return _truth(x).any(axis, keepdims=keepdims)


def _all(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    if axis is not None:
        _check_axis(x, axis)
    return _truth(x).all(axis, keepdims=keepdims)


def _truth(x: Array) -> Array:
    return x if x.dtype.kind == "b" else x != 0


def _count_nonzero(xp: Any) -> Callable[..., Array]:
    count_all, asarray = xp.count_nonzero, xp.asarray

    def count_nonzero(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        if axis is not None:
            _check_axis(x, axis)
        elif not keepdims:
            return asarray(count_all(x), "int64")
        return _truth(x).sum(axis, "int64", None, keepdims)

    return count_nonzero


def _prod(xp: Any) -> Callable[..., Array]:
    float32, multiply, on_host = xp.dtype("float32"), xp.multiply, xp.__name__ == "numpy"

    def by_columns(x: Array) -> Array:
        """The product of all elements; NumPy's own takes each factor after the one before, without SIMD."""
        x = x.reshape(-1)
        count = x.size // _COLUMNS
        y = multiply.reduce(multiply.reduce(x[: count * _COLUMNS].reshape(count, _COLUMNS), 0), None)
        return y * multiply.reduce(x[count * _COLUMNS :], None)

    def prod(x: Array, *, axis: Axis = None, dtype: Any, keepdims: bool = False) -> Array:
        if axis is not None:
            _check_axis(x, axis)
        if dtype.itemsize == 2 and dtype.kind not in "iu":
            return x.prod(axis, float32, None, keepdims).astype(dtype)
        if on_host and axis is None and not keepdims and x.size >= _LARGE and dtype is x.dtype and dtype.char in "fd":
            with xp.errstate(all="ignore"):
                y = by_columns(x)
            # In another order, partial products can overflow or vanish where those in the order of memory do not.
            if -inf < y < inf and y != 0:
                return y
        return x.prod(axis, dtype, None, keepdims)

    return prod


def _is_vector(x: Array, axis: Axis) -> bool:
    """Whether all elements are reduced to one."""
    return axis is None or (x.ndim == 1 and (axis == 0 or axis == -1))


def _var(xp: Any) -> Callable[..., Array]:
    mean, add, by_dot, float32 = _mean(xp), add_reduce(xp), sum_by_dot(xp), xp.dtype("float32")
    on_host, reduce = xp.__name__ == "numpy", xp.add.reduce

    def of_short_rows(x: Array, correction: float, keepdims: bool) -> Array:
        n = x.shape[-1]
        distance = x - x.dot(column(n, "f")) / n
        distance *= distance
        total = distance.dot(column(n, "f") if keepdims else ones(n, "f"))
        return total / max(float(n - correction), 0.0)

    def of_vector(x: Array, correction: float) -> Array:
        n = x.size
        if n <= _SHORT and x.dtype.char == "f":
            distance = x - x.dot(ones(n, "f")) / n
            total = distance.dot(distance)
        else:
            distance = x - reduce(x) / n
            distance *= distance
            total = reduce(distance)
        return total / max(float(n - correction), 0.0)

    def var(x: Array, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Array:
        dtype = x.dtype
        if on_host and _is_vector(x, axis) and 0 < x.size <= _LARGE and dtype.char in "fd":
            y = of_vector(x.reshape(-1), correction)
            return y.reshape((1,) * x.ndim) if keepdims else y
        if on_host and x.size <= _LARGE and dtype.char == "f" and is_rows(x, axis) and x.shape[-1] <= _SHORT:
            return of_short_rows(x, correction, keepdims)
        if dtype.itemsize == 2:
            x = x.astype(float32)
        distance = beside_row(xp.subtract, x, mean(x, axis=axis, keepdims=True))
        if dtype.kind == "c":
            distance = distance.real**2 + distance.imag**2
            dtype = distance.dtype
        else:
            distance *= distance
        total = by_dot(distance, axis, keepdims)
        if total is None:
            total = add(distance, axis, None, None, keepdims)
        count = x.size if axis is None else prod(x.shape[k] for k in (axis if type(axis) is tuple else (axis,)))
        return (total / max(float(count - correction), 0.0)).astype(dtype, copy=False)

    return var


def _std(xp: Any) -> Callable[..., Array]:
    var, sqrt, float32 = _var(xp), xp.sqrt, xp.dtype("float32")

    def std(x: Array, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Array:
        if x.dtype.itemsize > 2:
            return sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))
        wide = sqrt(var(x.astype(float32), axis=axis, correction=correction, keepdims=keepdims))
        return wide.astype(x.dtype)

    return std
