"""Calls of traced functions under tapes: what a record keeps for the gradients that a program asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import polytape as pt


@pytest.fixture
def calls() -> Iterator[Counter[str]]:
    """How often the kernels of exp and multiply have run."""
    counter: Counter[str] = Counter()

    def exp(x: Any) -> Any:
        counter["exp"] += 1
        return np.exp(x)

    def multiply(x1: Any, x2: Any) -> Any:
        counter["multiply"] += 1
        return np.multiply(x1, x2)

    with (
        pt.kernel("exp", backend="numpy", priority=10)(exp),
        pt.kernel("multiply", backend="numpy", priority=10)(multiply),
    ):
        yield counter


def gradient(f: Any, x: pt.Tensor, *, of: int | None = None) -> list[float]:
    """The gradient of a result of ``f(x)``."""
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    result: list[float] = tape.gradient(y if of is None else y[of], x).tolist()
    return result


def test_the_gradient_of_some_results_runs_nothing_again_from_the_second_call(calls: Counter[str]) -> None:
    f = pt.function(lambda x: (pt.sum(pt.exp(x)), pt.exp(x) * 2.0))
    x = pt.asarray([0.5, 1.5])
    expected = np.exp(np.float32([0.5, 1.5]))
    for count in (2, 1, 1):  # the first call kept what the gradients of both results need
        calls.clear()
        np.testing.assert_array_equal(gradient(f, x, of=0), expected)
        assert calls["exp"] == count
    np.testing.assert_allclose(gradient(f, x, of=1), 2.0 * expected, rtol=1e-6)
    calls.clear()
    np.testing.assert_allclose(gradient(f, x, of=1), 2.0 * expected, rtol=1e-6)
    assert calls["exp"] == 1


def test_a_source_that_only_another_result_depends_on_has_no_gradient() -> None:
    f = pt.function(lambda x, y: (x * 2.0, y * 3.0))
    x, y = pt.asarray(1.0), pt.asarray(1.0)
    for _ in range(3):
        with pt.GradientTape() as tape:
            tape.watch([x, y])
            first, _ = f(x, y)
        assert [None if g is None else float(g) for g in tape.gradient(first, [x, y])] == [2.0, None]


def test_a_persistent_tape_computes_both_gradients_whatever_the_record_was_made_for() -> None:
    f = pt.function(lambda x: (pt.sum(x * x), pt.sum(x * 3.0)))
    x = pt.asarray([1.0, 2.0])
    for _ in range(3):
        with pt.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y, z = f(x)
        assert tape.gradient(y, x).tolist() == [2.0, 4.0]
        assert tape.gradient(z, x).tolist() == [3.0, 3.0]
        assert tape.gradient([y, z], x).tolist() == [5.0, 7.0]


def test_products_with_the_seed_of_a_loss_are_folded(calls: Counter[str]) -> None:
    f = pt.function(lambda x: pt.sum(x * x) * 0.5 * 3.0)
    x = pt.asarray([1.0, 2.0])
    assert gradient(f, x) == [3.0, 6.0]
    calls.clear()
    assert gradient(f, x) == [3.0, 6.0]
    assert calls["multiply"] <= 6  # three forward; of the four with the seed, those of two numbers are constants
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert tape.gradient(y, x, pt.asarray(2.0)).tolist() == [6.0, 12.0]


def test_a_loss_that_is_the_argument_itself_has_the_gradient_one() -> None:
    f = pt.function(lambda x: pt.identity(x))
    assert [gradient(f, pt.asarray(5.0)) for _ in range(2)] == [1.0, 1.0]


def test_a_traced_method_keeps_its_object_alive_for_the_gradient() -> None:
    class Scale:
        def __init__(self, factor: float) -> None:
            self.factor = factor

        pair = pt.function(lambda self, x: (x * self.factor, x * x))
        loss = pt.function(lambda self, x: x * self.factor)

    x = pt.asarray(2.0)
    for _ in range(2):
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = Scale(3.0).loss(x) + Scale(5.0).pair(x)[0]
        assert float(tape.gradient(y, x)) == 8.0


def test_a_function_named_as_an_op_is_not_taken_for_it() -> None:
    w = pt.Variable([[1.0, 2.0], [3.0, 4.0]])

    @pt.function
    def take(x: Any) -> Any:
        return pt.sum(w * x)

    with pt.GradientTape() as tape:
        y = take(pt.asarray(2.0))
    assert tape.gradient(y, w, sparse=True).tolist() == [[2.0, 2.0], [2.0, 2.0]]
