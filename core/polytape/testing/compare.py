"""Comparison of results with a reference of higher precision, in units of the last place."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

__all__ = ["EPSILON", "assert_close", "widen"]

Array = np.ndarray[Any, Any]

# The distance from 1 to the next number, and the smallest number above 0; np.finfo does not support bfloat16.
EPSILON: Final = {
    "bfloat16": 2.0**-7, "float16": 2.0**-10, "float32": 2.0**-23, "float64": 2.0**-52,
    "complex64": 2.0**-23, "complex128": 2.0**-52,
}  # fmt: skip
_TINY: Final = {
    "bfloat16": 2.0**-133, "float16": 2.0**-24, "float32": 2.0**-149, "float64": 2.0**-1074,
    "complex64": 2.0**-149, "complex128": 2.0**-1074,
}  # fmt: skip


_NORMAL: Final = {
    "bfloat16": 2.0**-126, "float16": 2.0**-14, "float32": 2.0**-126, "float64": 2.0**-1022,
    "complex64": 2.0**-126, "complex128": 2.0**-1022,
}  # fmt: skip


def widen(array: Array) -> Array:
    """The same values in the widest dtype of their kind, in which a reference computes."""
    if array.dtype.kind == "b":
        return array
    wide = {"i": "int64", "u": "uint64", "c": "complex128"}.get(array.dtype.kind, "float64")
    return array.astype(wide)


def assert_close(
    got: Array,
    reference: Any,
    what: str,
    *,
    ulp: float = 4.0,
    scale: float = 0.0,
    signs: bool = False,
    subnormals: bool = True,
) -> None:
    """Assert that ``got`` agrees with the reference rounded to its dtype.

    Args:
        got: the result.
        reference: the exact result.
        what: the name of the call in the error.
        ulp: the allowed error in units of the last place; integers and bools must be equal.
        scale: the magnitude below which that unit does not shrink.
        signs: whether the signs of zeros must agree, and of the zero parts of complex numbers.
        subnormals: whether results below the smallest normal number keep their value; otherwise they may be 0.
    Raises:
        AssertionError: the shape differs, or a value differs by more; the text gives the first such value.
    """
    expected = np.asarray(reference)
    if got.shape != expected.shape:
        raise AssertionError(f"{what}\n  expected: shape {expected.shape}\n  got: shape {got.shape}")
    with np.errstate(all="ignore"):
        wrong = _wrong(got, expected, ulp, scale, signs)
        if not subnormals and got.dtype.name in _NORMAL:
            small = _NORMAL[got.dtype.name]
            wrong &= ~((np.abs(got) < small) & (np.abs(expected) < small))
    if wrong.any():
        index = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise AssertionError(
            f"{what}\n  expected: {expected[index]!r} at {list(index)}, to {ulp:g} ulp"
            f"\n  got: {got[index]!r} ({int(wrong.sum())} of {wrong.size} differ)"
        )


def _wrong(got: Array, expected: Array, ulp: float, scale: float, signs: bool) -> Array:
    name = got.dtype.name
    if name not in EPSILON:
        return np.asarray(got != expected.astype(got.dtype))
    wide = "complex128" if got.dtype.kind == "c" else "float64"
    actual = got.astype(wide)
    # Rounded to the dtype first: where the exact result overflows in it, the result must be infinite.
    rounded = expected.astype(got.dtype).astype(wide)
    bound = ulp * (EPSILON[name] * np.maximum(np.abs(expected), scale) + _TINY[name])
    close = np.isfinite(rounded) & (np.abs(actual - expected) <= bound)
    wrong = ~(close | (actual == rounded) | (np.isnan(actual) & np.isnan(rounded)))
    if signs:
        parts = (
            [(actual.real, rounded.real), (actual.imag, rounded.imag)] if wide == "complex128" else [(actual, rounded)]
        )
        for x, y in parts:
            wrong |= (x == 0) & (y == 0) & (np.signbit(x) != np.signbit(y))
    return np.asarray(wrong)
