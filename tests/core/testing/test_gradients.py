"""check_gradients: the inputs it accepts and the errors it detects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt


def test_a_correct_gradient_passes_at_any_order(backend: str) -> None:
    with pt.device(backend):
        pt.check_gradients(lambda x: pt.tanh(x) * x, pt.asarray([0.5, -1.0]), order=3)


def test_numbers_arrays_and_several_inputs_are_accepted() -> None:
    pt.check_gradients(lambda x: x * x, 3)
    pt.check_gradients(lambda x, y: x @ y, [np.ones((2, 3)), pt.ones((3, 2))], order=2)


def test_every_output_in_a_structure_is_checked() -> None:
    def f(x: pt.Tensor) -> Any:
        return {"a": pt.exp(x), "b": [x * 2.0, pt.stop_gradient(x)]}

    with pytest.raises(AssertionError, match="order 1 with respect to input 0"):
        pt.check_gradients(f, 1.0)


def test_integer_inputs_are_constants() -> None:
    pt.check_gradients(lambda x, k: x[k] * x[k], [pt.asarray([1.0, 2.0, 3.0]), pt.asarray([0, 2])], order=2)


def test_float32_inputs_are_checked_in_float64() -> None:
    input_dtypes = []

    def f(x: pt.Tensor) -> pt.Tensor:
        input_dtypes.append(x.dtype)
        return x * x

    pt.check_gradients(f, pt.asarray(2.0))
    assert set(input_dtypes) == {pt.float64}


def test_the_tensor_of_the_caller_is_not_watched() -> None:
    x = pt.asarray(2.0, dtype="float64")
    pt.check_gradients(lambda x: x * x, x)
    with pt.GradientTape() as tape:
        y = x * x
    assert tape.gradient(y, x) is None


def test_a_missing_gradient_must_be_zero() -> None:
    pt.check_gradients(lambda x, y: x * 2.0, [1.0, 1.0], order=2)
    with pytest.raises(AssertionError, match=r"with respect to input 1 is wrong[\s\S]*no gradient at all"):
        pt.check_gradients(lambda x, y: x * pt.stop_gradient(y), [1.0, 1.0])


def _square_with_gradient(slope: float, *, constant: bool = False) -> Any:
    @pt.custom_gradient
    def square(x: pt.Tensor) -> Any:
        return x * x, lambda g: g * slope * (pt.stop_gradient(x) if constant else x)

    return square


def test_a_slightly_wrong_gradient_is_detected() -> None:
    pt.check_gradients(_square_with_gradient(2.0), 3.0, order=2)
    text = r"order 1 with respect to input 0[\s\S]*expected: .*to 1e-06[\s\S]*got: "
    with pytest.raises(AssertionError, match=text):
        pt.check_gradients(_square_with_gradient(2.00001), 3.0)
    pt.check_gradients(_square_with_gradient(2.00001), 3.0, rtol=1e-4)


def test_a_wrong_second_derivative_is_detected_only_at_order_2() -> None:
    pt.check_gradients(_square_with_gradient(2.0, constant=True), 3.0)
    with pytest.raises(AssertionError, match="order 2 with respect to input 0"):
        pt.check_gradients(_square_with_gradient(2.0, constant=True), 3.0, order=2)


def test_complex_inputs_are_rejected() -> None:
    with pytest.raises(pt.PolytapeError, match="check_gradients cannot vary complex64"):
        pt.check_gradients(lambda x: x, pt.asarray(1j))
