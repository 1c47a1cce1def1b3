"""Numbers as arrays of rank 0: a ufunc of NumPy takes 0.4 to 0.5 us longer beside a Python number, and gives the same.

Of a function with ten steps on ten elements that is half of the time, and of one on 1,000 elements a third.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from .clipping import clip_of
from .rows import number

__all__ = ["clipped_of", "number_of", "numbers"]

Array = Any
_CHARS: Final = "fd"


def numbers(xp: Any, value: float) -> dict[str, Any]:
    """The number by the character of a dtype, float32 or float64; empty for other modules than NumPy.

    ``numbers(xp, 1).get(x.dtype.char, 1)`` is an operand beside ``x`` of any dtype.
    """
    return {char: np.array(value, char) for char in _CHARS} if xp.__name__ == "numpy" else {}


def number_of(xp: Any) -> Callable[[float, Array], Any]:
    """A function of a number and the float32 or float64 array beside which it stands: the operand for the number."""
    if xp.__name__ != "numpy":
        return lambda value, x: value
    return lambda value, x: number(value, x.dtype.char)


def clipped_of(xp: Any, bound: float) -> Callable[[Array], Array]:
    """A function that keeps the elements of a float32 or float64 array from ``-bound`` to ``bound``."""
    clip, least, most = clip_of(xp), numbers(xp, -bound), numbers(xp, bound)
    if clip is None:
        return lambda x: x.clip(-bound, bound)
    return lambda x: clip(x, least[x.dtype.char], most[x.dtype.char])
