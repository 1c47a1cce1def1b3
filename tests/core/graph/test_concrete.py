"""Traced calls under tapes: each is one record, with the gradients of the eager call, to any order."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.errors import TraceError
from polytape.tensors import structure

Wrap = Callable[[Callable[..., Any]], Any]


def numbers(result: Any) -> list[Any]:
    return [None if leaf is None else leaf.tolist() for leaf in structure.leaves(result)]


def check_traced_equals_eager(program: Callable[[Wrap], Any]) -> None:
    """Check that a program, which wraps its own functions, returns the same values eagerly and traced."""
    eager = numbers(program(lambda f: f))
    traced = numbers(program(pt.function))
    for actual, expected in zip(traced, eager, strict=True):
        if expected is None:
            assert actual is None
        else:
            np.testing.assert_allclose(actual, expected, rtol=1e-6)


def test_first_and_second_derivatives_with_respect_to_arguments_and_variables(backend: str) -> None:
    def program(wrap: Wrap) -> Any:
        x = pt.asarray([0.5, -1.0, 0.25])
        w = pt.Variable([1.0, 2.0, -0.5])
        f = wrap(lambda x, n: (pt.sum(pt.exp(x * w) * x), {"rest": x / n, "none": None}))
        with pt.GradientTape(persistent=True) as outer:
            outer.watch(x)
            with pt.GradientTape() as inner:
                inner.watch(x)
                y, rest = f(x, 2)
                z = y * pt.sum(rest["rest"])
            first = inner.gradient(z, [x, w])
            s = pt.sum(first[0] * first[1])
        return [y, *first, *outer.gradient(s, [x, w])]

    with pt.device(backend):
        check_traced_equals_eager(program)


def test_third_derivative() -> None:
    def program(wrap: Wrap) -> Any:
        x = pt.asarray(3.0)
        f = wrap(lambda x: x * x * x * x)
        with pt.GradientTape() as c:
            c.watch(x)
            with pt.GradientTape() as b:
                b.watch(x)
                with pt.GradientTape() as a:
                    a.watch(x)
                    y = f(x)
                first = a.gradient(y, x)
            second = b.gradient(first, x)
        return [first, second, c.gradient(second, x)]

    check_traced_equals_eager(program)


def test_gradients_are_right_if_the_body_assigns_variables(backend: str) -> None:
    def program(wrap: Wrap) -> Any:
        x = pt.asarray([1.0, 2.0])
        w = pt.Variable([0.5, 3.0])
        u = pt.Variable([9.0, 9.0])

        def body(x: Any) -> Any:
            w.assign_add(x * 0.5)
            u.assign(x)
            y = pt.sum(w * x * u)
            w.assign(w * 2.0)
            return y * pt.sum(w)

        f = wrap(body)
        with pt.GradientTape() as tape:
            tape.watch(x)
            z = f(x) * pt.sum(w)
            z = z + f(x)
        return [z, w, u, *tape.gradient(z, [x, w, u])]

    with pt.device(backend):
        check_traced_equals_eager(program)


def test_the_gradient_uses_the_variable_s_value_at_the_call() -> None:
    def program(wrap: Wrap) -> Any:
        w = pt.Variable(2.0)
        f = wrap(lambda: w * w * w)
        with pt.GradientTape() as tape:
            y = f()
        w.assign(100.0)
        return [tape.gradient(y, w)]

    check_traced_equals_eager(program)


def test_a_tensor_passed_twice_gets_the_sum_of_both_gradients() -> None:
    def program(wrap: Wrap) -> Any:
        x = pt.asarray(3.0)
        f = wrap(lambda a, b: a * a * b)
        with pt.GradientTape() as outer:
            outer.watch(x)
            with pt.GradientTape() as tape:
                tape.watch(x)
                y = f(x, x)
            g = tape.gradient(y, x)
        return [g, outer.gradient(g, x)]

    check_traced_equals_eager(program)


def test_unused_outputs_and_sources_without_influence() -> None:
    def program(wrap: Wrap) -> Any:
        a, b = pt.asarray(2.0), pt.asarray(3.0)
        f = wrap(lambda a, b: (a * 2.0, pt.sqrt(b - 3.0), pt.argmax(pt.reshape(a, (1,)))))
        with pt.GradientTape() as tape:
            tape.watch([a, b])
            y, _, _ = f(a, b)
        return tape.gradient(y, [a, b])

    check_traced_equals_eager(program)


def test_a_persistent_tape_computes_the_gradients_of_each_output() -> None:
    def program(wrap: Wrap) -> Any:
        x = pt.asarray([1.0, 2.0])
        f = wrap(lambda x: (x * 2.0, pt.sum(x * x)))
        with pt.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y, z = f(x)
        weights = pt.asarray([3.0, 5.0])
        return [tape.gradient(y, x, weights), tape.gradient(z, x), tape.gradient([y, z], x)]

    check_traced_equals_eager(program)


def test_a_custom_gradient_is_used() -> None:
    def program(wrap: Wrap) -> Any:
        @pt.custom_gradient
        def log1pexp(x: Any) -> Any:
            e = pt.exp(x)
            return pt.log1p(e), lambda g: g * (1 - 1 / (1 + e))

        x = pt.asarray(20.0)
        f = wrap(lambda x: log1pexp(x * 1.0) + pt.stop_gradient(x) * x)
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return [tape.gradient(y, x)]

    check_traced_equals_eager(program)


def test_a_captured_tensor_is_followed_whenever_it_is_watched() -> None:
    def program(wrap: Wrap) -> Any:
        c = pt.asarray([2.0, 3.0])
        f = wrap(lambda x: x * c * c)
        x = pt.asarray([1.0, 5.0])
        f(x)  # traced before the tensor is watched
        gradients = []
        for _ in range(2):
            with pt.GradientTape() as tape:
                tape.watch(c)
                d = c * 2.0
                g = wrap(lambda x, d=d: x * d * c)
                y = f(x) + g(x)
            gradients += tape.gradient(y, [c, d])
        return gradients

    check_traced_equals_eager(program)


def test_a_tape_inside_the_function_under_a_tape_outside() -> None:
    def program(wrap: Wrap) -> Any:
        w = pt.Variable(2.0)

        def body(x: Any) -> Any:
            with pt.GradientTape() as tape:
                y = w * w * x
            return tape.gradient(y, w)

        f = wrap(body)
        x = pt.asarray(3.0)
        with pt.GradientTape() as tape:
            tape.watch(x)
            g = f(x)
        return [g, *tape.gradient(g, [w, x])]

    check_traced_equals_eager(program)


def test_a_variable_s_value_read_explicitly_is_followed() -> None:
    def program(wrap: Wrap) -> Any:
        w = pt.Variable([1.0, 2.0])
        f = wrap(lambda: pt.sum(pt.square(w.read_value())))
        f()
        with pt.GradientTape() as tape:
            y = f()
        return [tape.gradient(y, w)]

    check_traced_equals_eager(program)


def test_tapes_watch_the_variables_that_a_traced_call_uses() -> None:
    w, u = pt.Variable(2.0), pt.Variable(3.0, trainable=False)
    f = pt.function(lambda x: x * w * u)
    with pt.GradientTape() as tape:
        y = f(pt.asarray(1.0))
    assert [variable is w for variable in tape.watched_variables()] == [True]
    assert tape.gradient(y, [w, u]) == [pt.asarray(3.0), None]
    with pt.GradientTape(watch_accessed_variables=False) as tape:
        y = f(pt.asarray(1.0))
    assert y.node is None


def test_the_gradient_repeats_a_random_draw_with_the_same_numbers() -> None:
    generator = pt.random.Generator(1)
    x = pt.ones(4)
    f = pt.function(lambda x: x * pt.random.uniform((4,), generator=generator))
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    counter = generator.state.tolist()
    assert tape.gradient(y, x).tolist() == y.tolist()
    assert generator.state.tolist() == counter


def test_a_gradient_inside_another_trace_is_rejected() -> None:
    x = pt.asarray(2.0)
    f = pt.function(lambda x: x * x)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    with pytest.raises(TraceError, match="inside another traced function"):
        pt.function(lambda: tape.gradient(y, x))()


def test_training_with_a_traced_loss_equals_training_with_an_eager_one(backend: str) -> None:
    def program(wrap: Wrap) -> Any:
        x = pt.asarray([[1.0, 2.0], [3.0, 4.0], [-1.0, 0.5]])
        w = pt.Variable([[0.5], [0.25]])
        b = pt.Variable([0.0])
        optimizer = pt.optim.SGD(0.05)
        loss = wrap(lambda x: pt.mean(pt.square(pt.nn.relu(x @ w + b) - 1.0)))
        values = []
        for _ in range(3):
            with pt.GradientTape() as tape:
                value = loss(x)
            optimizer.apply_gradients(list(zip(tape.gradient(value, [w, b]), [w, b], strict=True)))
            values.append(value)
        return [*values, w, b]

    with pt.device(backend):
        check_traced_equals_eager(program)


def test_the_backward_pass_frees_a_record_s_arrays() -> None:
    f = pt.function(lambda x: x * x)
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as warm_up:
        warm_up.watch(x)
        y = f(x)
    warm_up.gradient(y, x)
    gc.disable()
    try:
        with pt.GradientTape() as tape:
            tape.watch(x)
            middle = x * 2.0
            y = f(middle)
        reference = weakref.ref(middle.array)
        del middle
        assert reference() is not None
        tape.gradient(y, x)
        assert reference() is None
    finally:
        gc.enable()


STEP = st.tuples(st.integers(0, 7), st.integers(0, 99), st.integers(0, 99), st.booleans())


@settings(max_examples=40, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=7))
def test_random_programs_have_the_same_derivatives_traced_and_eager(steps: list[Any]) -> None:
    ops: list[Callable[[Any, Any], Any]] = [
        lambda a, b: a * b,
        lambda a, b: a - b,
        lambda a, b: pt.tanh(a),
        lambda a, b: a * 0.5,
        lambda a, b: pt.sum(a, keepdims=True) + b,
        lambda a, b: pt.concat([a[1:], b[:1]]),
        lambda a, b: pt.stop_gradient(a) * b,
        lambda a, b: pt.square(a) + 1.0,
    ]

    def program(wrap: Wrap) -> Any:
        x = pt.asarray([0.1, 0.2, -0.3], dtype="float64")
        w = pt.Variable([0.5, -1.0, 0.25], dtype="float64")

        def body(x: Any) -> Any:
            values = [x, w]
            for choice, left, right, assign in steps:
                a, b = values[left % len(values)], values[right % len(values)]
                values.append(pt.tanh(ops[choice](a, b)))
                if assign:
                    w.assign(values[-1])
            return values[-1], pt.sum(values[len(values) // 2] * w)

        f = wrap(body)
        with pt.GradientTape(persistent=True) as outer:
            outer.watch(x)
            with pt.GradientTape() as inner:
                inner.watch(x)
                y, z = f(x)
                total = pt.sum(y * z)
            first = inner.gradient(total, [x, w])
            s = sum((pt.sum(g * g) for g in first if g is not None), pt.sum(x) * 0.0)
        return [total, *first, *outer.gradient(s, [x, w])]

    check_traced_equals_eager(program)


def test_two_captured_tensors_that_share_an_array_are_followed_separately() -> None:
    def program(wrap: Wrap) -> Any:
        x = pt.asarray([1.0, 2.0])
        with pt.GradientTape() as tape:
            tape.watch(x)
            copied = pt.identity(x)
            stopped = pt.stop_gradient(x)
            y = wrap(lambda: pt.sum(x * x * copied * stopped))()
        return tape.gradient(y, [x, copied])

    check_traced_equals_eager(program)
