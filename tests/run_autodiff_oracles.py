"""Compare Jacobians, Hessians, forward mode and vmap with PyTorch's and JAX's: `python tests/run_autodiff_oracles.py`.

It needs torch or jax. With ``--measure`` it measures instead: the time of a Jacobian of 1,000 outputs (one thread, best
of several), and what `recompute` saves.
The exit status is 1 if a number differs by more than 1e-10, relative to the largest of its array.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import itertools
import os
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # after the number of threads

import polytape as pt  # as above

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 3))
X, V = RNG.normal(size=3), RNG.normal(size=3)
M, T = RNG.normal(size=(3, 3)) + 3 * np.eye(3), RNG.normal(size=(3, 3))

# Functions of one tensor; ``xp`` is polytape, torch or jax.numpy, and ``c`` makes a constant of that library.
FUNCTIONS: list[tuple[str, Any, Any, Callable[..., Any]]] = [
    ("network", X, V, lambda x, xp, c: xp.tanh(c(A) @ x) * xp.sum(x * x)),
    ("products", X, V, lambda x, xp, c: xp.prod(x) * xp.stack([x, xp.flip(x, (0,))])),
    ("reductions", M, T, lambda x, xp, c: xp.stack([xp.max(x), xp.mean(x), xp.min(x), xp.sum(xp.exp(x))])),
    ("indexing", M, T, lambda x, xp, c: x[1:, ::2] * x[0, 1] + x[-1, 0]),
    ("matrices", M, T, lambda x, xp, c: x @ c(B) @ x),
    ("inverse", M, T, lambda x, xp, c: xp.linalg.inv(x)),
    ("determinant", M, T, lambda x, xp, c: xp.linalg.det(x) * x[0]),
    ("solution", M, T, lambda x, xp, c: xp.linalg.solve(x, c(B))),
    ("cholesky", M, T, lambda x, xp, c: xp.linalg.cholesky(x @ x.T + c(np.eye(3)))),
    ("where", X, V, lambda x, xp, c: xp.where(x > 0, x**3, xp.sin(x) * x)),
    ("broadcast", X, V, lambda x, xp, c: xp.reshape(x, (3, 1)) * c(B) + x),
    ("sorted", X, V, lambda x, xp, c: xp.cumsum(x, 0) * xp.reshape(c(B) @ xp.reshape(x, (3, 1)), (3,))),
    ("power", X, V, lambda x, xp, c: xp.exp(x) ** xp.sin(x) / (1.0 + x * x)),
    ("norm", X, V, lambda x, xp, c: x / xp.sqrt(xp.sum(x * x)) * xp.log(xp.sum(xp.exp(x)))),
]


def loops(xp: Any) -> Any:
    """The module with `scan`, `cond` and `fori_loop` beside ``xp``."""
    return pt if isinstance(xp, Namespace) else importlib.import_module("jax.lax")


def recurrence(x: Any, xp: Any, c: Any) -> Any:
    """A scan with a branch, which captures ``x``."""
    lax = loops(xp)

    def step(h: Any, row: Any) -> Any:
        after = lax.cond(xp.sum(h * row) > 0, lambda h: xp.tanh(h * row + x), lambda h: xp.sin(h) - row * x, h)
        return after, xp.sum(after * after) * row

    last, ys = lax.scan(step, x * 0.5, c(A), reverse=True)
    return last * xp.sum(ys, axis=0)


def nested(x: Any, xp: Any, c: Any) -> Any:
    """A scan inside a loop inside a branch."""
    lax = loops(xp)

    def body(i: Any, h: Any) -> Any:
        return lax.scan(lambda h, y: (xp.sin(h * y + x), h), h, x * i)[0]

    return lax.cond(x[0] < 9.0, lambda h: lax.fori_loop(0, 3, body, h), lambda h: h, c(B) @ x)


# The same for JAX alone: PyTorch has no loops of this kind that can be differentiated.
LOOPS: list[tuple[str, Any, Any, Callable[..., Any]]] = [("recurrence", X, V, recurrence), ("nested", X, V, nested)]


class Namespace:
    """polytape with the two names that PyTorch and JAX spell otherwise."""

    cumsum = staticmethod(lambda x, axis: pt.cumulative_sum(x, axis=axis))
    flip = staticmethod(lambda x, axes: pt.flip(x, axis=axes))

    def __getattr__(self, name: str) -> Any:
        return getattr(pt, name)


def polytape_results(f: Any, x: Any, v: Any) -> Iterator[tuple[str, Any]]:
    """Derivatives by polytape; the names that several entries share are computed in several ways."""
    xp, c = Namespace(), pt.asarray
    g = lambda x: f(x, xp, c)  # noqa: E731  # one line
    scalar = lambda x: pt.sum(g(x) ** 2)  # noqa: E731  # one line
    x, v = pt.asarray(x), pt.asarray(v)
    yield "jacobian", pt.jacobian(g)(x)
    yield "jacobian", pt.jacobian(g, mode="forward")(x)
    yield "jacobian", pt.jacobian(pt.function(g), chunk_size=2)(x)
    yield "jacobian", pt.jacobian(pt.recompute(g))(x)
    yield "jvp", pt.jvp(g, (x,), (v,))[1]
    yield "jvp", pt.jvp(pt.function(g), (x,), (v,))[1]
    yield "hessian", pt.hessian(pt.function(scalar))(x)
    yield "hessian", pt.hessian(scalar)(x)
    yield "hessian", pt.hessian(scalar, mode="forward")(x)
    yield "hvp", pt.hvp(scalar, (x,), (v,))[0]
    batch = pt.stack([x, x + 0.1 * v])
    yield "vmap", pt.vmap(g)(batch)
    yield "vmap", pt.function(pt.vmap(g))(batch)
    yield "vmap of gradients", pt.vmap(lambda x: pt.gradients_function(scalar)(x)[0])(batch)
    yield "vmap of jvp", pt.vmap(lambda x: pt.jvp(g, (x,), (v,))[1])(batch)


def torch_results(f: Any, x: Any, v: Any) -> dict[str, Any]:
    """The same derivatives by PyTorch."""
    import torch

    g = lambda x: f(x, torch, torch.tensor)  # noqa: E731  # one line
    scalar = lambda x: torch.sum(g(x) ** 2)  # noqa: E731  # one line
    x, v = torch.tensor(x), torch.tensor(v)
    batch, func = torch.stack([x, x + 0.1 * v]), torch.func
    return {
        "jacobian": func.jacrev(g)(x),
        "jvp": func.jvp(g, (x,), (v,))[1],
        "hessian": func.hessian(scalar)(x),
        "hvp": func.jvp(func.grad(scalar), (x,), (v,))[1],
        "vmap": func.vmap(g)(batch),
        "vmap of gradients": func.vmap(func.grad(scalar))(batch),
        "vmap of jvp": func.vmap(lambda x: func.jvp(g, (x,), (v,))[1])(batch),
    }


def jax_results(f: Any, x: Any, v: Any) -> dict[str, Any]:
    """The same derivatives by JAX."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    g = lambda x: f(x, jnp, jnp.asarray)  # noqa: E731  # one line
    scalar = lambda x: jnp.sum(g(x) ** 2)  # noqa: E731  # one line
    x, v = jnp.asarray(x), jnp.asarray(v)
    batch = jnp.stack([x, x + 0.1 * v])
    return {
        "jacobian": jax.jacrev(g)(x),
        "jvp": jax.jvp(g, (x,), (v,))[1],
        "hessian": jax.hessian(scalar)(x),
        "hvp": jax.jvp(jax.grad(scalar), (x,), (v,))[1],
        "vmap": jax.vmap(g)(batch),
        "vmap of gradients": jax.vmap(jax.grad(scalar))(batch),
        "vmap of jvp": jax.vmap(lambda x: jax.jvp(g, (x,), (v,))[1])(batch),
    }


def compare() -> int:
    """The number of results that differ from a peer's."""
    peers = {"torch": torch_results, "jax": jax_results}
    peers = {name: results for name, results in peers.items() if importlib.util.find_spec(name)}
    if not peers:
        sys.exit("neither torch nor jax is installed")
    compared = wrong = 0
    for name, x, v, f in [*FUNCTIONS, *(LOOPS if "jax" in peers else [])]:
        able = [peer for peer in peers if peer == "jax" or f not in (recurrence, nested)]
        expected = {peer: peers[peer](f, x, v) for peer in able}
        for what, y in polytape_results(f, x, v):
            for peer, theirs in expected.items():
                reference = np.asarray(theirs[what])
                error = float(np.abs(y.numpy() - reference).max()) / max(1.0, float(np.abs(reference).max()))
                compared += 1
                if not (y.shape == reference.shape and error <= 1e-10):
                    wrong += 1
                    print(f"{name}: {what} differs from {peer} by {error:.1e}, shapes {y.shape} and {reference.shape}")
    print(f"{compared} results compared with {' and '.join(peers)}, {wrong} differ")
    return wrong


def best(f: Callable[[], Any], repeats: int) -> float:
    """The shortest processor time of a call, in ms: that of other processes does not count."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        f()
        times.append(time.process_time() - start)
    return 1e3 * min(times)


def measure() -> None:
    """Print the time of a Jacobian of 1,000 outputs: batched, by 1,000 passes, and by the peers."""
    sizes = (100, 256, 256, 1000)
    host = [(RNG.normal(size=pair) / pair[0] ** 0.5).astype("float32") for pair in itertools.pairwise(sizes)]
    start, basis = RNG.normal(size=100).astype("float32"), np.eye(1000, dtype="float32")
    weights, x = [pt.asarray(w) for w in host], pt.asarray(start)

    def network(x: Any, weights: Any, tanh: Any) -> Any:
        return tanh(tanh(x @ weights[0]) @ weights[1]) @ weights[2]

    def passes() -> None:
        with pt.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = network(x, weights, pt.tanh)
        for row in basis:
            tape.gradient(y, x, pt.asarray(row))

    f = lambda x: network(x, weights, pt.tanh)  # noqa: E731  # one line
    calls: dict[str, tuple[Callable[[], Any], int]] = {
        "polytape, jacobian": (lambda: pt.jacobian(f)(x), 10),
        "polytape, jacobian, mode='forward'": (lambda: pt.jacobian(f, mode="forward")(x), 10),
        "polytape, 1,000 passes": (passes, 2),
    }
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        theirs, z = [torch.tensor(w) for w in host], torch.tensor(start)
        g = lambda x: network(x, theirs, torch.tanh)  # noqa: E731  # one line
        calls["torch.func.jacrev"] = (lambda: torch.func.jacrev(g)(z), 10)
        calls["torch.func.jacfwd"] = (lambda: torch.func.jacfwd(g)(z), 10)
    if importlib.util.find_spec("jax"):
        import jax
        import jax.numpy as jnp

        ours, start = [jnp.asarray(w) for w in host], jnp.asarray(start)
        h = lambda x: network(x, ours, jnp.tanh)  # noqa: E731  # one line
        for name, transform in (("jacrev", jax.jacrev), ("jacfwd", jax.jacfwd)):
            eager, compiled = transform(h), jax.jit(transform(h))
            calls[f"jax.{name}"] = (lambda f=eager: f(start).block_until_ready(), 3)
            calls[f"jax.jit(jax.{name})"] = (lambda f=compiled: f(start).block_until_ready(), 10)
    times: dict[str, float] = {}
    for _ in range(3):  # interleaved
        for name, (call, repeats) in calls.items():
            times[name] = min(times.get(name, float("inf")), best(call, repeats))
    for name, value in times.items():
        print(f"{name:<36} {value:9.2f} ms")


def measure_recomputation(depth: int = 36, block: int = 6) -> None:
    """Print the memory peak and the time of a gradient through layers, with and without `recompute`."""
    rng = np.random.default_rng(0)
    weights = [pt.asarray((rng.normal(size=(64, 64)) / 8).astype("float32")) for _ in range(depth)]
    x = pt.asarray(rng.normal(size=(4096, 64)).astype("float32"))

    def layers(x: Any, weights: Any) -> Any:
        for w in weights:
            x = x + pt.tanh(x @ w) * 0.1
        return x

    def blocks(x: Any, layers: Any) -> Any:
        for start in range(0, depth, block):
            x = layers(x, weights[start : start + block])
        return pt.sum(x * x)

    for name, f in (("without", layers), (f"of blocks of {block} layers", pt.recompute(layers))):
        gradient = functools.partial(pt.gradients_function(functools.partial(blocks, layers=f)), x)
        gradient()
        tracemalloc.start()
        gradient()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(f"recompute {name}: peak {peak / 2**20:.1f} MiB, {best(gradient, 5):.1f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true", help="measure instead of comparing")
    if parser.parse_args().measure:
        measure()
        measure_recomputation()
    else:
        sys.exit(1 if compare() else 0)
