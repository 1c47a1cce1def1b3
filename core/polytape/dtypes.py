"""Data types: NumPy dtype objects, their categories, and the promotion rules.

Source: Python array API standard 2024.12, "Type promotion rules"; an integer beside a floating dtype gives the
floating one (the standard leaves that open), Python numbers are weak.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .errors import DTypeError

__all__ = [
    "bool_",
    "complex64",
    "complex128",
    "default_dtype",
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "isdtype",
    "lookup",
    "promote",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "weak_promote",
]

DType = np.dtype[Any]

bool_: Final[DType] = np.dtype("bool")
int8: Final[DType] = np.dtype("int8")
int16: Final[DType] = np.dtype("int16")
int32: Final[DType] = np.dtype("int32")
int64: Final[DType] = np.dtype("int64")
uint8: Final[DType] = np.dtype("uint8")
uint16: Final[DType] = np.dtype("uint16")
uint32: Final[DType] = np.dtype("uint32")
uint64: Final[DType] = np.dtype("uint64")
float16: Final[DType] = np.dtype("float16")
float32: Final[DType] = np.dtype("float32")
float64: Final[DType] = np.dtype("float64")
complex64: Final[DType] = np.dtype("complex64")
complex128: Final[DType] = np.dtype("complex128")

# Categories, ordered: a result's category is the larger of the operands'.
BOOL: Final = 0
INTEGER: Final = 1
FLOATING: Final = 2
COMPLEX: Final = 3

_CATEGORY_OF_CODE: Final = {"b": BOOL, "i": INTEGER, "u": INTEGER, "f": FLOATING, "c": COMPLEX}
_STANDARD: Final[dict[str, DType]] = {
    str(dtype): dtype
    for dtype in (
        bool_, int8, int16, int32, int64, uint8, uint16, uint32, uint64,
        float16, float32, float64, complex64, complex128,
    )
}  # fmt: skip
_ALIASES: Final = {"float": "float32", "int": "int32", "complex": "complex64", "half": "float16", "double": "float64"}
_KINDS: Final[dict[str, tuple[str, ...]]] = {
    "bool": ("b",),
    "signed integer": ("i",),
    "unsigned integer": ("u",),
    "integral": ("i", "u"),
    "real floating": ("f",),
    "complex floating": ("c",),
    "floating": ("f", "c"),
    "numeric": ("i", "u", "f", "c"),
    "any": ("b", "i", "u", "f", "c"),
}


def _bfloat16() -> DType:
    # ml_dtypes costs 10 ms to import and few programs use bfloat16: load it when the name is met.
    try:
        import ml_dtypes
    except ImportError:
        raise DTypeError(
            "bfloat16 needs the package ml_dtypes.",
            expected="ml_dtypes beside polytape",
            got="no module ml_dtypes",
            fix="pip install ml_dtypes",
        ) from None
    dtype: DType = np.dtype(ml_dtypes.bfloat16)
    return dtype


def lookup(spec: object) -> DType:
    """The dtype that ``spec`` names.

    Args:
        spec: a NumPy dtype or scalar type, a name such as ``"float32"``, or the Python types ``float`` (float32),
            ``int`` (int32), ``bool`` and ``complex`` (complex64).
    Raises:
        DTypeError: ``spec`` names no dtype that tensors have.
    """
    if spec is float:
        return float32
    if spec is int:
        return int32
    if spec is complex:
        return complex64
    if isinstance(spec, str):
        name = _ALIASES.get(spec, spec)
        if name == "bfloat16":
            return _bfloat16()
        if name in _STANDARD:
            return _STANDARD[name]
    else:
        try:
            dtype: DType = np.dtype(spec)  # type: ignore[call-overload]  # any object may be given here
        except TypeError:
            dtype = np.dtype(object)
        standard = _STANDARD.get(str(dtype))
        if standard is not None:
            return standard
        if dtype.name == "bfloat16":
            return dtype
    raise DTypeError(
        f"{spec!r} is no dtype of a tensor.",
        expected=f"one of {', '.join(_STANDARD)}, bfloat16",
        got=f"{spec!r} of type {type(spec).__name__}",
        fix="convert the data to one of these dtypes first",
    )


def category(dtype: DType) -> int:
    """BOOL, INTEGER, FLOATING or COMPLEX; -1 for a dtype no tensor has."""
    code = _CATEGORY_OF_CODE.get(dtype.kind)
    if code is not None:
        return code
    return FLOATING if dtype.name == "bfloat16" else -1


def isdtype(dtype: object, kind: str | DType | tuple[str | DType, ...]) -> bool:
    """Whether ``dtype`` is of ``kind``.

    Args:
        dtype: anything `lookup` takes.
        kind: a dtype, one of the standard's kinds (``"bool"``, ``"integral"``, ``"real floating"``, ``"numeric"``,
            ...), polytape's ``"floating"`` (real or complex) and ``"any"``, or a tuple of these.
    Raises:
        DTypeError: ``kind`` is a string that is no kind.
    Source:
        Array API standard 2024.12, ``isdtype``.
    """
    found = lookup(dtype)
    if isinstance(kind, tuple):
        return any(isdtype(found, one) for one in kind)
    if isinstance(kind, str):
        codes = _KINDS.get(kind)
        if codes is None:
            if kind in _STANDARD or kind == "bfloat16":
                return found.name == kind
            raise DTypeError(
                f"isdtype knows no kind {kind!r}.",
                expected=f"one of {', '.join(_KINDS)}",
                got=repr(kind),
                fix="use one of these names, or a dtype",
            )
        return found.kind in codes or (found.kind == "V" and "f" in codes)
    return found == lookup(kind)


def default_dtype(value: object) -> DType:
    """The dtype a Python number gets where nothing else decides: float32, int32, complex64, bool."""
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return int32
    if isinstance(value, float):
        return float32
    return complex64


_promoted: Final[dict[tuple[DType, DType], DType]] = {}


def promote(a: DType, b: DType) -> DType:
    """The dtype of an op's result on operands of dtypes ``a`` and ``b``.

    Raises:
        DTypeError: uint64 beside a signed integer: no integer dtype holds both.
    """
    if a is b:
        return a
    key = (a, b)
    known = _promoted.get(key)
    if known is not None:
        return known
    category_a, category_b = category(a), category(b)
    if category_a != category_b and max(category_a, category_b) < COMPLEX:
        # bool < integer < floating: the larger category's own dtype, never a wider one (int32 + float32 is float32).
        result = a if category_a > category_b else b
    elif category_a == category_b == INTEGER and uint64 in key and a.kind != b.kind:
        raise DTypeError(
            f"{a} and {b} have no common integer dtype.",
            expected="two signed or two unsigned integer dtypes, or a signed one and uint32 or smaller",
            got=f"{a} and {b}",
            fix="cast one operand, for example polytape.astype(x, 'int64')",
        )
    elif category_a <= INTEGER or category_b <= INTEGER:
        # an integer beside a complex dtype, or two integers
        result = np.promote_types(a, b) if category_a == category_b else (a if category_a > category_b else b)
    else:
        result = np.promote_types(a, b)
    _promoted[key] = result
    return result


_COMPLEX_OF: Final = {"float64": complex128, "complex128": complex128}


def weak_promote(dtype: DType, value: object) -> DType:
    """The dtype of an op's result on a tensor of ``dtype`` and the Python number ``value``."""
    have = category(dtype)
    if isinstance(value, bool):
        return dtype
    if isinstance(value, int):
        return int32 if have == BOOL else dtype
    if isinstance(value, float):
        return float32 if have < FLOATING else dtype
    if have == COMPLEX:
        return dtype
    return _COMPLEX_OF.get(dtype.name, complex64)


def real_of(dtype: DType) -> DType:
    """The dtype of a complex dtype's parts; any other dtype is its own."""
    return np.dtype(f"float{dtype.itemsize * 4}") if dtype.kind == "c" else dtype


NAMES: Final[frozenset[str]] = frozenset([*_STANDARD, "bfloat16"])


def names_of(spec: str) -> frozenset[str]:
    """The dtype names that a kernel's dtype entry covers: itself, or all of a kind such as ``"floating"``."""
    if spec in NAMES:
        return frozenset([spec])
    codes = _KINDS.get(spec)
    if codes is None:
        raise DTypeError(
            f"{spec!r} is neither a dtype nor a kind of dtypes.",
            expected=f"a dtype name, or one of {', '.join(_KINDS)}",
            got=repr(spec),
            fix="use one of these names",
        )
    names = [name for name, dtype in _STANDARD.items() if dtype.kind in codes]
    return frozenset([*names, "bfloat16"] if "f" in codes else names)
