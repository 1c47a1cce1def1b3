"""Traced functions and state: variables read and assigned, optimizers, random draws."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import ShapeError, TraceError
from polytape.tensors.scope import current_scope


def test_variables_are_read_at_each_call_and_assigned_after_it(backend: str) -> None:
    with pt.device(backend):
        w = pt.Variable([1.0, 2.0])

        @pt.function
        def step(x: Any) -> Any:
            w.assign_add(x)
            doubled = w * 2.0
            w.assign(doubled)
            w.assign_sub(1.0)
            return pt.sum(w), doubled

        x = pt.asarray([1.0, 1.0])
        total, doubled = step(x)
        assert (float(total), doubled.tolist(), w.tolist()) == (8.0, [4.0, 6.0], [3.0, 5.0])
        w.assign([0.0, 0.0])
        assert float(step(x)[0]) == 2.0


def test_a_variable_is_returned_as_itself() -> None:
    w = pt.Variable(1.0)
    assert pt.function(lambda: w.assign_add(1.0))() is w
    assert float(w) == 2.0


def test_two_variables_can_be_swapped() -> None:
    a, b = pt.Variable(1.0), pt.Variable(2.0)

    @pt.function
    def swap() -> None:
        before = a.read_value()
        a.assign(b)
        b.assign(before)

    swap()
    assert (float(a), float(b)) == (2.0, 1.0)


def test_a_variable_passed_as_an_argument_is_assigned() -> None:
    step = pt.function(lambda w, x: w.assign_add(x))
    for value in (1.0, 5.0):
        w = pt.Variable(value)
        step(w, pt.asarray(1.0))
        step(w, pt.asarray(1.0))
        assert float(w) == value + 2.0


def test_nothing_is_assigned_if_an_op_raises() -> None:
    w = pt.Variable([1.0, 2.0])
    broken = False

    def fn(x: Any) -> Any:
        if broken:
            raise FloatingPointError("the kernel is broken")
        return np.exp(x)

    with pt.kernel("exp", backend="numpy", priority=10)(fn):

        @pt.function
        def step(x: Any) -> Any:
            w.assign_add(x)
            return pt.exp(w)

        step(pt.asarray([1.0, 1.0]))
        broken = True
        with pytest.raises(FloatingPointError) as caught:
            step(pt.asarray([1.0, 1.0]))
    assert w.tolist() == [2.0, 3.0]
    assert "in graph step: b: float32[2] = exp(a)  # test_functions_state.py:" in caught.value.__notes__[0]


def test_an_error_while_tracing_leaves_no_state_behind() -> None:
    w = pt.Variable([1.0, 2.0])
    before = current_scope.get()

    @pt.function
    def step(x: Any) -> Any:
        w.assign_add(x)
        return pt.reshape(w, (3,))

    for _ in range(2):
        with pytest.raises(ShapeError, match="reshape"):
            step(pt.asarray([1.0, 1.0]))
    assert w.tolist() == [1.0, 2.0]
    assert current_scope.get() is before
    assert not step.concretes


def test_a_variable_cannot_be_created_inside() -> None:
    with pytest.raises(TraceError, match="cannot be created inside a traced function"):
        pt.function(lambda: pt.Variable(1.0))()


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_an_optimizer_step_can_be_traced(name: str, backend: str) -> None:
    with pt.device(backend):
        losses, final_values = [], []
        for wrap in (lambda f: f, pt.function):
            w = pt.Variable([0.5, 0.25, 2.0], name="w")
            optimizer = getattr(pt.optim, name)(0.1)

            def step(x: Any, w: Any = w, optimizer: Any = optimizer) -> Any:
                with pt.GradientTape() as tape:
                    loss = pt.sum(pt.square(w * x - 1.0))
                optimizer.apply_gradients([(tape.gradient(loss, w), w)])
                return loss

            run = wrap(step)
            x = pt.asarray([1.0, 2.0, 3.0])
            losses.append([float(run(x)) for _ in range(4)])
            final_values.append(w.tolist())
    assert losses[0] == losses[1]
    assert final_values[0] == final_values[1]


# --- random -----------------------------------------------------------------------------------------------------------


def test_draws_differ_between_calls_and_equal_the_eager_ones(backend: str) -> None:
    with pt.device(backend):
        eager = pt.random.Generator(3)
        expected = [pt.random.uniform((3,), generator=eager).tolist() for _ in range(4)]
        generator = pt.random.Generator(3)
        draw = pt.function(lambda: [pt.random.uniform((3,), generator=generator) for _ in range(2)])
        actual = [x.tolist() for _ in range(2) for x in draw()]
    assert actual == expected
    assert generator.state.tolist() == eager.state.tolist()


def test_threads_that_run_the_same_traced_draw_get_different_numbers() -> None:
    generator = pt.random.Generator(5)
    draw = pt.function(lambda: pt.random.integers(2**31 - 1, shape=(4,), generator=generator))
    draw()
    with ThreadPoolExecutor(4) as pool:
        draws = list(pool.map(lambda _: tuple(draw().tolist()), range(200)))
    assert len(set(draws)) == 200


@pytest.mark.parametrize("use", [float, int, lambda w: w.numpy(), lambda w: w.item(), lambda w: f"{w:.1f}", np.asarray])
def test_a_variable_s_value_cannot_be_read_while_tracing(use: Callable[[Any], Any]) -> None:
    w = pt.Variable(1.0)
    with pytest.raises(TraceError, match="inside a traced function"):
        pt.function(lambda: use(w))()


@pytest.mark.parametrize(
    "use",
    [
        pt.asarray,
        lambda w: pt.asarray(w, copy=True),
        lambda w: pt.asarray(w, dtype="float64"),
        lambda w: w.read_value(),
        lambda w: +w,
        lambda w: w.to_device("numba"),
        lambda w: pt.custom_gradient(lambda x: (w, lambda g: g))(pt.asarray(0.0)),
    ],
)
def test_every_use_of_a_variable_reads_it_at_each_call(use: Callable[[Any], Any]) -> None:
    w = pt.Variable([1.0])
    f = pt.function(lambda: use(w) * 2.0)
    assert f().tolist() == [2.0]
    w.assign([5.0])
    assert f().tolist() == [10.0]


def test_a_variable_prints_as_symbolic_while_tracing() -> None:
    w = pt.Variable([1.0], name="w")
    texts: list[str] = []
    pt.function(lambda: texts.extend([repr(w), str(w)]))()
    assert texts == ["Variable('w', float32[1], backend='numpy', symbolic)"] * 2
