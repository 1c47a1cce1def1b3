"""gradients_function and its relatives, and implicit gradients."""

from __future__ import annotations

from collections.abc import Callable
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


def test_implicit_gradients_may_be_sparse() -> None:
    table, w = pt.Variable([[1.0], [2.0], [3.0]]), pt.Variable(2.0)

    def loss(rows: Any) -> Any:
        return pt.sum(pt.take(table, rows, axis=0)) * w

    (rows, first), (dense, second) = pt.implicit_gradients(loss, sparse=True)(pt.asarray([2, 2]))
    assert isinstance(rows, pt.IndexedSlices) and first is table and rows.to_dense().tolist() == [[0.0], [0.0], [4.0]]
    assert dense.item() == 6.0 and second is w
    assert pt.implicit_gradients(loss)(pt.asarray([2, 2]))[0][0].tolist() == [[0.0], [0.0], [4.0]]


def test_implicit_gradients_without_a_variable_are_an_error() -> None:
    frozen = pt.Variable(2.0, trainable=False)
    with pytest.raises(TapeError, match="used no trainable variable"):
        pt.implicit_gradients(lambda x: frozen * x)(3.0)
    with pytest.raises(DTypeError, match="returned None"):
        pt.implicit_gradients(lambda: None)()


# --- one tensor or variable as several arguments ----------------------------------------------------------------------

SEVERAL = {
    "tensor": lambda: pt.asarray([2.0, 2.0]),
    "variable": lambda: pt.Variable([2.0, 2.0]),
    "array": lambda: np.asarray([2.0, 2.0], "float32"),
}


def weighted(a: Any, b: Any) -> Any:
    return a * a * b


@pytest.mark.parametrize("make", SEVERAL.values(), ids=SEVERAL)
def test_each_argument_is_independent_even_if_it_is_the_same_object(make: Callable[[], Any]) -> None:
    x = make()
    assert numbers(pt.gradients_function(weighted)(x, x)) == [[8.0, 8.0], [4.0, 4.0]]
    value, gradients = pt.value_and_gradients_function(weighted)(x, x)
    assert value.tolist() == [8.0, 8.0] and numbers(gradients) == [[8.0, 8.0], [4.0, 4.0]]
    for params, expected in (([0], [[8.0, 8.0]]), (["b"], [[4.0, 4.0]]), ([1, 0], [[4.0, 4.0], [8.0, 8.0]])):
        assert numbers(pt.gradients_function(weighted, params)(x, x)) == expected
    assert numbers(pt.function(pt.gradients_function(weighted))(x, x)) == [[8.0, 8.0], [4.0, 4.0]]


@pytest.mark.parametrize("make", [SEVERAL["tensor"], SEVERAL["variable"]], ids=["tensor", "variable"])
def test_an_argument_is_independent_of_what_the_function_reads_elsewhere(make: Callable[[], Any]) -> None:
    x = make()
    assert numbers(pt.gradients_function(lambda a, b: a * b + x * a)(x, x)) == [[4.0, 4.0], [2.0, 2.0]]


def test_a_custom_gradient_of_one_variable_twice_is_the_sum() -> None:
    product = pt.custom_gradient(lambda a, b: (a * b, lambda g: (g * 10.0, g * 1.0)))
    w = pt.Variable([2.0])
    assert numbers(pt.gradients_function(product)(w, w)) == [[10.0], [1.0]]
    with pt.GradientTape() as tape:
        y = product(w, w)
    assert tape.gradient(y, w).tolist() == [11.0]


def test_the_outer_tape_follows_both_uses() -> None:
    w = pt.Variable([2.0])
    with pt.GradientTape() as tape:
        first, second = pt.gradients_function(weighted)(w, w)  # 2 a b, a a
        y = pt.sum(first * 10.0 + second)
    assert tape.gradient(y, w).tolist() == [84.0]  # 40 w + 2 w


def test_the_inner_argument_is_its_own() -> None:
    def inner(x: Any) -> Any:
        return pt.gradients_function(lambda y: y * (x - y))(x)[0]  # x - 2 y at y = x

    assert numbers(pt.gradients_function(inner)(1.0)) == [-1.0]
    assert numbers(pt.gradients_function(inner)(pt.Variable(1.0))) == [-1.0]


def test_the_caller_s_tensors_are_left_alone() -> None:
    x = pt.asarray([1.0, 2.0])

    def changes_its_argument(a: Any) -> Any:
        a[0] = 5.0
        return pt.sum(a * a)

    assert numbers(pt.gradients_function(changes_its_argument)(x)) == [[0.0, 4.0]]
    assert x.tolist() == [1.0, 2.0]
    with pt.GradientTape() as tape:
        tape.watch(x)
        pt.gradients_function(lambda a: pt.sum(a * a))(x)
    assert tape.gradient(pt.asarray(1.0), x) is None


def test_a_structure_as_an_argument_is_an_error_that_says_what_to_do() -> None:
    def loss(params: Any) -> pt.Tensor:
        return pt.sum(params["w"])

    with pytest.raises(DTypeError, match=r"argument 0 of loss is a structure(.|\n)*a dict of 1(.|\n)*GradientTape"):
        pt.gradients_function(loss)({"w": pt.ones((3,))})
    with pytest.raises(DTypeError, match=r"argument 0 of .* is a structure"):
        pt.value_and_gradients_function(lambda parts: parts[0])((pt.ones((3,)), pt.ones((2,))))
