"""TensorType: interning, and the cache of scalars."""

from __future__ import annotations

import math

import pytest

import polytape as pt
from polytape.errors import DTypeError
from polytape.registry.tensor_type import SCALARS, TensorType, get_tensor_type

BACKEND = pt.get_backend("numpy")
DEVICE = BACKEND.device_list()[0]


def tensor_type(dtype: str) -> TensorType:
    """The type of a dtype on numpy."""
    return get_tensor_type(BACKEND, DEVICE, pt.dtypes.lookup(dtype))


def test_there_is_one_tensor_type_per_backend_device_and_dtype() -> None:
    assert tensor_type("float32") is tensor_type("float32") is pt.ones(1, device="numpy").type
    assert tensor_type("float32") is not tensor_type("float64")
    assert repr(tensor_type("float32")) == "TensorType(float32, numpy:cpu:0)"


def test_an_unsupported_dtype_is_rejected_and_the_supported_ones_are_listed() -> None:
    small = pt.Backend(name="small", extends="numpy", dtypes=["float32", "int32"])
    with pt.register_backend(small):
        if "float64" in small.dtypes:
            pytest.skip("a backend inherits its parent's dtypes")
        with pytest.raises(DTypeError, match=r"'small' does not support float64(.|\n)*one of float32, int32"):
            get_tensor_type(small, small.device_list()[0], pt.float64)


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("float32", 1.5, True), ("float32", 1, True), ("float32", True, True), ("float32", 1j, False),
        ("int32", 1, True), ("int32", 1.5, False), ("int32", True, True), ("bool", True, True), ("bool", 1, False),
        ("complex64", 1j, True), ("complex64", 1.0, True), ("float32", "1", False),
    ],
)  # fmt: skip
def test_a_tensor_type_accepts_the_numbers_that_keep_its_dtype(dtype: str, value: object, expected: bool) -> None:
    assert tensor_type(dtype).takes(value) is expected


def test_equal_numbers_of_different_types_are_cached_separately() -> None:
    float32 = tensor_type("float32")
    for value in (1, 1.0, True, 0, 0.0, False):
        assert float32.scalar(value).dtype == "float32"
        assert float32.scalar(value) == value
    assert tensor_type("int32").scalar(1) is tensor_type("int32").scalar(1)


def test_the_sign_of_zero_is_kept() -> None:
    float64 = tensor_type("float64")
    assert math.copysign(1.0, float(float64.scalar(0.0))) == 1.0
    assert math.copysign(1.0, float(float64.scalar(-0.0))) == -1.0
    assert math.copysign(1.0, float(float64.scalar(0.0))) == 1.0
    assert math.copysign(1.0, float(pt.asarray(1.0) * -0.0)) == -1.0


def test_nan_and_infinity_are_scalars() -> None:
    assert math.isnan(float(tensor_type("float32").scalar(math.nan)))
    assert float(tensor_type("float32").scalar(math.inf)) == math.inf


def test_many_different_numbers_do_not_grow_the_cache_forever() -> None:
    float16 = tensor_type("float16")
    for step in range(2 * SCALARS + 5):
        float16.scalar(0.5 + step)
    assert len(float16.floats) <= SCALARS
    assert float(float16.scalar(2.5)) == 2.5


def test_an_integer_out_of_range_is_rejected() -> None:
    with pytest.raises(DTypeError, match=r"300 does not fit int8(.|\n)*from -128 to 127"):
        tensor_type("int8").scalar(300)
