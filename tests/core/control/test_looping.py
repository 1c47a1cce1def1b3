"""`polytape.while_loop` and `polytape.fori_loop`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import polytape as pt
from polytape.errors import DTypeError, TraceError
from polytape.graph import check

FORMS = [pytest.param(lambda f: f, id="eager"), pytest.param(pt.function, id="traced")]
Form = Callable[[Callable[..., Any]], Callable[..., Any]]


@pytest.mark.parametrize("form", FORMS)
def test_a_loop_runs_while_its_condition_is_true(form: Form, backend: str) -> None:
    def digits(n: Any, limit: Any) -> Any:
        start = {"n": n, "digits": 0}
        return pt.while_loop(
            lambda s: s["n"] > 0, lambda s: {"n": s["n"] // 10, "digits": s["digits"] + 1}, start, limit
        )

    f = form(digits)
    with pt.device(backend):
        for n, limit, expected in ((2026, None, [0, 4]), (0, None, [0, 0]), (2026, 2, [20, 2]), (2026, 0, [2026, 0])):
            state = f(pt.asarray(n), limit)
            assert [state["n"].tolist(), state["digits"].tolist()] == expected


@pytest.mark.parametrize("form", FORMS)
def test_the_body_assigns_variables_and_draws_which_the_condition_reads(form: Form) -> None:
    v, generator = pt.Variable(1.0), pt.random.Generator(9)

    def body(count: Any) -> Any:
        v.assign(v + pt.random.uniform((), generator=generator))
        return count + 1

    f = form(lambda: (pt.while_loop(lambda _: v < 3.0, body, 0), v * 1.0))
    count, value = f()
    total, steps, draws = 1.0, 0, pt.random.Generator(9)
    while total < 3.0:
        total, steps = total + pt.random.uniform((), generator=draws).tolist(), steps + 1
    assert count.tolist() == steps and value.tolist() == float(v) == pytest.approx(total, rel=1e-6)
    assert generator.state.tolist() == draws.state.tolist()


def test_a_condition_that_assigns_is_an_error_in_a_graph() -> None:
    v = pt.Variable(1.0, name="v")
    f = pt.function(lambda: pt.while_loop(lambda _: v.assign_add(1.0) < 3.0, lambda s: s, 0))
    with pytest.raises(TraceError, match="while_loop's condition assigns v in a traced function"):
        f()
    assert float(v) == 1.0


@pytest.mark.parametrize("limit", [3, 8])
def test_a_bounded_loop_is_differentiated_in_a_graph_and_under_a_tape_around_it(limit: int) -> None:
    def power(x: Any) -> Any:
        return pt.while_loop(lambda s: s < 100.0, lambda s: s * s * x, x, limit)

    def inside(x: Any) -> Any:
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = power(x)
        return tape.gradient(y, x)

    x = pt.asarray(1.5)
    (expected,) = pt.gradients_function(power)(x)
    assert pt.function(inside)(x).tolist() == pytest.approx(expected.tolist(), rel=1e-6)
    (around,) = pt.gradients_function(pt.function(power))(x)
    assert around.tolist() == pytest.approx(expected.tolist(), rel=1e-6)
    second = pt.hessian(pt.function(power))(x).tolist()
    assert second == pytest.approx(pt.hessian(power)(x).tolist(), rel=1e-6)
    (tangent,) = pt.gradients_function(lambda x: pt.jvp(pt.function(power), (x,), (pt.asarray(1.0),))[1])(x)
    assert tangent.tolist() == pytest.approx(second, rel=1e-6)


def test_the_gradient_of_an_unbounded_loop_in_a_graph_says_what_to_do() -> None:
    f = pt.function(lambda x: pt.while_loop(lambda s: s < 10.0, lambda s: s * 2.0, x))
    x = pt.asarray(1.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert y.tolist() == 16.0
    with pytest.raises(TraceError, match=r"maximum_iterations=n, use polytape\.scan or a fori_loop"):
        tape.gradient(y, x)


@pytest.mark.parametrize("kind", ["ints", "tensors", "an int and a tensor"])
@pytest.mark.parametrize("form", FORMS)
def test_fori_loop_counts_from_lower_to_upper(form: Form, kind: str) -> None:
    for lower, upper in ((0, 3), (2, 3), (3, 3), (3, 1)):
        first: Any = pt.asarray(lower) if kind == "tensors" else lower
        last: Any = upper if kind == "ints" else pt.asarray(upper)
        f = form(lambda first, last, x: pt.fori_loop(first, last, lambda i, s: s * x + i, x))
        expected = 2.0
        for k in range(lower, upper):
            expected = expected * 2.0 + k
        assert f(first, last, pt.asarray(2.0)).tolist() == expected


def test_a_fori_loop_between_ints_is_a_scan_that_has_a_gradient() -> None:
    f = pt.function(lambda x: pt.fori_loop(0, 3, lambda i, s: s * x, x))
    assert [equation.op.name for equation in f.trace(pt.asarray(2.0)).equations] == ["scan"]
    (gradient,) = pt.gradients_function(f)(pt.asarray(2.0))
    assert gradient.tolist() == 32.0


def test_a_graph_prints_condition_and_body() -> None:
    f = pt.function(lambda n: pt.while_loop(lambda s: s > 1, lambda s: s // 2, n, 5))
    check(f.graph(pt.asarray(9)))
    lines = [line.partition("#")[0].rstrip() for line in str(f.graph(pt.asarray(9))).splitlines()]
    assert lines[1:] == [
        "  a: int32[] = while_loop(n, limit=5)",
        "    condition(state: int32[]) -> bool[]",
        "      a: bool[] = greater(state, 1)",
        "      return a",
        "    body(state: int32[]) -> int32[]",
        "      a: int32[] = floor_divide(state, 2)",
        "      return a",
        "  return a",
    ]


def test_wrong_arguments_are_errors() -> None:
    with pytest.raises(DTypeError, match="maximum_iterations"):
        pt.while_loop(lambda s: s > 0, lambda s: s, 1, 2.5)  # type: ignore[arg-type]
    with pytest.raises(DTypeError, match=r"while_loop's condition is .*, not a bool"):
        pt.while_loop(lambda s: s, lambda s: s, 1)
    with pytest.raises(DTypeError, match=r"while_loop's body changed the type of state\.\n  expected: int32\[\]"):
        pt.while_loop(lambda s: s > 0, lambda s: s - 0.5, 1)
    with pytest.raises(DTypeError, match=r"fori_loop cannot count to or from 1\.5"):
        pt.fori_loop(0, 1.5, lambda i, s: s, 1)


def test_python_s_if_on_a_symbolic_tensor_names_cond_and_while_loop() -> None:
    with pytest.raises(TraceError, match=r"use polytape\.cond or polytape\.while_loop instead of"):
        pt.function(lambda x: x if x > 0 else -x)(pt.asarray(1.0))
