"""gradients_function and its relatives, implicit gradients, and custom gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, TapeError


def square(x: Any) -> Any:
    return x * x


def numbers(gradients: Any) -> list[Any]:
    return [None if g is None else g.tolist() for g in gradients]


# --- gradients of functions -------------------------------------------------------------------------------------------


def test_higher_derivatives_of_square() -> None:
    first = pt.gradients_function(square)
    second = pt.gradients_function(lambda x: first(x)[0])
    third = pt.gradients_function(lambda x: second(x)[0])
    assert numbers(first(3.0)) == [6.0] and numbers(second(3.0)) == [2.0] and third(3.0) == [None]
    assert numbers(pt.gradients_function(pt.gradients_function(square))(3.0)) == [2.0]


def test_a_python_if_selects_the_branch() -> None:
    def absolute(x: Any) -> Any:
        return x if x > 0.0 else -x

    gradients = pt.gradients_function(absolute)
    assert numbers(gradients(3.0)) == [1.0] and numbers(gradients(-3.0)) == [-1.0]
    assert numbers(pt.gradients_function(lambda x: gradients(x)[0])(3.0)) == [None]


def test_a_backtracking_line_search_descends() -> None:
    def f(x: Any) -> Any:
        return pt.sum(x * x * x * x) - 2.0 * pt.sum(x * x)

    def search(f: Any, x: Any) -> Any:
        value, (slope,) = pt.value_and_gradients_function(f)(x)
        step = 4.0
        while f(x - step * slope) > value - 0.5 * step * pt.sum(slope * slope):
            step *= 0.5
        return x - step * slope

    x = pt.asarray([2.0, -0.5])
    for _ in range(50):
        x = search(f, x)
    np.testing.assert_allclose(x, [1.0, -1.0], atol=1e-3)


def test_value_and_gradients_are_returned_together() -> None:
    value, gradients = pt.value_and_gradients_function(lambda x, y: x * y + x)(2.0, 3.0)
    assert value.item() == 8.0 and numbers(gradients) == [4.0, 2.0]


@pytest.mark.parametrize("params", [[0], ["x"], [1], ["y"], [1, 0], ["y", 0]])
def test_arguments_are_selected_by_name_or_position(params: Any) -> None:
    def f(x: Any, y: Any, *, scale: float = 1.0) -> Any:
        return x * x * y * scale

    expected = {0: 24.0, "x": 24.0, 1: 8.0, "y": 8.0}
    assert numbers(pt.gradients_function(f, params)(2.0, 3.0, scale=2.0)) == [expected[param] for param in params]


@pytest.mark.parametrize("params", [["z"], [2], [-1], [1.0], ["scale"]])
def test_an_argument_that_does_not_exist_is_an_error(params: Any) -> None:
    def f(x: Any, y: Any, *, scale: float = 1.0) -> Any:
        return x * y

    with pytest.raises(DTypeError, match="which is not a positional argument of the call"):
        pt.gradients_function(f, params)(2.0, 3.0)


def test_arguments_that_are_not_selected_are_passed_unchanged() -> None:
    def f(x: Any, power: int, names: list[str]) -> Any:
        assert type(power) is int and names == ["a"]
        return x**power

    assert numbers(pt.gradients_function(f, [0])(3.0, 2, ["a"])) == [6.0]


def test_one_tensor_as_two_arguments_gets_two_gradients() -> None:
    x = pt.asarray(3.0)
    f = pt.gradients_function(lambda a, b: a * a * b)
    assert numbers(f(x, x)) == [18.0, 9.0]
    with pt.GradientTape() as tape:
        tape.watch(x)
        a, b = f(x, x)
        total = a + b
    assert [a.item(), b.item()] == [18.0, 9.0] and tape.gradient(total, x).item() == 18.0  # d(3 x**2)


def test_the_tensors_and_tapes_of_the_caller_are_not_affected() -> None:
    x = pt.asarray(3.0)
    pt.gradients_function(square)(x)
    assert x.node is None
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.gradients_function(square)(x)[0] * x
    assert tape.gradient(y, x).item() == 12.0


def test_integers_are_converted_to_floats_and_lists_to_tensors() -> None:
    assert numbers(pt.gradients_function(square)(3)) == [6.0]
    assert numbers(pt.gradients_function(lambda x: pt.sum(x * x))([1, 2])) == [[2.0, 4.0]]
    assert pt.gradients_function(square)(np.float64(3.0))[0].dtype in ("float32", "float64")


def test_a_function_without_a_result_is_an_error() -> None:
    with pytest.raises(DTypeError, match="f returned None"):

        def f(x: Any) -> None:
            return None

        pt.gradients_function(f)(1.0)
    with pytest.raises(DTypeError, match="gradient cannot start at"):
        pt.gradients_function(lambda x: 3)(1.0)


def test_variables_that_are_not_arguments_are_constants() -> None:
    v = pt.Variable(2.0)
    assert numbers(pt.gradients_function(lambda x: x * x * v)(3.0)) == [12.0]
    assert numbers(pt.gradients_function(lambda w: w * w)(v)) == [4.0]


# --- implicit gradients -----------------------------------------------------------------------------------------------


def test_implicit_gradients_find_the_used_variables() -> None:
    w, b, unused = pt.Variable(2.0), pt.Variable(1.0), pt.Variable(5.0)

    def loss(x: Any, scale: float = 1.0) -> Any:
        return (w * x + b) * scale

    pairs = pt.implicit_gradients(loss)(3.0, scale=2.0)
    assert [g.item() for g, _ in pairs] == [6.0, 2.0] and pairs[0][1] is w and pairs[1][1] is b
    value, pairs = pt.implicit_value_and_gradients(loss)(3.0)
    assert value.item() == 7.0 and len(pairs) == 2 and unused.item() == 5.0


def test_implicit_gradients_without_a_variable_are_an_error() -> None:
    frozen = pt.Variable(2.0, trainable=False)
    with pytest.raises(TapeError, match="used no trainable variable"):
        pt.implicit_gradients(lambda x: frozen * x)(3.0)
    with pytest.raises(DTypeError, match="returned None"):
        pt.implicit_gradients(lambda: None)()


# --- custom gradients -------------------------------------------------------------------------------------------------


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
