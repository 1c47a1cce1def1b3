"""Input signatures with open sizes: the graph from a template is the graph that tracing gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import optree
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.errors import ShapeError, TraceError
from polytape.graph import check

Program = Callable[..., Any]
W = pt.Variable(np.linspace(-1.0, 1.0, 24, dtype="f4").reshape(6, 4), name="w")
FILTERS = pt.Variable(np.linspace(-1.0, 1.0, 54, dtype="f4").reshape(3, 3, 2, 3), name="filters")


def gradient(program: Program) -> Program:
    """The gradient of the mean square of a program's result."""

    def gradients(x: Any) -> Any:
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = pt.mean(pt.square(program(x)))
        return tape.gradient(y, [x, W, FILTERS])

    return gradients


def recurrent(x: Any) -> Any:
    def step(h: Any, row: Any) -> Any:
        h = pt.tanh(h + row)
        return h, h

    return pt.scan(step, pt.zeros((x.shape[0], 6)), pt.permute_dims(x, (1, 0, 2)))


def attention(x: Any) -> Any:
    q = x @ W
    return pt.nn.softmax(q @ pt.matrix_transpose(q) / 2.0) @ q


def normalised(x: Any) -> Any:
    return (x - pt.mean(x, axis=0)) / pt.sqrt(pt.var(x, axis=0, correction=1) + 1e-3)


def convolved(x: Any) -> Any:
    return pt.nn.max_pool(pt.nn.conv2d(x, FILTERS, stride=2), 2)


def branched(x: Any) -> Any:
    return pt.cond(pt.sum(x) > 0.0, lambda x: x * W[0, 0], lambda x: x, x)


FLAT: list[Program] = [
    lambda x: pt.reshape(x, (x.shape[0], -1)),
    lambda x: pt.reshape(x, (-1,)),
    lambda x: (x[1:], x[-1], x[::2], x[: x.shape[0] // 2]),
    lambda x: x / x.shape[0] + pt.ones((x.shape[0], 1)),
    lambda x: pt.concat([x, x], axis=0) * pt.astype(pt.arange(2 * x.shape[0]), "float32")[:, None],
    lambda x: x + np.ones((x.shape[0], 1), "f4"),
    lambda x: {"rows": x.shape[0], "sorted": pt.sort(x, axis=0), "cells": (x.shape[0] * 6, None)},
    lambda x: pt.vmap(lambda row: pt.sum(row * row))(x),
    lambda x: pt.nn.dropout(x @ W, 0.5) + pt.random.normal((x.shape[0], 4)),
    lambda x: pt.where(x > 0.0, x, 0.0) if x.shape[0] > 1 else x,
    normalised,
    branched,
    gradient(normalised),
    gradient(branched),
    gradient(lambda x: pt.recompute(lambda x: pt.tanh(x @ W))(x)),
    gradient(lambda x: pt.nn.dropout(x, 0.5)),
]
CASES = [
    *[(program, (None, 6), [(5, 6), (2, 6), (33, 6), (6, 6)]) for program in FLAT],
    *[(program, (None, None, 6), [(2, 5, 6), (4, 4, 6), (3, 2, 6)]) for program in (attention, recurrent)],
    (gradient(attention), (None, None, 6), [(4, 4, 6), (2, 5, 6)]),
    (gradient(lambda x: recurrent(x)[0]), (None, None, 6), [(2, 5, 6), (4, 4, 6)]),
    (convolved, (None, None, 17, 2), [(2, 16, 17, 2), (3, 21, 17, 2)]),
    (gradient(convolved), (None, 16, 17, 2), [(2, 16, 17, 2), (3, 16, 17, 2)]),
]


@pytest.mark.parametrize(("program", "shape", "shapes"), CASES)
def test_a_filled_graph_is_the_traced_one_and_gives_the_same_bits(program: Program, shape: Any, shapes: Any) -> None:
    plain = pt.function(program)
    runs = 0

    @pt.function(input_signature=[pt.TensorSpec(shape, "float32")])
    def sized(x: Any) -> Any:
        nonlocal runs
        runs += 1
        return program(x)

    for position, each in enumerate(shapes):
        x = pt.asarray(np.random.default_rng(0).normal(size=each).astype("f4"))
        check(sized.trace(x))
        assert equations(sized.trace(x)) == equations(plain.trace(x))
        results = []
        for f in (sized, plain):
            pt.random.seed(3)
            results.append([np.asarray(leaf) for leaf in optree.tree_leaves(f(x))])
        for actual, expected in zip(*results, strict=True):
            np.testing.assert_array_equal(actual, expected)
        if position == 0:
            runs = 0
    assert runs == 0  # all sizes after the first


def equations(graph: Any) -> list[str]:
    return [line.split(" #")[0].rstrip() for line in str(graph).splitlines()[1:]]


@given(st.integers(2, 400), st.integers(2, 400))
@settings(max_examples=25, deadline=None)
def test_all_sizes_agree_with_numpy(n: int, m: int) -> None:
    x, y = np.full((n, m), 0.5, "f4"), np.arange(m, dtype="f4")
    np.testing.assert_allclose(scaled_mean(x, y), (x * y).sum(1) / m + n, rtol=1e-5)


@pt.function(input_signature=[pt.TensorSpec((None, None)), pt.TensorSpec((None,))])
def scaled_mean(x: Any, y: Any) -> Any:
    return pt.mean(x * y, axis=1) + x.shape[0]


def test_a_training_step_of_any_batch_size_is_traced_for_the_first_one() -> None:
    runs = 0
    weights = {}

    def step(w: Any, optimizer: Any) -> Program:
        def body(x: Any, labels: Any) -> Any:
            nonlocal runs
            runs += 1
            with pt.GradientTape() as tape:
                loss = pt.mean(pt.nn.sparse_softmax_cross_entropy_with_logits(labels, x @ w))
            optimizer.apply_gradients([(tape.gradient(loss, w), w)])
            return loss

        return body

    specs = {"x": pt.TensorSpec((None, 6), "float32"), "labels": pt.TensorSpec((None,), "int32")}
    for signature in (None, specs):
        w = weights[signature is None] = pt.Variable(np.ones((6, 4), "f4"))
        train = pt.function(step(w, pt.optim.Adam(0.1)), input_signature=signature)
        for n in (8, 8, 3, 1, 64, 3):
            rng = np.random.default_rng(n)
            train(rng.normal(size=(n, 6)).astype("f4"), rng.integers(0, 4, n).astype("i4"))
            assert runs <= 5 or signature is None or n == 1
            runs = 0
    np.testing.assert_array_equal(weights[True].numpy(), weights[False].numpy())


def test_equal_sizes_of_one_call_may_differ_in_the_next() -> None:
    f = pt.function(lambda x, y: pt.sum(x) * y, input_signature=[pt.TensorSpec((None,)), pt.TensorSpec((None,))])
    for n, m in ((4, 4), (4, 5), (1, 3), (3, 1), (0, 2)):
        assert f(np.ones(n, "f4"), np.ones(m, "f4")).tolist() == [float(n)] * m


def compared(x: Any) -> Any:
    return x * 2.0 if x.shape[0] > 3 else x


def measured(x: Any) -> Any:
    return x * 2.0 if len(x) > 20 else x


def unrolled(x: Any) -> Any:
    total = x[0]
    for position in range(1, x.shape[0]):
        total = total + x[position]
    return total


REJECTED: list[tuple[Program, str]] = [
    (compared, r"Python compares a size, 7 > 3, at test_templates\.py:\d+"),
    (lambda x: x + 1.0 if x.shape[0] == 32 else x, r"Python compares a size, 7 == 32"),
    (measured, r"from 0 to 1 equations; the first more: multiply at test_templates\.py:\d+"),
    (unrolled, r"from \d+ to \d+ equations; the first more: getitem"),
    (lambda x: x / x.shape[0] ** 0.5, r"a number in divide at .* is 2\.645\d* for 7; 8\.18\d* for 67"),
    (lambda x: x + np.arange(x.shape[0], dtype="f4")[:, None], r"a constant has other values for each size"),
]


@pytest.mark.parametrize(("program", "text"), REJECTED)
def test_a_function_that_needs_the_size_is_rejected_with_the_line(program: Program, text: str) -> None:
    f = pt.function(program, input_signature=[pt.TensorSpec((None, 6))])
    with pytest.raises(TraceError, match="needs a size that its input_signature leaves open: axis 0 of x") as caught:
        f(pt.ones((5, 6)))
    caught.match(text)
    caught.match("fix: give the size in place of None")
    assert pt.function(program)(pt.ones((5, 6))) is not None


def test_an_error_of_the_body_says_which_number_stands_for_a_size() -> None:
    f = pt.function(lambda x: x + pt.ones((5, 6)), input_signature=[pt.TensorSpec((None, 6))])
    with pytest.raises(ShapeError) as caught:
        f(pt.ones((5, 6)))
    assert "was traced with 7 for axis 0 of x" in caught.value.__notes__[-1]


def test_a_size_that_an_op_rejects_raises_its_error_with_the_line() -> None:
    f = pt.function(lambda x: x[5], input_signature=[pt.TensorSpec((None, 6))])
    assert f(pt.ones((8, 6))).shape == (6,)
    with pytest.raises(pt.PolytapeError) as caught:
        f(pt.ones((4, 6)))
    assert any("test_templates.py" in note for note in getattr(caught.value, "__notes__", []))


def test_what_the_first_trace_creates_does_not_count_as_a_difference() -> None:
    made: list[Any] = []

    @pt.function(input_signature=[pt.TensorSpec((None, 3))])
    def f(x: Any) -> Any:
        made.append(pt.sum(x))
        return x * 2.0 if len(made) > 1 else pt.exp(x)

    for n in (2, 5):
        assert f(pt.ones((n, 3))).tolist() == [[2.0] * 3] * n
    assert len(made) == 5


def test_a_tape_around_the_call_traces_the_gradient_for_the_first_size_only() -> None:
    runs: list[Any] = []

    def plain(x: Any, scale: Any) -> Any:
        hidden = pt.nn.dropout(pt.tanh(x @ W) * scale, 0.5)
        return pt.mean(hidden), pt.sum(hidden, axis=1)

    def body(x: Any, scale: Any) -> Any:
        runs.append(x.shape)
        return plain(x, scale)

    f = pt.function(body, input_signature={"x": pt.TensorSpec((None, 6))})
    scale = pt.asarray(0.5)
    for n in (3, 5, 2, 3, 40, 1):
        if n in (5, 1):
            runs.clear()
        x = pt.asarray(np.random.default_rng(n).normal(size=(n, 6)).astype("f4"))
        gradients = []
        for g in (f, pt.function(plain)):
            pt.random.seed(n)
            with pt.GradientTape() as tape:
                tape.watch(x)
                tape.watch(scale)
                mean, rows = g(x, scale)
                y = mean * 2.0 + pt.sum(rows * rows)
            gradients.append([z.numpy() for z in tape.gradient(y, [x, W, scale])])
        for actual, expected in zip(*gradients, strict=True):
            np.testing.assert_array_equal(actual, expected)
        if n == 40:
            assert not runs
