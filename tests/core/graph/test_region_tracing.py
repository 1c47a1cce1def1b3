"""What a region captures from around it, and what it may do."""

from __future__ import annotations

from typing import Any

import pytest

import polytape as pt
from polytape.errors import TraceError


def test_a_region_takes_what_it_reads_as_operands_once() -> None:
    v, constant = pt.Variable(2.0, name="v"), pt.asarray([1.0, 2.0])

    @pt.function
    def f(x: Any) -> Any:
        y = x * 2.0
        return pt.cond(x > 0, lambda: (y * v + constant)[1] + v, lambda: (y + constant)[1])

    (_, _, cond) = f.trace(pt.asarray(1.0)).equations
    assert len(cond.operands) == 4  # the predicate, y, v, the constant
    assert all(not graph.variables and not graph.constants for graph in cond.regions.graphs)
    assert f(pt.asarray(1.0)).tolist() == 8.0
    v.assign(0.0)
    assert f(pt.asarray(1.0)).tolist() == 2.0


def test_a_tape_around_a_call_follows_a_tensor_that_only_a_region_reads() -> None:
    outside = pt.asarray(3.0)
    f = pt.function(lambda x: pt.scan(lambda c, x: (c + x * outside, None), 0.0, x)[0])
    x = pt.asarray([1.0, 2.0])
    f(x)
    with pt.GradientTape() as tape:
        tape.watch(outside)
        y = f(x)
    assert tape.gradient(y, outside).tolist() == 3.0


def test_a_tape_in_a_region_and_one_around_it_watch_the_same_variable() -> None:
    v = pt.Variable(3.0)

    def f(x: Any) -> Any:
        def step(c: Any, x: Any) -> Any:
            with pt.GradientTape() as inner:
                y = v * v * x
            return c + inner.gradient(y, v), y

        with pt.GradientTape() as tape:
            c, ys = pt.scan(step, 0.0, x)
            z = c * c + pt.sum(ys)
        return tape.gradient(z, v)

    x = pt.asarray([1.0, 2.0])
    # c = 2 v (1 + 2), so z = 36 v**2 + 3 v**2.
    assert f(x).tolist() == pt.function(f)(x).tolist() == 78.0 * 3.0


def test_a_tensor_of_a_region_cannot_be_used_outside_it() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        pt.cond(x > 0, lambda: (kept.append(x * 2.0), x)[1], lambda: x)
        return kept[0] + x

    with pytest.raises(TraceError, match="a symbolic tensor outside its trace"):
        pt.function(f)(pt.asarray(1.0))


def test_recompute_inside_a_region_and_around_one() -> None:
    v = pt.Variable(0.5)

    def step(c: Any, x: Any) -> Any:
        return pt.sin(c * v + x), c * x

    x = pt.asarray([1.0, -2.0, 0.5])
    programs = [
        lambda x: pt.scan(step, 0.3, x)[1],
        pt.recompute(lambda x: pt.scan(step, 0.3, x)[1]),
        lambda x: pt.scan(pt.recompute(step), 0.3, x)[1],
    ]
    results = []
    for program in programs:
        for f in (program, pt.function(program)):
            with pt.GradientTape() as tape:
                tape.watch(x)
                y = pt.sum(pt.square(f(x)))
            results.append([g.tolist() for g in tape.gradient(y, [x, v])])
    for result in results[1:]:
        assert result[0] == pytest.approx(results[0][0], rel=1e-6)
        assert result[1] == pytest.approx(results[0][1], rel=1e-6)


@pytest.mark.parametrize("kind", ["scan", "cond", "nested", "while_loop"])
def test_the_gradient_of_an_assigned_variable_is_the_eager_one(kind: str) -> None:
    v = pt.Variable(0.7)

    def step(c: Any, x: Any) -> Any:
        y = pt.sin(v * x)
        v.assign(pt.cos(v * 2.0 + c))
        return pt.sin(c + v * v * x), y * v

    def inner(c: Any, x: Any) -> Any:
        return pt.cond(x > 0, lambda c, x: step(c, x), lambda c, x: (c * v, x), c, x)

    def counted(s: Any) -> Any:
        return s[0] + 1, inner(s[1], pt.astype(s[0], "float32"))[0]

    programs = {
        "scan": lambda x: pt.scan(step, 0.3, x),
        "cond": lambda x: pt.cond(x[0] > 0, lambda: step(x[0], x[2]), lambda: (x[0], x[1])),
        "nested": lambda x: pt.scan(lambda c, row: (pt.scan(inner, c, x * row)[0], c * v), 0.3, x),
        "while_loop": lambda x: pt.while_loop(lambda s: s[0] < 3, counted, (0, x[0]), 4),
    }
    results = []
    for f in (programs[kind], pt.function(programs[kind])):
        v.assign(0.7)
        x = pt.asarray([0.5, -0.2, 0.9])
        with pt.GradientTape(persistent=True) as outer:
            outer.watch(x)
            with pt.GradientTape() as inner_tape:
                inner_tape.watch(x)
                first, second = f(x)
                total = pt.sum(second * second) + pt.astype(first, "float32")
            gradients = inner_tape.gradient(total, [x, v])
            size = pt.sum(gradients[0] ** 2) + gradients[1] ** 2
        results.append([total, *gradients, *outer.gradient(size, [x, v]), v])
    for traced, eager in zip(results[1], results[0], strict=True):
        assert traced.tolist() == pytest.approx(eager.tolist(), rel=1e-5)


def test_a_hand_written_gradient_that_assigns_is_an_error_in_a_region() -> None:
    calls = pt.Variable(0.0, name="calls")

    @pt.custom_gradient
    def counted(x: Any) -> Any:
        def gradient(g: Any) -> Any:
            calls.assign_add(1.0)
            return g

        return x * 1.0, gradient

    with pytest.raises(TraceError, match="a custom_gradient assigns calls inside a loop or branch"):
        pt.function(lambda x: pt.cond(x > 0, counted, lambda x: x, x))(pt.asarray(1.0))
    assert float(calls) == 0.0
