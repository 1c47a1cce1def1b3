"""The gradient of a region, and which form of control flow runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.control.gradients import batch, floating, is_traced, pull


def test_pull_gives_zeros_where_nothing_is_connected() -> None:
    def f(x: Any, y: Any, n: Any) -> Any:
        return x * x, pt.astype(n, "float32") * 2.0

    x, y, n = pt.asarray([3.0, 4.0]), pt.asarray(1.0), pt.asarray(2)
    graph = pt.function(f).trace(x, y, n)
    assert floating([x, n, y]) == [0, 2]
    gradients = pull(graph, [x, y, n], [0, 1], [pt.asarray([1.0, 10.0]), None])
    assert [g.tolist() for g in gradients] == [[6.0, 80.0], 0.0]
    assert [g.tolist() for g in pull(graph, [x, y, n], [0, 1], [None, None])] == [[0.0, 0.0], 0.0]


def test_a_tensor_that_is_passed_twice_has_two_gradients() -> None:
    x = pt.asarray(2.0)
    f = pt.function(lambda x: pt.cond(x > 0, lambda a, b: a * a * b, lambda a, b: a, x, x))
    assert pt.gradients_function(f)(x)[0].tolist() == 12.0


def test_the_form_depends_on_what_is_open() -> None:
    seen: list[Any] = []

    def f(x: Any) -> Any:
        seen.append((is_traced(), batch() is not None))
        return x

    x = pt.ones((2,))
    f(x)
    pt.function(f)(x)
    pt.vmap(f)(x)
    pt.function(pt.vmap(f))(x)
    with pt.GradientTape() as tape:
        tape.watch(x)
        pt.recompute(f)(x)
    pt.function(lambda x: pt.gradients_function(pt.recompute(f))(x))(x)
    assert seen == [
        (False, False),
        (True, False),
        (False, True),
        (False, True),
        (False, False),
        (True, False),
        (True, False),
    ]


@pytest.mark.parametrize("form", [lambda f: f, pt.function])
def test_a_complex_carry_has_the_gradient_of_the_unrolled_loop(form: Any) -> None:
    z = pt.asarray(np.asarray([1 + 2j, 0.5 - 1j, 0.3j]))

    def unrolled(z: Any) -> Any:
        c, total = 1 + 0 * z[0], 0.0
        for k in range(3):
            total = total + c * c
            c = c * z[k] + 1.0
        return pt.real(total)

    f = form(lambda z: pt.real(pt.sum(pt.scan(lambda c, x: (c * x + 1.0, c * c), 1 + 0 * z[0], z)[1])))
    np.testing.assert_allclose(
        pt.gradients_function(f)(z)[0].numpy(), pt.gradients_function(unrolled)(z)[0].numpy(), rtol=1e-12
    )
