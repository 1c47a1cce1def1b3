"""Makers, which draw the operands of samples in every dtype that the op accepts.

A maker either varies (the sample is run once for each of its dtypes) or always has one dtype. Draws are seeded by the
sample's text, so a failure is reproducible.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any, Final

import numpy as np

__all__ = [
    "Maker",
    "anything",
    "bits",
    "booleans",
    "complexes",
    "each",
    "exactly",
    "floating",
    "floats",
    "integers",
    "nonzero",
    "numbers",
    "positive",
    "reals",
    "whole",
]

Array = np.ndarray[Any, Any]
Draw = Callable[[np.random.Generator, tuple[int, ...], "np.dtype[Any]"], Array]

_SIGNED: Final = ("int8", "int16", "int32", "int64")
_UNSIGNED: Final = ("uint8", "uint16", "uint32", "uint64")
_HALF: Final = ("bfloat16",) if importlib.util.find_spec("ml_dtypes") is not None else ()
FLOATS: Final = (*_HALF, "float16", "float32", "float64")
COMPLEX: Final = ("complex64", "complex128")
REALS: Final = (*_SIGNED, *_UNSIGNED, *FLOATS)
NUMBERS: Final = (*REALS, *COMPLEX)
ANYTHING: Final = ("bool", *NUMBERS)


class Maker:
    """One operand of a sample.

    Args:
        name: how it prints.
        shape: of the operand.
        dtypes: names of the dtypes it varies over; one name for a fixed dtype.
        draw: ``(rng, shape, dtype) -> array``.
        varies: whether the sample is run once per dtype.
    """

    __slots__ = ("draw", "dtypes", "name", "shape", "varies")

    def __init__(self, name: str, shape: tuple[int, ...], dtypes: tuple[str, ...], draw: Draw, varies: bool) -> None:
        self.name = name
        self.shape = shape
        self.dtypes = dtypes
        self.draw = draw
        self.varies = varies

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.shape))})"

    def make(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """The operand, of ``dtype`` if the maker varies."""
        own_dtype = dtype if self.varies else np.dtype(self.dtypes[0])
        with np.errstate(all="ignore"):  # a special value may overflow to infinity in a small dtype
            array = self.draw(rng, self.shape, own_dtype).astype(own_dtype)
        return np.ascontiguousarray(array).reshape(self.shape)

    def at(self, shape: tuple[int, ...]) -> Maker:
        """The same maker for another shape."""
        return Maker(self.name, shape, self.dtypes, self.draw, self.varies)

    def of(self, dtype: str) -> Maker:
        """The same maker for one dtype only."""
        return Maker(f"{dtype} {self.name}", self.shape, (dtype,), self.draw, True)


def between(low: float, high: float, *, away: float = 0.0) -> Draw:
    """Uniform numbers, or integers, from ``low`` to ``high``, moved away from 0 by ``away``."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        if dtype.kind == "b":
            return np.asarray(rng.random(shape) < 0.5)
        if dtype.kind in "iu":
            least = max(low, 0.0) if dtype.kind == "u" else low
            first = max(int(np.ceil(least)), 1) if away else int(np.ceil(least))
            return np.asarray(rng.integers(first, int(high) + 1, shape))
        x = np.asarray(rng.uniform(low, high, shape))
        if away:
            x = np.where(x < 0, x - away, x + away)
        if dtype.kind == "c":
            x = x + 1j * rng.uniform(low, high, shape)
        return np.asarray(x)

    return draw


def floats(*shape: int, low: float = -2.0, high: float = 2.0) -> Maker:
    """Real floating numbers of every precision, between ``low`` and ``high``."""
    return Maker("floats", shape, FLOATS, between(low, high), True)


def floating(*shape: int) -> Maker:
    """Real and complex floating numbers with parts from -2 to 2."""
    return Maker("floating", shape, (*FLOATS, *COMPLEX), between(-2.0, 2.0), True)


def positive(*shape: int) -> Maker:
    """Real and complex floating numbers with parts from 0.25 to 3."""
    return Maker("positive", shape, (*FLOATS, *COMPLEX), between(0.25, 3.0), True)


def reals(*shape: int) -> Maker:
    """Integers and real floating numbers from -4 to 4."""
    return Maker("reals", shape, REALS, between(-4.0, 4.0), True)


def numbers(*shape: int) -> Maker:
    """Integers, real and complex floating numbers from -4 to 4."""
    return Maker("numbers", shape, NUMBERS, between(-4.0, 4.0), True)


def nonzero(*shape: int) -> Maker:
    """Like `numbers`, with none near 0."""
    return Maker("nonzero", shape, NUMBERS, between(-3.0, 3.0, away=0.5), True)


def anything(*shape: int) -> Maker:
    """Numbers of every dtype from -4 to 4, and bools."""
    return Maker("anything", shape, ANYTHING, between(-4.0, 4.0), True)


def integers(*shape: int, low: int = 0, high: int = 9, dtype: str = "int32") -> Maker:
    """Integers from ``low`` to ``high``, of one dtype."""
    return Maker("integers", shape, (dtype,), between(low, high), False)


def bits(*shape: int) -> Maker:
    """Integers of every dtype from -4 to 4, and bools."""
    return Maker("bits", shape, ("bool", *_SIGNED, *_UNSIGNED), between(-4.0, 4.0), True)


def whole(*shape: int, low: float = -4.0, high: float = 4.0) -> Maker:
    """Integers of every dtype, between ``low`` and ``high``."""
    return Maker("whole", shape, (*_SIGNED, *_UNSIGNED), between(low, high), True)


def counts(*shape: int) -> Maker:
    """Whole numbers from -4 to 4 in every real dtype, whose sums are exact unless they are very long."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return np.asarray(rng.integers(0 if dtype.kind == "u" else -4, 5, shape))

    return Maker("counts", shape, REALS, draw, True)


def complexes(*shape: int) -> Maker:
    """Complex numbers with parts from -2 to 2."""
    return Maker("complexes", shape, COMPLEX, between(-2.0, 2.0), True)


def booleans(*shape: int) -> Maker:
    """Bools."""
    return Maker("booleans", shape, ("bool",), between(0.0, 1.0), False)


def exactly(values: Any, dtype: str = "") -> Maker:
    """Exactly these values, in ``dtype`` or in every real floating dtype."""
    array = np.asarray(values)
    name = f"exactly {np.array2string(array, threshold=6, separator=',').replace(chr(10), '')} "
    return Maker(name, array.shape, (dtype,) if dtype else FLOATS, lambda rng, shape, kind: array, not dtype)


def each(values: Any, *names: str) -> Maker:
    """Exactly these values, in each of these dtypes."""
    maker = exactly(values, names[0])
    return Maker(maker.name.replace("exactly", "each"), maker.shape, names, maker.draw, True)
