"""Sorting and searching. NumPy sorts NaN last and does not distinguish the zeros, as the ops do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any
_LARGE: Final = 2048  # elements, or elements along the axis; steps by SIMD pay from here on
_SHORT: Final = 64  # elements, whose stable sort takes no longer
_FEW: Final = 64  # elements of a vector, which are sorted in the time of a call


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the sorting family on the arrays of ``xp``."""
    return [
        Kernel("argsort", _argsort(xp), fresh=True),
        Kernel("sort", _sort(xp), fresh=True),
        Kernel("searchsorted", _searchsorted(xp), fresh=True),
        Kernel("top_k", _top_k(xp), fresh=True),
        Kernel("nonzero", _nonzero(xp), fresh=True),
    ]


def _comparable(x: Array) -> Array:
    """``x``, in float32 if it is bfloat16: NumPy's order of that dtype has no place for NaN."""
    return x.astype("float32") if x.dtype.kind == "V" else x


def _check_axis(x: Array, axis: int) -> None:
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"axis {axis} is out of bounds for an array of rank {x.ndim}")


def _argsort(xp: Any) -> Callable[..., Array]:
    flip = xp.flip
    ascending = _stable_order if xp.__name__ == "numpy" else partial(xp.argsort, kind="stable")

    def argsort(x: Array, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
        _check_axis(x, axis)
        x = _comparable(x)
        if not descending:
            return ascending(x, axis).astype("int64", copy=False)
        # Flipped twice, so that equal elements keep their order.
        order = flip(ascending(flip(x, axis), axis), axis)
        return (x.shape[axis] - 1 - order).astype("int64", copy=False)

    return argsort


def _stable_order(x: Array, axis: int) -> Array:
    """The indices that sort ``x``, stable; numbers of 32 bits are sorted together with their indices.

    NumPy sorts integers of 64 bits by SIMD, but not for their order: a million float32 take a fifth of the time.
    """
    n = x.shape[axis]
    if x.dtype.char not in "fi" or not _LARGE <= n < 2**32:
        return x.argsort(axis, kind="stable")
    x = np.moveaxis(x, axis, -1)
    if x.dtype.kind == "f":
        bits = (x + np.float32(0)).view("int32")  # -0 becomes 0
        keys = (bits ^ ((bits >> 31) & 0x7FFFFFFF)).astype("int64")  # integers of the same order
        keys[x != x] = 0x7FFFFFFF
    else:
        keys = x.astype("int64")
    keys <<= 32
    keys |= np.arange(n)
    keys.sort()
    keys &= 0xFFFFFFFF
    return np.moveaxis(keys, -1, axis)


def _sort(xp: Any) -> Callable[..., Array]:
    xp_sort, flip, ascontiguousarray = xp.sort, xp.flip, xp.ascontiguousarray
    ordered = _ordered if xp.__name__ == "numpy" else partial(xp_sort, kind="stable")

    def sort(x: Array, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
        _check_axis(x, axis)
        if x.dtype.kind == "V":
            return sort(_comparable(x), axis=axis, descending=descending).astype(x.dtype)
        if x.dtype.kind in "biu":
            y = xp_sort(x, axis)  # equal integers are the same, and this sort takes a tenth of the stable one's time
            return ascontiguousarray(flip(y, axis)) if descending else y
        if descending:
            return ascontiguousarray(flip(ordered(flip(x, axis), axis), axis))
        return ordered(x, axis)

    return sort


def _ordered(x: Array, axis: int) -> Array:
    """``x`` sorted and stable. Of real numbers, only the zeros are equal and not the same.

    NumPy's other sort takes a tenth of the stable one's time. The zeros are put back in their order.
    """
    y, few, zeros = x.copy("K"), x.size <= _SHORT, False
    if not few and x.dtype.kind != "c":
        zeros = _has_negative_zero(x)
        few = zeros and x.size <= _LARGE
    if few or x.dtype.kind == "c":
        y.sort(axis, kind="stable")
        return y
    y.sort(axis)
    if x.dtype.itemsize == 2 and np.isnan(y.take(-1, axis)).any():
        y[np.isnan(y)] = np.nan  # the sort leaves signaling ones
    if zeros:
        moved, given = np.moveaxis(y, axis, -1), np.moveaxis(x, axis, -1)
        moved[moved == 0] = given[given == 0]
    return y


def _has_negative_zero(x: Array) -> bool:
    """Whether -0 is among floating-point numbers, by its bits."""
    size = x.dtype.itemsize
    bits = np.array(-1 << (8 * size - 1), f"i{size}")
    return bool((x.view(bits.dtype) == bits).any())


def _searchsorted(xp: Any) -> Callable[..., Array]:
    xp_searchsorted, asarray = xp.searchsorted, xp.asarray

    def searchsorted(x1: Array, x2: Array, *, side: str = "left") -> Array:
        if x1.ndim != 1:
            raise ValueError(f"an array of rank {x1.ndim} is not a sorted sequence")
        return asarray(xp_searchsorted(_comparable(x1), _comparable(x2), side), "int64")

    return searchsorted


def _top_of_few(x: Array, k: int, largest: bool) -> tuple[Array, Array]:
    """The result for a short vector, by a sort of all."""
    # From the last to the first, so that equal elements stay in order when the result is reversed.
    y = x[::-1] if largest else x
    order = y.argsort(kind="stable")
    order = (x.size - 1 - order[::-1])[:k] if largest else order[:k]
    return x.take(order), order.astype("int64", copy=False)


def _top_k(xp: Any) -> Callable[..., tuple[Array, Array]]:
    argsort, partition, moveaxis, take_along_axis = _argsort(xp), xp.partition, xp.moveaxis, xp.take_along_axis
    on_host = xp.__name__ == "numpy"

    def top_k(x: Array, *, k: int, axis: int = -1, largest: bool = True) -> tuple[Array, Array]:
        _check_axis(x, axis)
        if not 0 <= k <= x.shape[axis]:
            raise ValueError(f"axis {axis} does not have {k} elements")
        if on_host and x.ndim == 1 and 0 < x.size <= _FEW and x.dtype.kind in "fiu":
            return _top_of_few(x, k, largest)
        if on_host and x.ndim == 1 and x.dtype.kind in "fiu" and 0 < k < x.size:
            picked = of_vector(x, k, largest)
            if picked is not None:
                return picked
        if x.dtype.kind in "fiu" and 0 < k < x.shape[axis] // 8:
            found = selected(moveaxis(x, axis, -1), k, largest)
            if found is not None:
                return moveaxis(found[0], -1, axis), moveaxis(found[1], -1, axis)
        order = argsort(x, axis=axis, descending=largest)[(slice(None),) * (axis % x.ndim) + (slice(0, k),)]
        return take_along_axis(x, order, axis), order

    def of_vector(x: Array, k: int, largest: bool) -> tuple[Array, Array] | None:
        """The result for a vector; None if other elements tie with the last place, or NaN is among the first."""
        place = x.size - k if largest else k - 1
        y = x.copy()
        y.partition(place)
        indices = (x >= y[place] if largest else x <= y[place]).nonzero()[0]
        first = y[place:] if largest else y[:k]
        if indices.size != k or bool((first != first).any()):  # a tie can make up for NaN, which no comparison finds
            return None
        # From the last to the first, so that equal elements stay in order when the result is reversed.
        order = x[indices[::-1]].argsort(kind="stable")[::-1] if largest else x[indices].argsort(kind="stable")
        indices = (indices[::-1] if largest else indices)[order].astype("int64", copy=False)
        return x[indices], indices

    def selected(x: Array, k: int, largest: bool) -> tuple[Array, Array] | None:
        """The result along the last axis without a full sort; None for NaN, or ties at the last place."""
        place = x.shape[-1] - k if largest else k - 1
        bound = partition(x, place, -1)[..., place : place + 1]
        mask = x >= bound if largest else x <= bound
        if not bool((mask.sum(-1) == k).all()) or bool((x != x).any()):
            return None
        indices = mask.nonzero()[-1].reshape(*x.shape[:-1], k).astype("int64", copy=False)
        values = take_along_axis(x, indices, -1)
        order = argsort(values, axis=-1, descending=largest)
        return take_along_axis(values, order, -1), take_along_axis(indices, order, -1)

    return top_k


def _nonzero(xp: Any) -> Callable[..., Array]:
    zeros = xp.zeros

    def nonzero(x: Array, *, size: int) -> Array:
        found = zeros((x.ndim, size), "int64")
        if x.ndim:
            for row, indices in zip(found, x.nonzero(), strict=True):
                row[: len(indices)] = indices[:size]
        return found

    return nonzero
