"""Random programs with nested control flow: eager, traced and unrolled agree, and so do their gradients."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.graph import check

Step = Callable[[Any, Any], Any]


class Unrolled:
    """Control flow by Python alone: what every form must agree with."""

    @staticmethod
    def cond(predicate: Any, true_fn: Any, false_fn: Any, *operands: Any) -> Any:
        return (true_fn if bool(predicate) else false_fn)(*operands)

    @staticmethod
    def scan(f: Step, carry: Any, xs: Any, length: int | None = None, reverse: bool = False) -> Any:
        size = length if xs is None else xs.shape[0]
        ys: list[Any] = [None] * size
        for k in reversed(range(size)) if reverse else range(size):
            carry, ys[k] = f(carry, None if xs is None else xs[k])
        return carry, (pt.stack(ys) if ys else pt.zeros((0,), dtype="float64"))

    @staticmethod
    def while_loop(condition: Any, body: Any, state: Any, maximum_iterations: int) -> Any:
        for _ in range(maximum_iterations):
            if not bool(condition(state)):
                break
            state = body(state)
        return state


class Program:
    """A random body of a loop, made of ops and of control flow, which reads ``w`` and the variable ``v``."""

    def __init__(self, seed: int, depth: int) -> None:
        self.seed = seed
        self.depth = depth

    def value(self, form: Any, a: Any, x: Any, w: Any, v: Any) -> Any:
        return self.block(random.Random(self.seed), self.depth, form, a, x, w, v)

    def block(self, rng: random.Random, depth: int, form: Any, a: Any, x: Any, w: Any, v: Any) -> Any:
        for _ in range(rng.randint(1, 3)):
            kind = rng.choice(
                ["sin", "mix", "read", "write", "cond", "scan", "while"] if depth else ["sin", "mix", "read", "write"]
            )
            seed, reverse = rng.randrange(1 << 30), rng.random() < 0.5

            def inner(a: Any, x: Any, seed: int = seed) -> Any:
                return self.block(random.Random(seed), depth - 1, form, a, x, w, v)

            if kind == "sin":
                a = pt.sin(a * 1.3)
            elif kind == "mix":
                a = a * 0.5 + x * pt.tanh(w)
            elif kind == "write":
                v.assign(pt.sin(v * 0.8 + a * 0.1))
            elif kind == "read":
                a = pt.cos(a + v) - x
            elif kind == "cond":
                a = form.cond(a > 0.2, lambda a, f=inner: f(a, x), lambda a: a * w - v, a)
            elif kind == "scan":
                rows = w * pt.asarray([0.3, -0.7, 0.2], "float64")
                a, ys = form.scan(lambda a, k, f=inner: (f(a, k), a * k), a, rows, reverse=reverse)
                a = a + pt.sum(ys) * 0.1
            else:
                a = form.while_loop(lambda s: (s[0] < 2) & (s[1] < 1.5), lambda s, f=inner: (s[0] + 1, f(s[1], x)),
                                    (pt.asarray(0), a), 3)[1]  # fmt: skip
        return a

    def function(self, form: Any, v: Any, reverse: bool) -> Callable[..., Any]:
        def whole(a: Any, xs: Any, w: Any) -> Any:
            def step(carry: Any, x: Any) -> Any:
                y = self.value(form, carry, x, w, v)
                return y, y * x

            a, ys = form.scan(step, a, xs, reverse=reverse)
            return pt.sum(ys * ys) + a

        return whole


def derivatives(f: Callable[..., Any], a: Any, xs: Any, w: Any, v: Any) -> list[Any]:
    """The value, its gradients, the gradients of a sum of these, and what is assigned."""
    v.assign(0.4)
    with pt.GradientTape(persistent=True) as outer:
        outer.watch([a, xs, w])
        with pt.GradientTape() as inner:
            inner.watch([a, xs, w])
            y = f(a, xs, w)
        first = inner.gradient(y, [a, xs, w, v])
        total = sum((pt.sum(g * g) for g in first if g is not None), pt.asarray(0.0, "float64"))
    return [y, *first, *outer.gradient(total, [a, xs, w, v]), v.read_value()]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1 << 30), st.integers(0, 3), st.booleans())
def test_random_programs_agree_with_the_unrolled_ones_to_order_two(seed: int, size: int, reverse: bool) -> None:
    rng = np.random.default_rng(seed)
    a, xs, w = (pt.asarray(rng.normal(size=shape)) for shape in ((), (size,), ()))
    v = pt.Variable(0.4, dtype="float64")
    program = Program(seed, depth=2)
    expected = derivatives(program.function(Unrolled, v, reverse), a, xs, w, v)
    traced = pt.function(program.function(pt, v, reverse))
    check(traced.trace(a, xs, w))
    check(traced.graph(a, xs, w))
    for f in (program.function(pt, v, reverse), traced):
        v.assign(0.4)
        assert f(a, xs, w).tolist() == expected[0].tolist()  # bit for bit
    for f in (program.function(pt, v, reverse), traced):
        for actual, wanted in zip(derivatives(f, a, xs, w, v), expected, strict=True):
            wanted_value = 0.0 if wanted is None else wanted.numpy()  # a region gives zeros where nothing is connected
            actual_value = 0.0 if actual is None else actual.numpy()
            np.testing.assert_allclose(actual_value, wanted_value, rtol=1e-8, atol=1e-8)
