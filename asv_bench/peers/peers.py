"""The workloads of the rows in the other libraries: torch, jax and autograd, each only if its package is installed.

Each ``*_rows`` function returns {row: {column: call}}; the inputs are those of `polytape_perf.cases.workloads`.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from interleave import Call, Statement

from polytape_perf.cases.workloads import ADAM_RATE, BETA1, BETA2, EPSILON, RATE, linreg_data, mlp_data

__all__ = ["PEERS", "installed"]

Rows = dict[str, dict[str, Call]]


def installed(name: str) -> bool:
    """Whether the package ``name`` is installed."""
    return importlib.util.find_spec(name) is not None


def torch_rows() -> Rows:
    """The rows in torch: eager, one thread."""
    import torch

    torch.set_num_threads(1)
    a = torch.ones(10)
    w = torch.tensor([[1.0]], requires_grad=True)
    x = torch.tensor(2.0, requires_grad=True)
    grad = torch.autograd.grad

    def second() -> Any:
        (first,) = grad(x * x * x, [x], create_graph=True)
        return grad(first, [x])

    return {
        "add10": {"torch": Statement("add(a, a)", add=torch.add, a=a)},
        "scalar": {"torch": Statement("a + 2.0", a=a)},
        "gradient": {"torch": lambda: grad((w * w).sum(), [w])},
        "second": {"torch": second},
        "linreg": {"torch": torch_linreg(torch)},
        "mlp": {"torch": torch_mlp(torch, False), "torch fused": torch_mlp(torch, True)},
    }


def torch_linreg(torch: Any) -> Callable[[], Any]:
    """One step of linear regression."""
    x, y = (torch.tensor(array) for array in linreg_data())
    w, b = torch.tensor(5.0, requires_grad=True), torch.tensor(10.0, requires_grad=True)

    def step() -> Any:
        loss = torch.mean(torch.square(x * w + b - y))
        dw, db = torch.autograd.grad(loss, [w, b])
        with torch.no_grad():
            w.sub_(dw * RATE)
            b.sub_(db * RATE)
        return loss

    return step


def torch_mlp(torch: Any, fused: bool) -> Callable[[], Any]:
    """One step of the MLP with torch's default or fused Adam."""
    data, target, parameters = mlp_data()
    images, labels = torch.tensor(data), torch.tensor(target.astype("i8"))
    w1, b1, w2, b2 = leaves = [torch.tensor(array, requires_grad=True) for array in parameters]
    betas = (BETA1, BETA2)
    optimizer = torch.optim.Adam(leaves, lr=ADAM_RATE, betas=betas, eps=EPSILON, fused=True if fused else None)
    loss_of = torch.nn.functional.cross_entropy

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_of(torch.relu(images @ w1 + b1) @ w2 + b2, labels)
        loss.backward()
        optimizer.step()
        return loss

    return step


def jax_rows() -> Rows:
    """The rows in jax: jax.jit, one thread; each call waits for its result."""
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
    jax: Any = importlib.import_module("jax")
    jnp: Any = importlib.import_module("jax.numpy")
    wait = jax.block_until_ready
    a, w, x = jnp.ones(10), jnp.array([[1.0]]), jnp.float32(2.0)
    add, shift = jax.jit(jnp.add), jax.jit(lambda a: a + 2.0)
    gradient = jax.jit(jax.grad(lambda w: (w * w).sum()))
    second = jax.jit(jax.grad(jax.grad(lambda x: x * x * x)))
    return {
        "add10": {"jax.jit": Statement("wait(add(a, a))", wait=wait, add=add, a=a)},
        "scalar": {"jax.jit": Statement("wait(shift(a))", wait=wait, shift=shift, a=a)},
        "gradient": {"jax.jit": lambda: wait(gradient(w))},
        "second": {"jax.jit": lambda: wait(second(x))},
        "linreg": {"jax.jit": jax_linreg(jax, jnp)},
        "mlp": {"jax.jit": jax_mlp(jax, jnp)},
    }


def jax_linreg(jax: Any, jnp: Any) -> Callable[[], Any]:
    """One step of linear regression, compiled as a whole."""
    x, y = (jnp.asarray(array) for array in linreg_data())
    state = [jnp.array(5.0), jnp.array(10.0)]

    def loss_of(p: Any, x: Any, y: Any) -> Any:
        return jnp.mean(jnp.square(x * p[0] + p[1] - y))

    compiled = jax.jit(lambda p, x, y: [q - RATE * g for q, g in zip(p, jax.grad(loss_of)(p, x, y), strict=True)])

    def step() -> None:
        state[:] = jax.block_until_ready(compiled(state, x, y))

    return step


def jax_mlp(jax: Any, jnp: Any) -> Callable[[], Any]:
    """One step of the MLP with Adam written out, compiled as a whole."""
    data, target, parameters = mlp_data()
    images, labels = jnp.asarray(data), jnp.asarray(target)
    p = [jnp.asarray(array) for array in parameters]
    state: list[Any] = [p, [jnp.zeros_like(q) for q in p], [jnp.zeros_like(q) for q in p], jnp.array(1.0)]

    def loss_of(p: Any, x: Any, y: Any) -> Any:
        logits = jax.nn.relu(x @ p[0] + p[1]) @ p[2] + p[3]
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1))

    def update(p: Any, m: Any, v: Any, t: Any, x: Any, y: Any) -> Any:
        g = jax.grad(loss_of)(p, x, y)
        m = [BETA1 * a + (1 - BETA1) * b for a, b in zip(m, g, strict=True)]
        v = [BETA2 * a + (1 - BETA2) * b * b for a, b in zip(v, g, strict=True)]
        c1, c2 = 1 - BETA1**t, 1 - BETA2**t
        rows = zip(p, m, v, strict=True)
        return [q - ADAM_RATE * (a / c1) / (jnp.sqrt(b / c2) + EPSILON) for q, a, b in rows], m, v, t + 1

    compiled = jax.jit(update)

    def step() -> None:
        state[:] = jax.block_until_ready(compiled(*state, images, labels))

    return step


def autograd_rows() -> Rows:
    """The rows in autograd; it has no fused optimizer step, so it has no MLP row."""
    anp: Any = importlib.import_module("autograd.numpy")
    grad: Any = importlib.import_module("autograd").grad
    a, w = np.ones(10, "f4"), np.array([[1.0]], "f4")
    x, y = linreg_data()
    state = [np.array([5.0, 10.0], "f4")]
    gradient = grad(lambda w: anp.sum(w * w))
    second = grad(grad(lambda x: x * x * x))
    slope = grad(lambda p: anp.mean(anp.square(x * p[0] + p[1] - y)))

    def step() -> None:
        state[0] = state[0] - RATE * slope(state[0])

    return {
        "add10": {"autograd": Statement("add(a, a)", add=anp.add, a=a)},
        "gradient": {"autograd": lambda: gradient(w)},
        "second": {"autograd": lambda: second(2.0)},
        "linreg": {"autograd": step},
    }


PEERS: dict[str, Callable[[], Rows]] = {"torch": torch_rows, "jax": jax_rows, "autograd": autograd_rows}
