"""Elementwise ops, beyond their rows: conventions at kinks, operators, types of operands."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, ShapeError


def gradients(f: Any, *values: Any) -> list[Any]:
    """The gradients of ``f`` at these values, as lists."""
    results = pt.gradients_function(f)(*(pt.asarray(value, dtype="float64") for value in values))
    return [None if g is None else g.numpy().tolist() for g in results]


def test_equal_operands_of_maximum_and_minimum_share_the_gradient(backend: str) -> None:
    with pt.device(backend):
        assert gradients(pt.maximum, [1.0, 2.0, 3.0], [1.0, 3.0, 2.0]) == [[0.5, 0.0, 1.0], [0.5, 1.0, 0.0]]
        assert gradients(pt.minimum, [1.0, 2.0, 3.0], [1.0, 3.0, 2.0]) == [[0.5, 1.0, 0.0], [0.5, 0.0, 1.0]]
        assert gradients(lambda x: pt.maximum(x, 0.0), [0.0, -1.0, 1.0]) == [[0.5, 0.0, 1.0]]
        assert gradients(lambda x: pt.log1p(pt.exp(-pt.abs(x))) + pt.maximum(x, 0.0), [0.0]) == [[0.5]]


def test_both_operands_get_the_gradient_of_a_nan_as_in_torch(backend: str) -> None:
    nan = float("nan")
    with pt.device(backend):
        assert gradients(pt.maximum, [nan, 1.0], [1.0, nan]) == [[1.0, 1.0], [1.0, 1.0]]


def test_the_gradient_of_abs_and_relu_at_zero_is_zero(backend: str) -> None:
    with pt.device(backend):
        assert gradients(pt.abs, [0.0, -2.0]) == [[0.0, -1.0]]
        assert gradients(pt.nn.relu, [0.0, -2.0, 2.0]) == [[0.0, 0.0, 1.0]]


def test_the_gradient_of_a_power_is_finite_where_the_power_is_finite(backend: str) -> None:
    with pt.device(backend):
        assert gradients(lambda x: x**0, [0.0, 2.0]) == [[0.0, 0.0]]
        assert gradients(lambda x: x**2, [0.0, -2.0]) == [[0.0, -4.0]]
        assert gradients(lambda x: x**3, [-2.0]) == [[12.0]]
        assert gradients(lambda y: pt.asarray([0.0, -2.0], dtype="float64") ** y, [2.0, 2.0]) == [[0.0, 0.0]]


def test_powers_of_negative_numbers_can_be_differentiated_twice(backend: str) -> None:
    with pt.device(backend):
        pt.check_gradients(lambda x: x**3, [-1.5], order=2)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow"])
def test_binary_operators_call_the_ops_with_the_tensor_on_either_side(name: str, backend: str) -> None:
    function = getattr(operator, name)
    host = np.asarray([1.0, 2.0, 4.0], "float32")
    with pt.device(backend):
        x = pt.asarray(host)
    for left, right in ((x, 2.0), (2.0, x), (x, x), (x, host), (host, x), (x, np.float32(2)), (np.float32(2), x)):
        got = function(left, right)
        expected = function(*(np.asarray(operand, "float32") for operand in (left, right)))
        assert isinstance(got, pt.Tensor)
        assert got.dtype == np.float32
        assert got.device == x.device
        np.testing.assert_allclose(got.numpy(), expected, rtol=3e-7)


def test_unary_operators_call_the_ops() -> None:
    x = pt.asarray([-1.5, 2.0])
    assert (-x).tolist() == [1.5, -2.0]
    assert abs(x).tolist() == [1.5, 2.0]
    assert (+x).tolist() == [-1.5, 2.0]
    assert (~pt.asarray([True, False])).tolist() == [False, True]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int32"])
def test_python_numbers_are_weak(dtype: str) -> None:
    x = pt.asarray([1, 2], dtype=dtype)
    assert (x + 1).dtype == dtype
    assert (1 + x).dtype == dtype
    assert (x + True).dtype == dtype
    assert (x + 1.0).dtype == (dtype if dtype.startswith("f") else "float32")


def test_numpy_scalars_that_subclass_python_numbers_are_weak() -> None:
    x = pt.ones(2)
    assert (x * np.float64(2.0)).dtype == pt.float32
    assert (np.float64(2.0) * x).dtype == pt.float32
    assert (x * np.float32(2.0)).dtype == pt.float32
    assert (x * np.complex128(2j)).dtype == pt.complex64


def test_numpy_arrays_promote_with_their_dtype() -> None:
    x = pt.ones(2)
    assert (x * np.ones(2)).dtype == pt.float64
    assert (x * np.ones(2, "int64")).dtype == pt.float32


def test_an_integer_dtype_and_a_floating_dtype_promote_to_the_floating_dtype() -> None:
    assert (pt.asarray([1], dtype="int64") + pt.asarray([1.0], dtype="float16")).dtype == pt.float16
    assert (pt.asarray([True]) + pt.asarray([1.0])).dtype == pt.float32


def test_uint64_with_a_signed_integer_is_rejected() -> None:
    with pytest.raises(DTypeError, match=r"uint64 and int64 have no common integer dtype(.|\n)*fix: cast one operand"):
        pt.asarray([1], dtype="uint64") + pt.asarray([1], dtype="int64")


def test_a_python_integer_out_of_range_is_rejected() -> None:
    with pytest.raises(DTypeError, match=r"300 does not fit int8"):
        pt.asarray([1], dtype="int8") + 300
    with pytest.raises(DTypeError, match=r"-1 does not fit uint8"):
        pt.asarray([1], dtype="uint8") - (-1)


def test_an_operand_of_a_foreign_type_is_left_to_its_own_operator() -> None:
    class Foreign:
        def __radd__(self, other: Any) -> str:
            return "foreign"

    assert pt.ones(2) + Foreign() == "foreign"
    with pytest.raises(TypeError):
        pt.ones(2) + object()
    with pytest.raises(DTypeError, match="add cannot take"):
        pt.add(pt.ones(2), object())


def test_a_shape_error_names_the_op_and_the_operands() -> None:
    with pytest.raises(ShapeError) as caught:
        pt.add(pt.ones((2, 3)), pt.ones(4))
    assert str(caught.value).splitlines() == [
        "add([2,3], [4]): the shapes do not broadcast.",
        "  expected: from the right, sizes that are equal or 1",
        "  got: 3 and 4 in axis -1",
        "  fix: reshape one operand, or insert an axis of size 1",
    ]


def test_integers_are_divided_in_float32(backend: str) -> None:
    with pt.device(backend), np.errstate(all="ignore"):
        y = pt.asarray([1, 3]) / pt.asarray([2, 0])
        assert y.dtype == pt.float32
        assert y.tolist() == [0.5, float("inf")]
