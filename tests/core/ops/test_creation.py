"""Creation ops: devices and dtypes of new tensors."""

from __future__ import annotations

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, ShapeError


def test_new_tensors_go_to_the_device_of_the_scope(backend: str) -> None:
    with pt.device(backend):
        for x in (pt.zeros(2), pt.ones((1, 2)), pt.full((), 3), pt.arange(3), pt.asarray([1.0])):
            assert x.device.backend == backend


def test_the_device_argument_overrides_the_scope(backend: str) -> None:
    assert pt.zeros(2, device=backend).device.backend == backend
    with pt.device(backend):
        assert pt.ones(2, device="numpy").device.backend == "numpy"


def test_the_default_dtypes_are_float32_and_int32() -> None:
    assert pt.zeros(2).dtype == pt.ones(2).dtype == pt.float32
    assert [pt.full(1, value).dtype.name for value in (1, 1.0, True, 1j)] == ["int32", "float32", "bool", "complex64"]
    assert pt.arange(3).dtype == pt.int32
    assert pt.arange(3.0).dtype == pt.arange(0, 1, 0.5).dtype == pt.float32


def test_a_tape_does_not_change_the_defaults(backend: str) -> None:
    with pt.device(backend), pt.GradientTape():
        assert pt.zeros(2).dtype == pt.ones(2).dtype == pt.float32
        assert pt.zeros(2).device.backend == backend


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float64", "complex128", float, int, np.float16, "double"])
def test_dtypes_are_accepted_in_any_spelling(dtype: object) -> None:
    for x in (pt.zeros(2, dtype=dtype), pt.ones(2, dtype=dtype), pt.full(2, 1, dtype=dtype)):
        assert x.dtype.name in str(pt.full(1, 1, dtype=dtype).dtype)


def test_arange_with_one_argument_starts_at_zero() -> None:
    assert pt.arange(3).tolist() == [0, 1, 2]
    assert pt.arange(1, 3).tolist() == [1, 2]
    assert pt.arange(3, 0, -1).tolist() == [3, 2, 1]
    assert pt.arange(2**31, 2**31 + 2, dtype="int64").tolist() == [2**31, 2**31 + 1]


def test_invalid_shapes_and_values_are_rejected() -> None:
    with pytest.raises(ShapeError, match="a size is negative"):
        pt.zeros((2, -1))
    with pytest.raises(ShapeError, match="is not a valid shape"):
        pt.ones("two")  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match=r"full cannot fill with float32\[2\](.|\n)*broadcast_to"):
        pt.full(2, pt.ones(2))
    with pytest.raises(DTypeError, match=r"full\(\).*fill value is not a Python number"):
        pt.full(2, "two")  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="never ends"):
        pt.arange(0, 3, 0)


def test_a_fill_value_may_be_a_tensor_without_axes_and_has_a_gradient(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray(2.5, dtype="float64")
        (gradient,) = pt.gradients_function(lambda x: pt.sum(pt.full((2, 3), x) ** 2))(x)
        assert gradient.tolist() == pytest.approx(2 * 2.5 * 6)
        assert pt.full(2, x, dtype="int32").tolist() == [2, 2]
        assert pt.full((), x).dtype == pt.full_like(pt.zeros(3), x, dtype="float64").dtype == pt.float64
        assert pt.full((2,), x).device == x.device
        assert pt.full(2, np.int16(3)).dtype == pt.int16


def test_a_numpy_scalar_that_is_a_python_number_stays_weak() -> None:
    assert pt.full(2, np.float64(3.0)).dtype == pt.float32
