"""dtypes: names, categories, promotion against the standard's tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import polytape as pt
from polytape import dtypes
from polytape.errors import DTypeError

NAMES = sorted(dtypes.NAMES - {"bfloat16"})
PLAIN = st.sampled_from(NAMES).map(np.dtype)

# Array API standard 2025.12, "Type promotion rules": the tables of signed, unsigned and mixed integers, and floats.
TABLE = {
    "int8 int16": "int16", "int8 int64": "int64", "int32 int64": "int64", "uint8 uint16": "uint16",
    "uint8 uint64": "uint64", "int8 uint8": "int16", "int8 uint16": "int32", "int8 uint32": "int64",
    "int16 uint8": "int16", "int32 uint16": "int32", "int64 uint32": "int64", "float32 float64": "float64",
    "complex64 complex128": "complex128", "float32 complex64": "complex64", "float64 complex64": "complex128",
    "float32 complex128": "complex128",
}  # fmt: skip


@pytest.mark.parametrize("pair", TABLE)
def test_promotion_follows_the_standard(pair: str) -> None:
    left, right = map(np.dtype, pair.split())
    assert dtypes.promote(left, right) == dtypes.promote(right, left) == TABLE[pair]


@given(PLAIN, PLAIN)
def test_promotion_is_symmetric_and_keeps_the_larger_category(a: Any, b: Any) -> None:
    if {a.kind, b.kind} == {"i", "u"} and np.dtype("uint64") in (a, b):
        return
    promoted = dtypes.promote(a, b)
    assert promoted == dtypes.promote(b, a)
    assert dtypes.category(promoted) == max(dtypes.category(a), dtypes.category(b))
    assert dtypes.promote(promoted, a) == promoted


@given(PLAIN)
def test_a_dtype_promoted_with_itself_is_itself(a: Any) -> None:
    assert dtypes.promote(a, a) is a


@pytest.mark.parametrize("integer", ["bool", "int8", "uint64"])
@pytest.mark.parametrize("floating", ["float16", "float32"])
def test_an_integer_and_a_float_give_the_float(integer: str, floating: str) -> None:
    assert dtypes.promote(np.dtype(integer), np.dtype(floating)) == floating


@pytest.mark.parametrize("signed", ["int8", "int16", "int32", "int64"])
def test_uint64_and_a_signed_integer_have_no_common_dtype(signed: str) -> None:
    with pytest.raises(DTypeError, match=rf"uint64 and {signed} have no common(.|\n)*fix: cast one operand"):
        dtypes.promote(dtypes.uint64, np.dtype(signed))


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("float16", 1, "float16"), ("float16", 1.0, "float16"), ("float64", 1.0, "float64"), ("int8", 1, "int8"),
        ("int8", True, "int8"), ("int8", 1.0, "float32"), ("bool", 1, "int32"), ("bool", 1.0, "float32"),
        ("bool", True, "bool"), ("float32", 1j, "complex64"), ("float64", 1j, "complex128"), ("int64", 1j, "complex64"),
        ("complex64", 1.0, "complex64"), ("complex128", 1j, "complex128"), ("uint8", 1, "uint8"),
    ],
)  # fmt: skip
def test_python_numbers_are_weak(dtype: str, value: object, expected: str) -> None:
    assert dtypes.weak_promote(np.dtype(dtype), value) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (float, "float32"), (int, "int32"), (complex, "complex64"), (bool, "bool"), ("float", "float32"),
        ("double", "float64"), ("half", "float16"), (np.float16, "float16"), (np.dtype("uint8"), "uint8"),
        ("int64", "int64"), (pt.float64, "float64"),
    ],
)  # fmt: skip
def test_a_dtype_is_found_by_any_of_its_names(spec: object, expected: str) -> None:
    assert dtypes.lookup(spec).name == expected


@pytest.mark.parametrize("spec", ["float31", "O", object, np.dtype("U3"), "datetime64[s]", 3.5, None, ">f4x"])
def test_the_error_for_an_invalid_dtype_lists_the_valid_ones(spec: object) -> None:
    if spec is None:
        assert np.dtype(spec) == np.float64  # NumPy interprets None as float64
        return
    with pytest.raises(DTypeError, match=r"is not a tensor dtype(.|\n)*expected: one of bool, int8"):
        dtypes.lookup(spec)


def test_bfloat16_is_found_by_name_and_promotes() -> None:
    pytest.importorskip("ml_dtypes")
    bfloat16 = dtypes.lookup("bfloat16")
    assert bfloat16.itemsize == 2
    assert dtypes.category(bfloat16) == dtypes.FLOATING
    assert dtypes.promote(bfloat16, dtypes.float32) == "float32"
    assert dtypes.promote(bfloat16, dtypes.int32) == bfloat16
    assert dtypes.isdtype(bfloat16, "real floating")
    assert pt.isdtype("bfloat16", "bfloat16")


@pytest.mark.parametrize(
    ("dtype", "kind", "expected"),
    [
        ("bool", "bool", True), ("int8", "signed integer", True), ("uint8", "signed integer", False),
        ("uint8", "integral", True), ("float32", "real floating", True), ("complex64", "real floating", False),
        ("complex64", "floating", True), ("complex64", "numeric", True), ("bool", "numeric", False),
        ("bool", "any", True), ("float32", ("integral", "real floating"), True), ("float32", np.dtype("float32"), True),
        ("float32", np.dtype("float64"), False), ("int8", "int8", True),
    ],
)  # fmt: skip
def test_isdtype_accepts_the_kinds_of_the_standard(dtype: str, kind: Any, expected: bool) -> None:
    assert pt.isdtype(dtype, kind) is expected


def test_isdtype_rejects_an_unknown_kind() -> None:
    with pytest.raises(DTypeError, match="isdtype got an unknown kind 'floats'"):
        pt.isdtype("float32", "floats")


@pytest.mark.parametrize(("value", "expected"), [(True, "bool"), (1, "int32"), (1.0, "float32"), (1j, "complex64")])
def test_the_default_dtypes_of_python_numbers(value: object, expected: str) -> None:
    assert dtypes.default_dtype(value) == expected


def test_names_of_gives_the_dtypes_that_an_item_covers() -> None:
    assert dtypes.names_of("int8") == {"int8"}
    assert {"bfloat16", "float16", "float64", "complex64"} <= dtypes.names_of("floating")
    assert "complex64" not in dtypes.names_of("real floating")
    assert dtypes.names_of("any") == dtypes.NAMES
    with pytest.raises(DTypeError, match="neither a dtype nor a kind"):
        dtypes.names_of("floats")
