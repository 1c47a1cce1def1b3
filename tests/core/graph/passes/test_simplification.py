"""Simplification: each rule fires where it holds bit by bit, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.graph import Executable, check
from polytape.graph.passes import dead_code, simplification

SPECIAL = np.array([[0.0, -0.0, 1.5], [np.nan, np.inf, -np.inf], [1e-45, -3e38, -2.0]], "float32")
WHOLE = np.array([[0, -1, 5], [2**31 - 1, -(2**31), 7]], "int32")
TRUTH = np.array([[True, False], [False, False]])


def after(body: Callable[..., Any], x: np.ndarray[Any, Any]) -> list[str]:
    """The names of the ops that are left; the results must have the bits of the function's own."""
    tensor = pt.asarray(x)
    graph = dead_code(simplification(pt.function(body).trace(tensor)))
    check(graph, "simplification")
    with np.errstate(all="ignore"):
        (got,), expected = Executable(graph).run(tensor.array), body(tensor)
    assert got.shape == expected.shape and got.dtype == expected.dtype
    assert got.tobytes() == expected.numpy().tobytes()
    return [equation.op.name for equation in graph.equations]


@pytest.mark.parametrize(
    ("body", "x"),
    [
        (lambda x: x * 1.0, SPECIAL),
        (lambda x: 1 * x, WHOLE),
        (lambda x: x / 1.0, SPECIAL),
        (lambda x: x - 0.0, SPECIAL),
        (lambda x: x - 0, WHOLE),
        (lambda x: x + 0, WHOLE),
        (lambda x: x + -0.0, SPECIAL),
        (lambda x: x**1.0, SPECIAL),
        (lambda x: pt.negative(pt.negative(x)), WHOLE),
        (lambda x: pt.negative(-pt.negative(-x)), SPECIAL),
        (lambda x: ~~x, WHOLE),
        (lambda x: pt.logical_not(pt.logical_not(x)), TRUTH),
        (lambda x: pt.conj(pt.conj(x)), SPECIAL.astype("complex64")),
        (lambda x: pt.reshape(pt.reshape(x, (-1,)), x.shape), SPECIAL),
        (lambda x: pt.reshape(x, x.shape), SPECIAL),
        (lambda x: pt.broadcast_to(x, x.shape), SPECIAL),
        (lambda x: pt.permute_dims(pt.permute_dims(x, (1, 0)), (1, 0)), WHOLE),
        (lambda x: pt.permute_dims(x, (0, 1)), WHOLE),
        (lambda x: pt.astype(x, x.dtype, copy=True), SPECIAL),
        (lambda x: pt.reshape((x * 1.0) / 1.0, x.shape) - 0.0, SPECIAL),
    ],
)
def test_the_result_is_the_operand(body: Callable[..., Any], x: np.ndarray[Any, Any]) -> None:
    assert after(body, x) == []


@pytest.mark.parametrize(
    ("body", "x", "left"),
    [
        (lambda x: pt.abs(pt.abs(x)), SPECIAL, ["abs"]),
        (lambda x: pt.reshape(pt.reshape(x, (-1,)), (1, 3, 3)), SPECIAL, ["reshape"]),
        (lambda x: pt.permute_dims(pt.permute_dims(x[None], (2, 0, 1)), (2, 0, 1)), WHOLE, ["getitem", "permute_dims"]),
    ],
)
def test_two_steps_become_one(body: Callable[..., Any], x: np.ndarray[Any, Any], left: list[str]) -> None:
    assert after(body, x) == left


@pytest.mark.parametrize(
    ("body", "x"),
    [
        (lambda x: x + 0.0, SPECIAL),  # -0.0 becomes 0.0
        (lambda x: 0.0 - x, SPECIAL),
        (lambda x: x - -0.0, SPECIAL),
        (lambda x: 1.0 / x, SPECIAL),
        (lambda x: x * 0.0, SPECIAL),  # NaN and infinities stay
        (lambda x: pt.multiply(x, pt.asarray([1.0], dtype="float64")), SPECIAL),
        (lambda x: x * 2.0, SPECIAL),
        (lambda x: pt.astype(x, "float64"), SPECIAL),
        (lambda x: x[:1] * 1.0 * pt.ones((3, 3)), SPECIAL),
        (lambda x: pt.permute_dims(x, (1, 0)), WHOLE),
        (lambda x: pt.broadcast_to(x, (2, 3, 3)), SPECIAL),
    ],
)
def test_what_changes_a_value_a_shape_or_a_dtype_stays(body: Callable[..., Any], x: np.ndarray[Any, Any]) -> None:
    assert after(body, x) != []


def test_a_result_that_is_an_argument_stays_whole_when_the_argument_is_changed() -> None:
    f = pt.function(lambda x: x * 1.0)
    x = pt.asarray([1.0, 2.0])
    y = f(x)
    x[0] = 9.0
    assert y.tolist() == [1.0, 2.0] and x.tolist() == [9.0, 2.0]
    w = pt.Variable([1.0, 2.0])
    read = pt.function(lambda: w / 1.0)
    before = read()
    w.assign_add([1.0, 1.0])
    assert before.tolist() == [1.0, 2.0] and read().tolist() == [2.0, 3.0]
