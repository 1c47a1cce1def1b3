"""TensorType: interned, and careful with the numbers it keeps."""

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


def test_there_is_one_kind_per_backend_device_and_dtype() -> None:
    assert tensor_type("float32") is tensor_type("float32") is pt.ones(1, device="numpy").type
    assert tensor_type("float32") is not tensor_type("float64")
    assert repr(tensor_type("float32")) == "TensorType(float32, numpy:cpu:0)"


def test_a_dtype_the_backend_does_not_hold_is_refused_with_those_it_does() -> None:
    small = pt.Backend(name="small", extends="numpy", dtypes=["float32", "int32"])
    with pt.register_backend(small):
        if "float64" in small.dtypes:
            pytest.skip("a backend takes over its parent's dtypes")
        with pytest.raises(DTypeError, match=r"'small' has no arrays of float64(.|\n)*one of float32, int32"):
            get_tensor_type(small, small.device_list()[0], pt.float64)


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("float32", 1.5, True), ("float32", 1, True), ("float32", True, True), ("float32", 1j, False),
        ("int32", 1, True), ("int32", 1.5, False), ("int32", True, True), ("bool", True, True), ("bool", 1, False),
        ("complex64", 1j, True), ("complex64", 1.0, True), ("float32", "1", False),
    ],
)  # fmt: skip
def test_a_kind_takes_the_numbers_that_leave_it_as_it_is(dtype: str, value: object, expected: bool) -> None:
    assert tensor_type(dtype).takes(value) is expected


def test_equal_numbers_of_different_types_are_kept_apart() -> None:
    one = tensor_type("float32")
    for value in (1, 1.0, True, 0, 0.0, False):
        assert one.scalar(value).dtype == "float32"
        assert one.scalar(value) == value
    assert tensor_type("int32").scalar(1) is tensor_type("int32").scalar(1)


def test_the_sign_of_zero_is_kept() -> None:
    one = tensor_type("float64")
    assert math.copysign(1.0, float(one.scalar(0.0))) == 1.0
    assert math.copysign(1.0, float(one.scalar(-0.0))) == -1.0
    assert math.copysign(1.0, float(one.scalar(0.0))) == 1.0
    assert math.copysign(1.0, float(pt.asarray(1.0) * -0.0)) == -1.0


def test_nan_and_infinity_are_scalars() -> None:
    assert math.isnan(float(tensor_type("float32").scalar(math.nan)))
    assert float(tensor_type("float32").scalar(math.inf)) == math.inf


def test_a_schedule_of_numbers_does_not_grow_the_cache_for_ever() -> None:
    one = tensor_type("float16")
    for step in range(2 * SCALARS + 5):
        one.scalar(0.5 + step)
    assert len(one.floats) <= SCALARS
    assert float(one.scalar(2.5)) == 2.5


def test_an_integer_out_of_range_is_refused() -> None:
    with pytest.raises(DTypeError, match=r"300 does not fit int8(.|\n)*from -128 to 127"):
        tensor_type("int8").scalar(300)
