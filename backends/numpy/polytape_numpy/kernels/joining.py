"""Joining and rolling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any
Axis = int | tuple[int, ...] | None


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the joining family on the arrays of ``xp``."""
    return [Kernel("stack", _stack(xp), fresh=True), Kernel("roll", _roll(xp))]


def _stack(xp: Any) -> Callable[..., Array]:
    empty, array, on_host = xp.empty, xp.array, xp.__name__ == "numpy"

    def stack(*arrays: Array, axis: int = 0) -> Array:
        if on_host and axis == 0:
            return array(arrays)  # raises a ValueError if their shapes differ
        # For 12 elements 0.4 us, where xp.stack takes 1.5.
        first = arrays[0]
        shape = first.shape
        place = range(len(shape) + 1)[axis]
        y = empty((*shape[:place], len(arrays), *shape[place:]), first.dtype)
        lead = (slice(None),) * place
        for k, x in enumerate(arrays):
            if x.shape != shape:  # assignment would broadcast
                raise ValueError(f"shapes {shape} and {x.shape} differ")
            y[(*lead, k)] = x
        return y

    return stack


def _roll(xp: Any) -> Callable[..., Array]:
    concatenate = xp.concatenate

    def roll(x: Array, *, shift: int | tuple[int, ...], axis: Axis = None) -> Array:
        # For 12 elements a fifth of the time of xp.roll.
        if axis is None:
            flat = x.reshape(-1)
            if type(shift) is int:
                cut = -shift % flat.size if flat.size else 0
                y = concatenate((flat[cut:], flat[:cut]))
            else:
                y = roll(flat, shift=shift, axis=0)
            return y if x.ndim == 1 else y.reshape(x.shape)
        axes = axis if isinstance(axis, tuple) else (axis,)
        shifts = shift if isinstance(shift, tuple) else (shift,) * len(axes)
        for place, distance in zip(axes, shifts, strict=True):
            size = x.shape[place]
            cut = -distance % size if size else 0
            if cut:
                lead = (slice(None),) * (place % x.ndim)
                x = concatenate((x[(*lead, slice(cut, None))], x[(*lead, slice(None, cut))]), place)
        return x

    return roll
