"""`polytape.cond`: one of two functions runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, ShapeError
from polytape.graph import check

FORMS = [pytest.param(lambda f: f, id="eager"), pytest.param(pt.function, id="traced")]
Form = Callable[[Callable[..., Any]], Callable[..., Any]]


@pytest.mark.parametrize("form", FORMS)
def test_the_function_that_the_predicate_chooses_runs_and_is_differentiated(form: Form, backend: str) -> None:
    f = form(
        lambda x, y: pt.cond(
            x < y, lambda x, y: {"a": x * y, "b": (None, 2)}, lambda x, y: {"a": y, "b": (None, 3)}, x, y
        )
    )
    with pt.device(backend):
        x, y = pt.asarray(2.0), pt.asarray(3.0)
        result = f(x, y)
        assert (result["a"].tolist(), result["b"][0], result["b"][1].tolist()) == (6.0, None, 2)
        assert result["b"][1].dtype is pt.int32 and result["a"].device == x.device
        assert f(y, x)["a"].tolist() == 2.0
        gradient = pt.gradients_function(lambda x, y: f(x, y)["a"])
        assert [g.tolist() for g in gradient(x, y)] == [3.0, 2.0]
        assert [0.0 if g is None else g.tolist() for g in gradient(y, x)] == [0.0, 1.0]


@pytest.mark.parametrize("form", FORMS)
def test_a_branch_assigns_variables_and_draws_numbers_only_if_it_runs(form: Form) -> None:
    total, generator = pt.Variable(1.0), pt.random.Generator(3)

    def taken(x: Any) -> Any:
        total.assign_add(x)
        return pt.random.uniform((), generator=generator) + total

    f = form(lambda x: (pt.cond(x > 0, taken, lambda x: x, x), total * 1.0))
    first = pt.random.uniform((2,), generator=pt.random.Generator(3)).tolist()
    assert [y.tolist() for y in f(pt.asarray(-1.0))] == [-1.0, 1.0]
    assert generator.state.tolist() == [3, 0] and float(total) == 1.0
    y, after = f(pt.asarray(2.0))
    assert y.tolist() == pytest.approx(first[0] + 3.0) and after.tolist() == float(total) == 3.0
    assert generator.state.tolist() == [3, 1]


def test_only_one_branch_runs_in_a_graph() -> None:
    @pt.function
    def f(x: Any) -> Any:
        return pt.cond(x > 0, lambda x: x, lambda x: pt.while_loop(lambda s: s < 1, lambda s: s - 1, x), x)

    assert f(pt.asarray(5)).tolist() == 5  # the other branch would never end


def test_a_graph_prints_both_branches() -> None:
    @pt.function
    def f(x: Any, w: Any) -> Any:
        return pt.cond(x > 0, lambda x: x * w, lambda x: -x, x)

    graph = f.graph(pt.asarray(1.0), pt.asarray(2.0))
    check(graph)
    lines = [line.partition("#")[0].rstrip() for line in str(graph).splitlines()]
    assert lines == [
        "graph f(x: float32[], w: float32[]) -> float32[]",
        "  a: bool[] = greater(x, 0)",
        "  b: float32[] = cond(a, x, w)",
        "    true(operands_0: float32[], x1: float32[]) -> float32[]",
        "      a: float32[] = multiply(operands_0, x1)",
        "      return a",
        "    false(operands_0: float32[], x1: float32[]) -> float32[]",
        "      a: float32[] = negative(operands_0)",
        "      return a",
        "  return b",
    ]


@pytest.mark.parametrize(
    ("other", "error", "text"),
    [
        (lambda x: pt.astype(x, "int32"), DTypeError, r"the type of the result\.\n.*float32\[2\]\n  got: int32\[2\]"),
        (lambda x: pt.sum(x), ShapeError, r"expected: float32\[2\]\n  got: float32\[\]"),
        (lambda x: (x, x), DTypeError, r"another structure for the result.\n  expected: \*\n  got: \(\*, \*\)"),
        (lambda x: "x", DTypeError, "the result is 'x', which is no tensor"),
    ],
)  # fmt: skip
def test_branches_that_return_other_types_are_an_error(other: Any, error: Any, text: str) -> None:
    f = pt.function(lambda x: pt.cond(x[0] > 0, lambda x: x, other, x))
    with pytest.raises(error, match=text):
        f(pt.asarray([1.0, 2.0]))


@pytest.mark.parametrize("form", FORMS)
def test_a_predicate_is_one_bool(form: Form) -> None:
    f = form(lambda x: pt.cond(x, lambda: 1, lambda: 2))
    assert f(True).tolist() == 1
    with pytest.raises(DTypeError, match=r"predicate is .*, not a bool"):
        f(pt.asarray(1.0))
    with pytest.raises(ShapeError, match="predicate has 2 elements"):
        f(pt.asarray([True, False]))
    with pytest.raises(DTypeError, match="cond cannot take"):
        pt.cond(True, pt.asarray(1.0), lambda: 1)  # type: ignore[arg-type]


def test_an_error_in_a_branch_names_its_line_and_leaves_variables_as_they_were() -> None:
    v = pt.Variable(1.0)

    def failing(x: Any) -> Any:
        v.assign(5.0)
        return pt.take(x, pt.asarray(7))

    f = pt.function(lambda x: pt.cond(x[0] > 0, failing, lambda x: x[0], x))
    with pytest.raises(Exception) as caught:  # which error, the backend decides
        f(pt.asarray([1.0]))
    assert any("take(" in note and "test_branching" in note for note in caught.value.__notes__)
    assert float(v) == 1.0


def test_a_hand_written_gradient_inside_a_branch_is_used_to_order_two() -> None:
    @pt.custom_gradient
    def halved(x: Any) -> Any:
        y = pt.exp(x)
        return y, lambda g: g * y * 0.5

    def f(x: Any) -> Any:
        return pt.cond(x > 0, lambda x: halved(x) * x, lambda x: x, x)

    x = pt.asarray(1.5)
    assert pt.hessian(pt.function(f))(x).tolist() == pytest.approx(pt.hessian(f)(x).tolist(), rel=1e-6)
    (gradient,) = pt.gradients_function(pt.function(f))(x)
    assert gradient.tolist() == pytest.approx(np.exp(1.5) * (1 + 0.5 * 1.5), rel=1e-6)
