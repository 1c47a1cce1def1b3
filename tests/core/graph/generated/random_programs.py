"""Programs at random, of 5 to 40 steps: a seed determines the ops, the operands and the results.

A program draws each step from the shapes and dtypes of the values that it has so far, so it takes the same steps
eagerly and while it is traced. Its first n steps are the program of n steps with the same seed: a failure is shortened
by leaving out the last ones.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np

import polytape as pt

__all__ = ["Program"]

SHAPES = [(3,), (2, 3), (4, 3), (2, 1), (), (1, 3), (2, 4, 3)]
MOST_ELEMENTS = 96

# Each keeps values near 0, and the shape.
UNARY: list[Callable[[Any], Any]] = [
    pt.tanh, pt.sin, pt.cos, pt.negative, pt.abs, pt.square, pt.floor, pt.sign, pt.nn.sigmoid, pt.nn.relu, pt.atan,
    lambda x: pt.exp(pt.minimum(x, 2.0)), lambda x: pt.sqrt(pt.abs(x)), lambda x: pt.log1p(pt.abs(x)),
    lambda x: pt.special.erf(x), lambda x: pt.reciprocal(x * x + 1.0), lambda x: pt.expm1(-pt.abs(x)),
    lambda x: pt.where(x > 0.0, x, 0.5 * x), lambda x: pt.clip(x, -0.5, 0.75), lambda x: pt.round(x * 4.0),
]  # fmt: skip
# What the passes simplify, merge or compute once.
NEUTRAL: list[Callable[[Any], Any]] = [
    lambda x: x * 1.0, lambda x: x / 1.0, lambda x: x - 0.0, lambda x: pt.negative(-x), lambda x: x**1.0,
    lambda x: x**2.0,
    lambda x: +x, lambda x: pt.identity(x), lambda x: 1.0 - x, lambda x: 2.0 * x, lambda x: x + (pt.ones(()) + 0.5),
    lambda x: pt.reshape(pt.reshape(x, (-1,)), x.shape), lambda x: pt.tanh(x) - pt.tanh(x),
    lambda x: pt.stop_gradient(x), lambda x: x + pt.sum(pt.arange(3.0) * 0.25),
]  # fmt: skip
BINARY: list[Callable[[Any, Any], Any]] = [
    pt.add, pt.subtract, pt.multiply, pt.maximum, pt.minimum, lambda a, b: a / (pt.abs(b) + 1.0), pt.hypot,
    lambda a, b: pt.where(a > b, a, b - a), lambda a, b: pt.logaddexp(a, b), pt.atan2,
]  # fmt: skip
INTEGER: list[Callable[[Any, Any], Any]] = [
    pt.add, pt.subtract, lambda a, b: a * b % 17, lambda a, b: a // (pt.abs(b) + 1), pt.bitwise_xor, pt.maximum,
    lambda a, b: pt.where(a > b, a, b),
]  # fmt: skip


def _broadcast(a: Any, b: Any) -> bool:
    try:
        return math.prod(np.broadcast_shapes(a.shape, b.shape)) <= MOST_ELEMENTS
    except ValueError:
        return False


class Program:
    """One program.

    Args:
        seed: determines everything.
        steps: how many; None draws a number from 5 to 40.

    Attributes:
        arrays: the arguments. w: the variable, once the inputs have been made. taken: the kinds of the steps.
    """

    def __init__(self, seed: int, steps: int | None = None) -> None:
        self.seed = seed
        drawn = random.Random(seed).randint(5, 40)
        self.steps = drawn if steps is None else steps
        self.taken: list[str] = []
        rng = np.random.default_rng(seed)
        self.arrays = [
            rng.standard_normal(SHAPES[rng.integers(len(SHAPES))]).astype("float32"),
            rng.standard_normal((2, 3)).astype("float64" if seed % 5 == 0 else "float32"),
            rng.integers(-5, 6, (3,)).astype("int32"),
        ]
        self.start = rng.standard_normal((2, 3)).astype("float32")
        self.w: Any = None
        self.generator: Any = None

    def inputs(self) -> list[Any]:
        """New arguments on the current device; the variable and the generator are as at first again."""
        if self.w is None:
            self.w, self.generator = pt.Variable(self.start, name="w"), pt.random.Generator(self.seed)
        self.w.assign(self.start)
        self.generator.seed(self.seed)
        return [pt.asarray(x) for x in self.arrays]

    def __call__(self, x: Any, y: Any, k: Any) -> Any:
        """The results: the last values, some others, and sums of all floating ones."""
        draw = random.Random(self.seed + 1)
        pool = [x, y, k, self.w.read_value(), pt.ones((2, 3)) * 0.5]
        self.taken = []
        for _ in range(self.steps):
            pool += self._step(draw, pool)
        chosen = [pool[-1], *(draw.choice(pool) for _ in range(3))]
        return [pt.identity(value) for value in chosen]

    # --- steps --------------------------------------------------------------------------------------------------------

    def _step(self, draw: random.Random, pool: list[Any]) -> list[Any]:
        """The new values of one step."""
        kinds = {
            "unary": 6, "neutral": 4, "binary": 6, "integer": 2, "compare": 1, "movement": 4, "reduction": 4,
            "product": 1, "along": 2, "cast": 1, "again": 2, "assign": 1, "item": 1, "gradient": 2, "vmap": 1,
            "scan": 1, "cond": 1, "loop": 1, "random": 1,
        }  # fmt: skip
        kind = draw.choices(list(kinds), list(kinds.values()))[0]
        floats = [x for x in pool if pt.isdtype(x.dtype, "real floating")]
        x = draw.choice(floats)
        self.taken.append(kind)
        result = getattr(self, f"_{kind}")(draw, pool, floats, x)
        return result if isinstance(result, list) else [result]

    def _unary(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        return draw.choice(UNARY)(x)

    def _neutral(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        return draw.choice(NEUTRAL)(x)

    def _binary(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        fitting = [z for z in floats if _broadcast(x, z)]
        return draw.choice(BINARY)(x, draw.choice(fitting))

    def _integer(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        integers = [z for z in pool if pt.isdtype(z.dtype, "integral")]
        a = draw.choice(integers)
        return draw.choice(INTEGER)(a, draw.choice([z for z in integers if _broadcast(a, z)]))

    def _compare(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        z = draw.choice([z for z in floats if _broadcast(x, z)])
        both = pt.logical_and(x > z, pt.logical_not(pt.isnan(z)))
        return [both, pt.where(both, x, z)]

    def _movement(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        axis = draw.randrange(x.ndim) if x.ndim else 0
        ways: list[Callable[[], Any]] = [
            lambda: pt.reshape(x, (-1,)), lambda: pt.permute_dims(x, tuple(reversed(range(x.ndim)))),
            lambda: pt.expand_dims(x, axis), lambda: pt.reshape(x, (1, *x.shape)),
        ]  # fmt: skip
        if x.ndim:
            ways += [
                lambda: pt.flip(x, axis=axis), lambda: pt.roll(x, 1, axis=axis), lambda: x[::-1], lambda: x[..., :1],
                lambda: x[0], lambda: x[..., None, -1], lambda: pt.take(x, pt.asarray([0, 0]), axis=axis),
                lambda: pt.squeeze(x[:1], 0),
            ]  # fmt: skip
        if x.ndim and 2 * x.size <= MOST_ELEMENTS:
            ways += [
                lambda: pt.concat([x, x * 0.5], axis=axis), lambda: pt.stack([x, -x], axis=axis),
                lambda: pt.pad(x, [(0, 1), *[(0, 0)] * (x.ndim - 1)]), lambda: pt.broadcast_to(x, (2, *x.shape)),
            ]  # fmt: skip
        return draw.choice(ways)()

    def _reduction(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        axis = draw.choice([None, *range(x.ndim)])
        keep = draw.random() < 0.5
        op = draw.choice([pt.sum, pt.mean, pt.max, pt.min, pt.prod, pt.special.logsumexp])
        y = op(x, axis=axis, keepdims=keep)
        return y if axis is None else [y, pt.argmax(x, axis=axis)]

    def _product(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        matrices = [z for z in floats if z.ndim == 2]
        a = draw.choice(matrices)
        return pt.tanh(a @ pt.permute_dims(a, (1, 0)))

    def _along(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        x = x if x.ndim else pt.reshape(x, (1,))
        axis = draw.randrange(x.ndim)
        ops: list[Callable[[Any], Any]] = [
            lambda x: pt.nn.softmax(x, axis=axis), lambda x: pt.cumulative_sum(x, axis=axis),
            lambda x: pt.sort(x, axis=axis), lambda x: pt.nn.log_softmax(x, axis=axis),
            lambda x: pt.nn.layer_norm(x, axis=axis),
        ]  # fmt: skip
        return draw.choice(ops)(x)

    def _cast(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        to = draw.choice([pt.float32, pt.float64, pt.int32])
        return pt.astype(pt.clip(pt.where(pt.isnan(x), 0.0, x), -9.0, 9.0), to)

    def _again(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        """Equal equations, and one that nothing needs."""
        _ = pt.cosh(pt.minimum(x, 1.0))
        return [pt.tanh(x) * 0.5, pt.tanh(x) * 0.5 + x]

    def _assign(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        self.w.assign(pt.tanh(self.w + pt.astype(pt.mean(x), pt.float32)))
        return self.w.read_value()

    def _item(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        x = x if x.ndim else pt.reshape(x, (1,))
        y = x * 1.5
        y[0] = pt.sum(x) if draw.random() < 0.5 else 0.25
        y[..., -1:] += 1.0
        return y

    def _random(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        return pt.random.uniform((2, 3), generator=self.generator)

    # --- programs inside ----------------------------------------------------------------------------------------------

    def _inner(self, draw: random.Random, others: list[Any]) -> Callable[[Any], Any]:
        """A function of a few steps that keeps shape and dtype."""
        chain = [draw.choice([*UNARY, *NEUTRAL]) for _ in range(draw.randint(1, 4))]
        other = draw.choice([z for z in others if not z.shape] or [pt.asarray(0.5)])

        def run(x: Any) -> Any:
            y = x
            for op in chain:
                y = pt.astype(op(y), x.dtype)
            return y * pt.astype(pt.tanh(other), x.dtype)

        return run

    def _gradient(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        inner = self._inner(draw, floats)
        z = draw.choice([z for z in floats if _broadcast(x, z)])
        with pt.GradientTape() as tape:
            tape.watch([x, z])
            y = pt.sum(inner(x * z) + pt.sin(x))
        gradients = tape.gradient(y, [x, z, self.w])
        return [g for g in gradients if g is not None]

    def _vmap(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        x = x if x.ndim else pt.reshape(x, (1,))
        inner = self._inner(draw, floats)
        if draw.random() < 0.5:
            return pt.vmap(lambda row: inner(row) + pt.sum(row))(x)
        return pt.vmap(pt.gradients_function(lambda row: pt.sum(inner(row) * row)))(x)[0]

    def _scan(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        x = x if x.ndim else pt.reshape(x, (1,))
        inner, reverse = self._inner(draw, floats), draw.random() < 0.5

        def run(x: Any) -> Any:
            return pt.scan(lambda c, row: (pt.tanh(inner(c) + row), c), x[0], x, reverse=reverse)

        if draw.random() < 0.5:
            return list(run(x))
        with pt.GradientTape() as tape:
            tape.watch(x)
            carry, _ = run(x)
            y = pt.sum(carry)
        # Eagerly, the gradients of rows are added to zeros; the backward pass of an equation stacks them, -0.0 too.
        return [carry, tape.gradient(y, x) + 0.0]

    def _cond(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        first, second = self._inner(draw, floats), self._inner(draw, floats)
        return pt.cond(pt.sum(x) > 0.0, lambda: first(x), lambda: second(x) - 1.0)

    def _loop(self, draw: random.Random, pool: Any, floats: Any, x: Any) -> Any:
        inner = self._inner(draw, floats)
        if draw.random() < 0.5:
            return pt.fori_loop(0, 3, lambda i, c: pt.tanh(inner(c)), x)
        return pt.while_loop(lambda s: pt.logical_and(s[1] < 4, pt.sum(s[0]) > -1.0),
                             lambda s: (pt.tanh(inner(s[0])), s[1] + 1), (x, 0))[0]  # fmt: skip
