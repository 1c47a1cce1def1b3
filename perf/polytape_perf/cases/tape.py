"""Derivatives: small ones, whose time is the tape's, backward passes of ops, and Jacobians and products by one pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

import polytape as pt

from .case import Call, Case, check, check_slope, numbers
from .workloads import second_derivative, square_sum_gradient

__all__ = ["CASES"]

CHAIN: Final = 200
OUTPUTS: Final = 1_000


def gradient(device: str) -> Call:
    """The gradient of sum(w * w) for a variable of shape (1, 1)."""
    call = square_sum_gradient(device)
    check(call(), [[2.0]])
    return call


def second(device: str) -> Call:
    """The second derivative of x * x * x, by two tapes."""
    call = second_derivative(device)
    check(call(), 12.0)
    return call


def chain(device: str) -> Call:
    """The gradient of 200 ops on each other's results."""
    x = pt.asarray(np.ones(10, "f4"), device=device)

    def call() -> Any:
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in range(CHAIN):
                y = y * 1.001
        return tape.gradient(y, x)

    check(call(), np.full(10, 1.001**CHAIN))
    return call


# --- one pass for many derivatives ---------------------------------------------------------------------------------


def _network(device: str) -> tuple[Callable[[Any], Any], Any, Any]:
    """A network of 64 inputs and 1,000 outputs, one input, and its Jacobian there."""
    rng = np.random.default_rng(0)
    first, second = (rng.normal(size=shape).astype("f4") / 8 for shape in ((64, 64), (64, OUTPUTS)))
    weights = [pt.asarray(w, device=device) for w in (first, second)]
    x = np.ones(64, "f4") / 8
    expected = (first * (1 - np.tanh(x @ first) ** 2) @ second).T
    return lambda x: pt.tanh(x @ weights[0]) @ weights[1], pt.asarray(x, device=device), expected


def jacobian(device: str) -> Call:
    """A Jacobian of 1,000 outputs."""
    f, x, expected = _network(device)
    check(pt.jacobian(f)(x), expected)
    return lambda: pt.jacobian(f)(x)


def hessian_times_vector(device: str) -> Call:
    """The product of a Hessian and a vector, by a forward pass through a backward one."""
    f, x, expected = _network(device)

    def loss(x: Any) -> Any:
        return pt.sum(f(x) ** 2)

    def call() -> Any:
        return pt.hvp(loss, (x,), (x,))

    slope = pt.gradients_function(loss)
    step = 1e-2
    ahead, behind = (slope(x * (1.0 + sign * step))[0].numpy().astype("f8") for sign in (1, -1))
    found = next(y for y in _leaves(call()) if y.shape == x.shape)
    np.testing.assert_allclose(found.numpy(), (ahead - behind) / (2 * step), rtol=0.02, atol=0.02 * np.abs(ahead).max())
    assert expected.shape == (OUTPUTS, 64)
    return call


def per_example(device: str) -> Call:
    """The gradients of 256 examples, each by itself, in one batched pass."""
    f, _, _ = _network(device)
    examples = pt.asarray(np.random.default_rng(1).normal(size=(256, 64)).astype("f4"), device=device)
    one = pt.gradients_function(lambda x: pt.sum(f(x) ** 2))
    batched = pt.vmap(lambda x: one(x)[0])
    check(batched(examples)[7], one(examples[7])[0].numpy(), rtol=1e-2)
    return lambda: batched(examples)


def _leaves(value: Any) -> list[Any]:
    return [leaf for part in value for leaf in _leaves(part)] if isinstance(value, (tuple, list)) else [value]


# --- backward passes -----------------------------------------------------------------------------------------------


def backward(op: Callable[[Any], Any], *shape: int) -> Callable[[str], Call]:
    """The gradient of the sum of an op's squared results, its forward pass included."""

    def loss(x: Any) -> Any:
        return pt.sum(pt.square(op(x)))

    def make(device: str) -> Call:
        host = numbers(*shape)
        x = pt.asarray(host, device=device)

        def call() -> Any:
            with pt.GradientTape() as tape:
                tape.watch(x)
                y = loss(x)
            return tape.gradient(y, x)

        check_slope(loss, host, call())
        return call

    return make


def _cross_entropy(x: Any) -> Any:
    labels = pt.asarray(np.arange(100, dtype="i4"), device=x.device)
    return pt.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=x)


def _convolution(x: Any) -> Any:
    return pt.nn.conv2d(x, pt.astype(pt.asarray(numbers(3, 3, 4, 4), device=x.device), x.dtype))


BACKWARD: Final[dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]]] = {
    "exp": (lambda x: pt.exp(x), (10_000,)),
    "divide": (lambda x: x / (x + 1.0), (10_000,)),
    "gelu": (lambda x: pt.nn.gelu(x), (10_000,)),
    "sum_of_rows": (lambda x: pt.sum(x, axis=-1), (100, 100)),
    "max_of_rows": (lambda x: pt.max(x, axis=-1), (100, 100)),
    "matmul": (lambda x: x @ x, (100, 100)),
    "conv2d": (_convolution, (8, 12, 12, 4)),
    "max_pool": (lambda x: pt.nn.max_pool(x, 2), (8, 12, 12, 4)),
    "softmax": (lambda x: pt.nn.softmax(x), (100, 100)),
    "layer_norm": (lambda x: pt.nn.layer_norm(x) * x, (100, 100)),
    "cross_entropy": (_cross_entropy, (100, 100)),
    "getitem": (lambda x: x[10:90:2, ::-1], (100, 100)),
    "take": (lambda x: pt.take(x, pt.asarray(np.arange(0, 100, 3), device=x.device), axis=0), (100, 100)),
    "concat": (lambda x: pt.concat([x, x]), (100, 100)),
    "sort": (lambda x: pt.sort(x), (100, 100)),
    "cumulative_sum": (lambda x: pt.cumulative_sum(x, axis=-1), (100, 100)),
    "inv": (lambda x: pt.linalg.inv(x @ pt.matrix_transpose(x) + 4.0), (30, 30)),
}

CASES: Final = (
    Case("tape/gradient", gradient, panel=True),
    Case("tape/second_derivative", second, panel=True),
    Case("tape/chain_of_200", chain),
    Case("tape/jacobian_of_1000_outputs", jacobian),
    Case("tape/hessian_times_vector", hessian_times_vector),
    Case("tape/gradients_of_256_examples", per_example),
    *(
        Case(f"backward/{name}", backward(op, *shape), panel=name == "layer_norm")
        for name, (op, shape) in BACKWARD.items()
    ),
)
