"""Padding with a number, and by copies of elements, which are one ``take`` per axis if they are few."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any
_SMALL: Final = 4096  # elements; NumPy's pad of fewer takes 7 to 15 times as long as one take per axis


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the padding family on the arrays of ``xp``."""
    return [Kernel("pad", _pad(xp), fresh=True)]


def _pairs(pad_width: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """The numbers before and behind each axis."""
    if type(pad_width) is int:
        return ((pad_width, pad_width),) * rank
    if pad_width and type(pad_width[0]) is int:
        pad_width = (tuple(pad_width),)
    pairs = tuple([pair * 2 if len(pair) == 1 else pair for pair in pad_width])
    pairs = pairs * rank if len(pairs) == 1 else pairs
    if len(pairs) != rank or min([min(pair) for pair in pairs], default=0) < 0:
        raise ValueError(f"widths {pad_width} do not fit")
    return pairs


@lru_cache(maxsize=256)
def _placed(shape: tuple[int, ...], pairs: tuple[tuple[int, int], ...]) -> tuple[tuple[int, ...], tuple[slice, ...]]:
    """The shape of the padded array, and where the elements go."""
    sizes = tuple([before + size + after for size, (before, after) in zip(shape, pairs, strict=True)])
    return sizes, tuple([slice(before, before + size) for size, (before, _) in zip(shape, pairs, strict=True)])


@lru_cache(maxsize=256)
def _positions(size: int, before: int, after: int, mode: str) -> Array:
    """The position that each element of a padded axis is copied from."""
    return np.pad(np.arange(size), (before, after), mode)  # type: ignore[call-overload]


def _pad(xp: Any) -> Callable[..., Array]:
    empty, zeros, general, on_host = xp.empty, xp.zeros, xp.pad, xp.__name__ == "numpy"

    def pad(x: Array, *, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Array:
        pairs = _pairs(pad_width, x.ndim)
        if mode != "constant":
            if mode not in ("edge", "reflect", "symmetric", "wrap"):
                raise ValueError(f"there is no mode {mode!r}")
            if on_host and x.size <= _SMALL:
                return of_few(x, pairs, mode)
            return general(x, pairs, mode) if pairs else x.copy()
        # For 12 elements 0.2 of the time of xp.pad.
        shape, inside = _placed(x.shape, pairs)
        if type(constant_values) is int and constant_values == 0:
            y = zeros(shape, x.dtype)
        else:
            y = empty(shape, x.dtype)
            y.fill(constant_values)
        y[inside] = x
        return y

    def of_few(x: Array, pairs: tuple[tuple[int, int], ...], mode: str) -> Array:
        y = x
        for axis, (before, after) in enumerate(pairs):
            if before or after:
                y = y.take(_positions(x.shape[axis], before, after, mode), axis)
        return x.copy() if y is x else y

    return pad
