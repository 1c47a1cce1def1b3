"""Data types: NumPy dtype objects, their categories, and the promotion rules.

Source: Python array API standard 2025.12, "Type promotion rules". An integer and a floating dtype give the floating one
(undefined in the standard); Python numbers are weak.
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
_EXACT: Final[dict[DType, DType]] = {dtype: dtype for dtype in _STANDARD.values()}
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
    # Imported on first use of the name: ml_dtypes takes 10 ms to import, and few programs use bfloat16.
    try:
        import ml_dtypes
    except ImportError:
        raise DTypeError(
            "bfloat16 needs the package ml_dtypes.",
            expected="ml_dtypes to be installed",
            got="no module ml_dtypes",
            fix="pip install 'polytape[bfloat16]'",
        ) from None
    dtype: DType = np.dtype(ml_dtypes.bfloat16)
    return dtype


def lookup(spec: object) -> DType:
    """The dtype that ``spec`` names.

    Args:
        spec: a NumPy dtype or scalar type, a name such as ``"float32"``, or the Python types ``float`` (float32),
            ``int`` (int32), ``bool`` and ``complex`` (complex64).
    Raises:
        DTypeError: ``spec`` does not name a dtype that tensors can have.
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
            dtype: DType = np.dtype(spec)  # type: ignore[call-overload]  # spec may be any object
        except TypeError:
            dtype = np.dtype(object)
        if dtype in _EXACT:  # NumPy takes 2 us for the name of a dtype
            return _EXACT[dtype]
        if dtype.name == "bfloat16":
            return dtype
    raise DTypeError(
        f"{spec!r} is not a tensor dtype.",
        expected=f"one of {', '.join(_STANDARD)}, bfloat16",
        got=f"{spec!r} of type {type(spec).__name__}",
        fix="convert the data to one of these dtypes first",
    )


def category(dtype: DType) -> int:
    """The category of a dtype: BOOL, INTEGER, FLOATING or COMPLEX; -1 for a dtype that tensors cannot have."""
    code = _CATEGORY_OF_CODE.get(dtype.kind)
    if code is not None:
        return code
    return FLOATING if dtype.name == "bfloat16" else -1


def isdtype(dtype: object, kind: str | DType | tuple[str | DType, ...]) -> bool:
    """Whether ``dtype`` is of ``kind``.

    Args:
        dtype: anything `lookup` accepts.
        kind: a dtype, one of the standard's kinds (``"bool"``, ``"integral"``, ``"real floating"``, ``"numeric"``,
            ...), polytape's own ``"floating"`` (real or complex) and ``"any"``, or a tuple of these.
    Raises:
        DTypeError: ``kind`` is a string that names neither a kind nor a dtype.
    Source:
        Array API standard 2025.12, ``isdtype``.
    """
    resolved = lookup(dtype)
    if isinstance(kind, tuple):
        return any(isdtype(resolved, member) for member in kind)
    if isinstance(kind, str):
        codes = _KINDS.get(kind)
        if codes is None:
            if kind in _STANDARD or kind == "bfloat16":
                return resolved.name == kind
            raise DTypeError(
                f"isdtype got an unknown kind {kind!r}.",
                expected=f"one of {', '.join(_KINDS)}",
                got=repr(kind),
                fix="use one of these names, or a dtype",
            )
        return resolved.kind in codes or (resolved.kind == "V" and "f" in codes)
    return resolved == lookup(kind)


class _Defaults:
    """The default dtypes of this process; `polytape.set_default_dtype` replaces them."""

    def __init__(self) -> None:
        self.floating: DType = float32
        self.integer: DType = int32


defaults: Final = _Defaults()


def default_dtype(value: object) -> DType:
    """The default dtype of a Python number: float32, int32, complex64 or bool, see `polytape.set_default_dtype`."""
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return defaults.integer
    if isinstance(value, float):
        return defaults.floating
    return _COMPLEX_OF.get(defaults.floating.name, complex64)


_promoted: Final[dict[tuple[DType, DType], DType]] = {}


def promote(a: DType, b: DType) -> DType:
    """The dtype of an op's result on operands of dtypes ``a`` and ``b``.

    Raises:
        DTypeError: uint64 and a signed integer dtype: no integer dtype can hold both.
    """
    if a is b:
        return a
    key = (a, b)
    cached = _promoted.get(key)
    if cached is not None:
        return cached
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
        # An integer and a complex dtype, or two integers.
        result = np.promote_types(a, b) if category_a == category_b else (a if category_a > category_b else b)
    elif category_a == category_b == FLOATING and a.itemsize == b.itemsize:
        result = float32  # float16 has more digits than bfloat16, which has the larger range
    else:
        result = np.promote_types(a, b)
    _promoted[key] = result
    return result


_COMPLEX_OF: Final = {"float64": complex128, "complex128": complex128}


def weak_promote(dtype: DType, value: object) -> DType:
    """The dtype of an op's result on a tensor of ``dtype`` and the Python number ``value``."""
    tensor_category = category(dtype)
    if isinstance(value, bool):
        return dtype
    if isinstance(value, int):
        return defaults.integer if tensor_category == BOOL else dtype
    if isinstance(value, float):
        return defaults.floating if tensor_category < FLOATING else dtype
    if tensor_category == COMPLEX:
        return dtype
    real = dtype if tensor_category == FLOATING else defaults.floating
    return _COMPLEX_OF.get(real.name, complex64)


NAMES: Final[frozenset[str]] = frozenset([*_STANDARD, "bfloat16"])


def names_of(spec: str) -> frozenset[str]:
    """The dtype names that an item of a kernel's ``dtypes`` covers: itself, or all of a kind such as ``"floating"``.

    Raises:
        DTypeError: ``spec`` is neither the name of a dtype nor of a kind.
    """
    if spec in NAMES:
        return frozenset([spec])
    codes = _KINDS.get(spec)
    if codes is None:
        raise DTypeError(
            f"{spec!r} is neither a dtype nor a kind of dtypes.",
            expected=f"the name of a dtype, or one of {', '.join(_KINDS)}",
            got=repr(spec),
            fix="use one of these names",
        )
    names = [name for name, dtype in _STANDARD.items() if dtype.kind in codes]
    return frozenset([*names, "bfloat16"] if "f" in codes else names)
