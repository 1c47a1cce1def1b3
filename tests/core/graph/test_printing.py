"""Printed graphs, compared with the expected text."""

from __future__ import annotations

import inspect
from typing import Any

import polytape as pt
from polytape.graph.passes import common_subexpressions, dead_code

HERE = "test_printing.py"


def line_of(f: Any, text: str) -> int:
    """The number of the first source line of ``f`` that contains ``text``."""
    lines, first = inspect.getsourcelines(f)
    return first + next(index for index, line in enumerate(lines) if text in line)


def lines(graph: Any) -> list[str]:
    """The printed lines, with every run of spaces as one space."""
    return [" ".join(line.split()) for line in str(graph).splitlines()]


def loss(x: Any, w: Any) -> Any:
    a = x @ w
    return pt.mean(pt.square(a), axis=(0, 1))


def test_each_equation_prints_on_one_line_with_its_type_and_the_user_s_line() -> None:
    graph = pt.function(loss).graph(pt.zeros((8, 3)), pt.zeros((3, 1)))
    first, second = line_of(loss, "x @ w"), line_of(loss, "pt.mean")
    assert str(graph) == (
        "graph loss(x: float32[8,3], w: float32[3,1]) -> float32[]\n"
        f"  a: float32[8,1] = matmul(x, w)                    # {HERE}:{first}\n"
        f"  b: float32[8,1] = square(a)                       # {HERE}:{second}\n"
        f"  c: float32[] = mean(b, axis=(0, 1))               # {HERE}:{second}\n"
        "  return c"
    )


def test_the_same_function_always_prints_the_same() -> None:
    x, w = pt.zeros((8, 3)), pt.zeros((3, 1))
    assert str(pt.function(loss).graph(x, w)) == str(pt.function(loss).graph(x, w))


W = pt.Variable(0.0, name="W")
B = pt.Variable([0.0, 1.0])
OFFSET = pt.asarray([5.0, 6.0])


def step(x: Any, *, scale: float = 0.5) -> Any:
    y = x * W + B + OFFSET
    unused = pt.exp(y)
    z = x * W
    W.assign_sub(pt.sum(y * scale, keepdims=False))
    B.assign(z)
    return {"a": y, "b": None if unused is None else 3, "c": pt.astype(y, "float64")}


def test_variables_constants_literals_and_assignments_are_shown() -> None:
    traced = pt.function(step).trace(pt.zeros(2))
    printed = lines(traced)
    assert printed[:4] == [
        "graph step(x: float32[2]) -> (float32[2], float64[2])",
        "variable W: float32[]",
        "variable v1: float32[2]",
        "constant c0: float32[2]",
    ]
    assert [line.split(" #")[0] for line in printed[4:]] == [
        "a: float32[2] = multiply(x, W)",
        "b: float32[2] = add(a, v1)",
        "c: float32[2] = add(b, c0)",
        "d: float32[2] = exp(c)",
        "e: float32[2] = multiply(x, W)",
        "f: float32[2] = multiply(c, 0.5)",
        "g: float32[] = sum(f)",
        "h: float32[] = subtract(W, g)",
        "i: float64[2] = astype(c, dtype=float64)",
        "assign W = h",
        "assign v1 = e",
        "return c, i",
    ]


def test_graphs_print_in_the_same_form_after_each_pass() -> None:
    traced = pt.function(step).trace(pt.zeros(2))
    merged = common_subexpressions(traced)
    assert [line.split(" #")[0] for line in lines(merged)[7:-3]] == [
        "d: float32[2] = exp(c)",
        "e: float32[2] = multiply(c, 0.5)",
        "f: float32[] = sum(e)",
        "g: float32[] = subtract(W, f)",
        "h: float64[2] = astype(c, dtype=float64)",
    ]
    assert lines(merged)[-3:] == ["assign W = g", "assign v1 = a", "return c, h"]
    pruned = dead_code(merged)
    assert [line.split(" #")[0] for line in lines(pruned)[7:]] == [
        "d: float32[2] = multiply(c, 0.5)",
        "e: float32[] = sum(d)",
        "f: float32[] = subtract(W, e)",
        "g: float64[2] = astype(c, dtype=float64)",
        "assign W = f",
        "assign v1 = a",
        "return c, g",
    ]


def test_several_outputs_print_on_one_line() -> None:
    w = pt.Variable([1.0], name="w")
    optimizer = pt.optim.Adam(0.5)
    graph = pt.function(lambda g: optimizer.apply_gradients([(g, w)])).graph(pt.zeros(1))
    update = next(line for line in lines(graph) if "adam_update" in line)
    operands = "w, w_m, w_v, g, learning_rate, a, hyperparameters"
    assert update.startswith(f"b: float32[1], c: float32[1], d: float32[1] = adam_update({operands})")
    assert "read learning_rate: float32[]" in lines(graph)


def test_arguments_in_structures_are_named_by_their_path() -> None:
    f = pt.function(lambda params, *rest: params["w"] * rest[0] + params["b"][1])
    x = pt.zeros(2)
    assert lines(f.graph({"w": x, "b": [x, x]}, x))[0] == (
        "graph <lambda>(params_b_0: float32[2], params_b_1: float32[2], params_w: float32[2], rest_0: float32[2]) "
        "-> float32[2]"
    )


def test_equations_do_not_reuse_the_names_of_arguments() -> None:
    f = pt.function(lambda a, b: a * b + b)
    x = pt.zeros(2)
    assert [line.split(" #")[0] for line in lines(f.graph(x, x))] == [
        "graph <lambda>(a: float32[2], b: float32[2]) -> float32[2]",
        "c: float32[2] = multiply(a, b)",
        "d: float32[2] = add(c, b)",
        "return d",
    ]


def test_more_than_26_equations_have_names() -> None:
    def chain(x: Any) -> Any:
        for _ in range(30):
            x = x + 1.0
        return x

    assert lines(pt.function(chain).graph(pt.zeros(1)))[-1] == "return ae"  # the argument is x
