"""`custom_gradient`: functions and methods with gradients of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import TapeError


def numbers(gradients: Any) -> list[Any]:
    return [None if g is None else g.tolist() for g in gradients]


@pt.custom_gradient
def clipped(x: Any) -> Any:
    """The identity, with its gradient clipped to 1."""
    return x * 1.0, lambda g: pt.minimum(g, 1.0)


def test_a_custom_gradient_is_used() -> None:
    assert numbers(pt.gradients_function(lambda x: clipped(x) * 5.0)(2.0)) == [1.0]
    assert clipped(pt.asarray(3.0)).item() == 3.0 and clipped(3.0).item() == 3.0
    assert clipped.__wrapped__.__name__ == "clipped"


def test_a_custom_gradient_receives_the_full_shape_of_a_broadcast_cotangent() -> None:
    shapes: list[Any] = []

    @pt.custom_gradient
    def probe(x: Any) -> Any:
        def grad(g: Any) -> Any:
            shapes.append(g.shape)
            return g

        return x * 2.0, grad

    assert numbers(pt.gradients_function(lambda x: pt.mean(probe(x)))([1.0, 2.0])) == [[0.5, 0.5]]
    assert shapes == [(2,)]


def test_a_custom_gradient_can_be_differentiated() -> None:
    @pt.custom_gradient
    def cube(x: Any) -> Any:
        return x * x * x, lambda g: g * 3.0 * x * x

    assert numbers(pt.gradients_function(lambda x: pt.gradients_function(cube)(x)[0])(2.0)) == [12.0]


def test_several_arguments_and_results_and_a_none_gradient() -> None:
    @pt.custom_gradient
    def both(x: Any, y: Any, *, scale: float = 1.0) -> Any:
        def grad(gs: Any, gp: Any) -> Any:
            return gs + gp * y * scale, None

        return (x + y, x * y * scale), grad

    x, y = pt.asarray([1.0, 2.0]), pt.asarray([3.0, 4.0])
    with pt.GradientTape(persistent=True) as tape:
        tape.watch([x, y])
        total, product = both(x, y, scale=2.0)
    assert type(both(x, y)) is tuple and product.tolist() == [6.0, 16.0]
    assert numbers(tape.gradient(product, [x, y])) == [[6.0, 8.0], None]
    assert numbers(tape.gradient(total, [x, y])) == [[1.0, 1.0], None]
    assert numbers(tape.gradient([total, product], [x])) == [[7.0, 9.0]]


def test_only_watched_arguments_receive_gradients() -> None:
    @pt.custom_gradient
    def times(x: Any, y: Any) -> Any:
        return x * y, lambda g: (g * y, g * x)

    y = pt.asarray(5.0)
    with pt.GradientTape() as tape:
        tape.watch(y)
        z = times(2.0, y)
    assert tape.gradient(z, y).item() == 2.0


def test_a_variable_that_is_not_an_argument_is_rejected() -> None:
    v = pt.Variable(2.0, name="hidden")

    @pt.custom_gradient
    def uses(x: Any) -> Any:
        return x * v, lambda g: g * v

    with pytest.raises(TapeError, match="uses the variable hidden, which is not one of its arguments"):
        uses(1.0)

    @pt.custom_gradient
    def takes(x: Any, w: Any) -> Any:
        return x * w, lambda g: (g * w, g * x)

    with pt.GradientTape() as tape:
        y = takes(3.0, v)
    assert tape.gradient(y, v).item() == 3.0


@pytest.mark.parametrize("returned", [lambda x: x, lambda x: (x, 1.0), lambda x: (x, lambda g: g, 1)])
def test_a_result_that_is_not_a_pair_is_rejected(returned: Any) -> None:
    with pytest.raises(TapeError, match=r"did not return \(result, gradient function\)"):
        pt.custom_gradient(returned)(1.0)


@pytest.mark.parametrize(
    ("grad", "exception_type", "text"),
    [
        (lambda g: (g, g), TapeError, "returned 2 results"),
        (lambda g: "a", pt.PolytapeError, "the gradient of"),
        (lambda g: pt.ones((3,)), pt.PolytapeError, "the gradient of"),
    ],
)
def test_an_invalid_gradient_is_rejected_and_the_function_is_named(grad: Any, exception_type: Any, text: str) -> None:
    @pt.custom_gradient
    def wrong(x: Any) -> Any:
        return x * 1.0, grad

    with pytest.raises(exception_type, match=text):
        pt.gradients_function(wrong)([1.0, 2.0])


def test_a_number_as_gradient_applies_to_all_elements() -> None:
    @pt.custom_gradient
    def constant(x: Any) -> Any:
        return x * 1.0, lambda g: 2.0

    assert numbers(pt.gradients_function(constant)([1.0, 2.0])) == [[2.0, 2.0]]


def test_the_function_may_return_its_argument() -> None:
    @pt.custom_gradient
    def reversal(x: Any) -> Any:
        return x, lambda g: -g

    assert numbers(pt.gradients_function(lambda x: reversal(x) * 3.0)(1.0)) == [-3.0]


# --- custom gradients of methods, and arguments without a gradient ----------------------------------------------------


class Layer:
    """Methods with gradients of their own."""

    factor = 3.0

    @pt.custom_gradient
    def straight(self, x: Any) -> Any:
        """``factor * x``, with the gradient 1."""
        return x * self.factor, lambda g: g

    @staticmethod
    @pt.custom_gradient
    def static(x: Any) -> Any:
        """``x * x``, with the gradient 7."""
        return x * x, lambda g: g * 7.0

    @classmethod
    @pt.custom_gradient
    def of_class(cls, x: Any) -> Any:
        """``factor * x``, with the gradient 8."""
        return x * cls.factor, lambda g: g * 8.0


@pytest.mark.parametrize("call", [lambda f: f, pt.function], ids=["eager", "traced"])
def test_methods_may_have_their_own_gradients(call: Any) -> None:
    x = pt.asarray([2.0])
    for method, value, gradient in (
        (Layer().straight, 6.0, 1.0),
        (Layer.static, 4.0, 7.0),
        (Layer().static, 4.0, 7.0),
        (Layer.of_class, 6.0, 8.0),
        (Layer().of_class, 6.0, 8.0),
    ):
        f = call(method)
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        assert y.tolist() == [value] and tape.gradient(y, x).tolist() == [gradient]


def test_arguments_that_are_no_numbers_are_passed_on_and_have_no_gradient() -> None:
    seen = []

    @pt.custom_gradient
    def scaled(x: Any, mode: Any, training: Any, options: Any, nothing: Any, *, by: Any = 1.0) -> Any:
        seen.append((mode, training, options, nothing, by))
        return x * by, lambda g: g * 5.0

    x, options = pt.asarray([2.0]), {"a": 1}
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = scaled(x, "same", True, options, None, by=3.0)
    assert seen == [("same", True, options, None, 3.0)] and seen[0][2] is options
    assert y.tolist() == [6.0] and tape.gradient(y, x).tolist() == [5.0]


def test_numbers_arrays_and_lists_of_numbers_each_have_a_gradient() -> None:
    @pt.custom_gradient
    def total(x: Any, number: Any, array: Any, items: Any) -> Any:
        assert all(isinstance(value, pt.Tensor) for value in (x, number, array, items))
        return x + number + pt.sum(array) + pt.sum(items), lambda g: (g, g, g * pt.ones(2), g * pt.ones(2))

    x = pt.asarray(1.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = total(x, 2, np.ones(2, "float32"), [3.0, 4.0])
    assert float(y) == 12.0 and float(tape.gradient(y, x)) == 1.0

    @pt.custom_gradient
    def one_short(x: Any, number: Any) -> Any:
        return x * number, lambda g: g

    with pytest.raises(TapeError, match=r"expected: 2, one per argument that is a tensor, an array or a number"):
        pt.gradients_function(lambda x: one_short(x, 2.0))(1.0)
