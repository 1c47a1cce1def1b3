"""The training steps and gradients that the cases, the counters and the ratios share; NumPy versions of the steps.

A workload uses only the public API, on one device. It keeps its state, so that a step can be run any number of times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import polytape as pt

__all__ = [
    "AdamStep",
    "Cnn",
    "Linreg",
    "Mlp",
    "NumpyLinreg",
    "NumpyMlp",
    "linreg_data",
    "mlp_data",
    "second_derivative",
    "square_sum_gradient",
]

Array = np.ndarray[Any, Any]

POINTS = 1000
BATCH, INPUTS, HIDDEN, CLASSES = 128, 784, 128, 10
RATE = 0.01
# So small that no weight changes: otherwise, over thousands of timed steps, the loss would reach 0 and the moments
# would become denormal numbers, which some processors multiply a hundred times more slowly.
ADAM_RATE = 1e-12
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-7


def linreg_data() -> tuple[Array, Array]:
    """x and y of 1,000 points on y = 3x + 2, with noise; float32."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=POINTS).astype("f4")
    return x, (3 * x + 2 + rng.normal(size=POINTS)).astype("f4")


def mlp_data() -> tuple[Array, Array, list[Array]]:
    """Images, labels and the four parameters of an MLP 784-128-10; the labels are int32, the rest float32."""
    rng = np.random.default_rng(0)
    images = rng.normal(size=(BATCH, INPUTS)).astype("f4")
    labels = rng.integers(0, CLASSES, BATCH).astype("i4")
    w1 = (rng.normal(size=(INPUTS, HIDDEN)) * 0.05).astype("f4")
    w2 = (rng.normal(size=(HIDDEN, CLASSES)) * 0.05).astype("f4")
    return images, labels, [w1, np.zeros(HIDDEN, "f4"), w2, np.zeros(CLASSES, "f4")]


class Linreg:
    """One step of linear regression on 1,000 points: squared loss, gradients, both parameters updated."""

    def __init__(self, device: str | None = None) -> None:
        x, y = linreg_data()
        self.x = pt.asarray(x, device=device)
        self.y = pt.asarray(y, device=device)
        self.w = pt.Variable(5.0, device=device)
        self.b = pt.Variable(10.0, device=device)

    def step(self) -> pt.Tensor:
        """Run one step; return the loss before it."""
        w, b = self.w, self.b
        with pt.GradientTape() as tape:
            loss = pt.mean(pt.square(self.x * w + b - self.y))
        dw, db = tape.gradient(loss, [w, b])
        w.assign_sub(dw * RATE)
        b.assign_sub(db * RATE)
        return loss

    def state(self) -> list[Array]:
        """The current parameters."""
        return [self.w.numpy(), self.b.numpy()]


class NumpyLinreg:
    """The same step written by hand for NumPy and optimised: in place, with sums computed by dot."""

    def __init__(self) -> None:
        self.x, self.y = linreg_data()
        self.w, self.b = np.array(5.0, "f4"), np.array(10.0, "f4")

    def step(self) -> Any:
        """Run one step; return the loss before it."""
        residual = self.x * self.w
        residual += self.b
        residual -= self.y
        loss = np.dot(residual, residual) / POINTS
        dw = np.dot(residual, self.x) * (2 / POINTS)
        db = np.add.reduce(residual) * (2 / POINTS)
        self.w -= dw * RATE
        self.b -= db * RATE
        return loss

    def state(self) -> list[Array]:
        """The current parameters."""
        return [self.w, self.b]


class Mlp:
    """One step of an MLP 784-128-10 on a batch of 128: relu, cross-entropy, Adam."""

    def __init__(self, device: str | None = None) -> None:
        from polytape.nn import relu, sparse_softmax_cross_entropy_with_logits
        from polytape.optim import Adam

        images, labels, parameters = mlp_data()
        self.images = pt.asarray(images, device=device)
        self.labels = pt.asarray(labels, device=device)
        self.variables = [pt.Variable(value, device=device) for value in parameters]
        self.optimizer = Adam(ADAM_RATE)
        self.relu = relu
        self.cross_entropy = sparse_softmax_cross_entropy_with_logits

    def step(self) -> pt.Tensor:
        """Run one step; return the loss before it."""
        self.apply(self.gradients())
        return self.loss

    def gradients(self) -> list[Any]:
        """Compute the loss, stored in `loss`, and return its gradients."""
        w1, b1, w2, b2 = self.variables
        with pt.GradientTape() as tape:
            logits = pt.matmul(self.relu(pt.matmul(self.images, w1) + b1), w2) + b2
            self.loss = pt.mean(self.cross_entropy(labels=self.labels, logits=logits))
        gradients: list[Any] = tape.gradient(self.loss, self.variables)
        return gradients

    def apply(self, gradients: list[Any]) -> None:
        """Update the four parameters with Adam."""
        self.optimizer.apply_gradients(zip(gradients, self.variables, strict=True))


class AdamStep:
    """One Adam step on a single variable, with a gradient of ones."""

    def __init__(self, device: str | None = None, size: int = 1_000_000, rate: float = ADAM_RATE) -> None:
        from polytape.optim import Adam

        self.rate = rate
        self.variable = pt.Variable(np.ones(size, "f4"), device=device)
        self.gradient = pt.ones((size,), device=device)
        self.optimizer = Adam(rate)

    def step(self) -> pt.Variable:
        """Run one step; return the variable."""
        self.optimizer.apply_gradients([(self.gradient, self.variable)])
        return self.variable


class Cnn:
    """One step of a CNN on 32 images of 12 by 12: convolution of 8 channels, relu, max pooling, cross-entropy, SGD.

    Args:
        rate: of SGD; by default so small that no weight changes.
    """

    def __init__(self, device: str | None = None, rate: float = ADAM_RATE) -> None:
        rng = np.random.default_rng(0)
        self.hosts = [
            rng.normal(size=(32, 12, 12, 1)).astype("f4"),
            (rng.normal(size=(3, 3, 1, 8)) * 0.2).astype("f4"),
            (rng.normal(size=(200, CLASSES)) * 0.05).astype("f4"),
        ]
        self.host_labels = rng.integers(0, CLASSES, 32).astype("i4")
        self.images, self.labels = (pt.asarray(host, device=device) for host in (self.hosts[0], self.host_labels))
        self.variables = [pt.Variable(host, device=device) for host in self.hosts[1:]]
        self.rate = rate

    def loss(self) -> pt.Tensor:
        """The mean cross-entropy."""
        filters, weights = self.variables
        hidden = pt.nn.max_pool(pt.nn.relu(pt.nn.conv2d(self.images, filters)), 2)
        logits = pt.matmul(pt.reshape(hidden, (32, 200)), weights)
        losses = pt.nn.sparse_softmax_cross_entropy_with_logits(labels=self.labels, logits=logits)
        return pt.mean(losses)

    def step(self) -> pt.Tensor:
        """Run one step; return the loss before it."""
        with pt.GradientTape() as tape:
            loss = self.loss()
        for gradient, variable in zip(tape.gradient(loss, self.variables), self.variables, strict=True):
            variable.assign_sub(gradient * self.rate)
        return loss

    def reference(self) -> float:
        """The loss at first, by NumPy in float64."""
        images, filters, weights = (host.astype("f8") for host in self.hosts)
        windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), (1, 2))
        hidden = np.maximum(np.einsum("bhwcij,ijco->bhwo", windows, filters), 0)
        logits = hidden.reshape(32, 5, 2, 5, 2, 8).max((2, 4)).reshape(32, 200) @ weights
        logits -= logits.max(1, keepdims=True)
        chosen = logits[np.arange(32), self.host_labels]
        return float(np.mean(np.log(np.exp(logits).sum(1)) - chosen))


class NumpyMlp:
    """The same step written by hand for NumPy; Adam in place."""

    def __init__(self) -> None:
        self.images, self.labels, self.parameters = mlp_data()
        self.m = [np.zeros_like(p) for p in self.parameters]
        self.v = [np.zeros_like(p) for p in self.parameters]
        self.scratch = [np.empty_like(p) for p in self.parameters]
        self.count = 0

    def gradients(self) -> list[Array]:
        """Compute the loss, stored in `loss`, and return its gradients."""
        w1, b1, w2, b2 = self.parameters
        rows = np.arange(BATCH)
        hidden = self.images @ w1
        hidden += b1
        np.maximum(hidden, 0, out=hidden)
        logits = hidden @ w2
        logits += b2
        logits -= logits.max(1, keepdims=True)
        p = np.exp(logits)
        total = p.sum(1, keepdims=True)
        self.loss = (np.log(total[:, 0]) - logits[rows, self.labels]).mean()
        p /= total
        p[rows, self.labels] -= 1
        p *= np.float32(1 / BATCH)
        back = p @ w2.T
        back *= hidden > 0
        return [self.images.T @ back, back.sum(0), hidden.T @ p, p.sum(0)]

    def step(self) -> Any:
        """Run one step; return the loss before it."""
        gradients = self.gradients()
        self.count += 1
        rate = ADAM_RATE / (1 - BETA1**self.count)
        root = (1 - BETA2**self.count) ** 0.5
        for p, g, m, v, s in zip(self.parameters, gradients, self.m, self.v, self.scratch, strict=True):
            m *= BETA1
            np.multiply(g, 1 - BETA1, out=s)
            m += s
            v *= BETA2
            g *= g
            g *= 1 - BETA2
            v += g
            np.sqrt(v, out=s)
            s *= 1 / root
            s += EPSILON
            np.divide(m, s, out=s)
            s *= rate
            p -= s
        return self.loss


def square_sum_gradient(device: str | None = None) -> Callable[[], pt.Tensor]:
    """A function that computes the gradient of sum(w * w) for a variable of shape (1, 1)."""
    w = pt.Variable([[1.0]], device=device)

    def run() -> pt.Tensor:
        with pt.GradientTape() as tape:
            loss = pt.sum(w * w)
        gradient: pt.Tensor = tape.gradient(loss, [w])[0]
        return gradient

    return run


def second_derivative(device: str | None = None) -> Callable[[], pt.Tensor]:
    """A function that computes the second derivative of x * x * x at 2 with two tapes."""
    x = pt.Variable(2.0, device=device)

    def run() -> pt.Tensor:
        with pt.GradientTape() as outer:
            with pt.GradientTape() as inner:
                y = x * x * x
            first = inner.gradient(y, x)
        second: pt.Tensor = outer.gradient(first, x)
        return second

    return run
