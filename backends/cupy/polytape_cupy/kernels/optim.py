"""Adam as one CUDA kernel, which makes one pass over memory and never synchronizes with the host."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, log
from typing import Any, Final

from polytape.backend import Kernel

__all__ = ["ADAM", "kernels"]

Array = Any

# The arguments of cupy.ElementwiseKernel. T is the type of the variable, S that of the step. The learning rate and the
# step are arrays of rank 0 that stay on the device. 1 - beta**step is computed by expm1, since the difference would
# lose digits in the first steps.
ADAM: Final = {
    "in_params": "T g, T learning_rate, S step, T keep1, T take1, T keep2, T take2, T log1, T log2, T epsilon",
    "out_params": "T x, T m, T v",
    "operation": """
        const T first = -expm1(log1 * (T)step);
        const T root = sqrt(-expm1(log2 * (T)step));
        m = keep1 * m + take1 * g;
        v = keep2 * v + take2 * g * g;
        x -= learning_rate * root / first * m / (sqrt(v) + epsilon * root);
    """,
    "name": "polytape_adam_update",
}


def kernels(xp: Any) -> list[Kernel]:
    """The optimizer kernels on the arrays of ``xp``; the shared kernel, which computes in float32, serves float16."""
    return [Kernel("adam_update", _adam_update(xp), dtypes=("float32", "float64"), writes=("x", "m", "v"))]


def _log(beta: float) -> float:
    return log(beta) if beta > 0.0 else -inf


def _adam_update(xp: Any) -> Callable[..., tuple[Array, Array, Array]]:
    adam = xp.ElementwiseKernel(**ADAM)  # compiled at its first launch for each dtype

    def adam_update(
        x: Array,
        m: Array,
        v: Array,
        g: Array,
        learning_rate: Array,
        step: Array,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-7,
    ) -> tuple[Array, Array, Array]:
        # The kernel would silently broadcast a smaller gradient.
        if learning_rate.ndim or step.ndim or not x.shape == m.shape == v.shape == g.shape:
            raise ValueError(
                "the variable, its slots and its gradient differ in shape, or the learning rate or the step has an axis"
            )
        decay_rates = beta1, 1.0 - beta1, beta2, 1.0 - beta2, _log(beta1), _log(beta2)
        adam(g, learning_rate, step, *decay_rates, epsilon, x, m, v)
        return x, m, v

    return adam_update
