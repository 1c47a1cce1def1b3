"""Adam as one CUDA kernel: one pass over memory, and no number that the host waits for."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, log
from typing import Any, Final

from polytape.backend import Kernel

__all__ = ["ADAM", "kernels"]

Array = Any

# The arguments of cupy.ElementwiseKernel. T is the variable's type, S the step's. The learning rate and the step are
# arrays of rank 0 that stay on the device. 1 - beta**step by expm1: near step 1 the difference would lose its digits.
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
    """The optimizer kernels on the arrays of ``xp``; half precision keeps the shared one, which works in float32."""
    return [Kernel("adam_update", _adam_update(xp), dtypes=("float32", "float64"), writes=("x", "m", "v"))]


def _log(beta: float) -> float:
    return log(beta) if beta > 0.0 else -inf


def _adam_update(xp: Any) -> Callable[..., tuple[Array, Array, Array]]:
    adam = xp.ElementwiseKernel(**ADAM)  # compiled at its first launch, once per dtype

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
        # The kernel would broadcast a smaller gradient in silence.
        if learning_rate.ndim or step.ndim or not x.shape == m.shape == v.shape == g.shape:
            raise ValueError("operands that are no variable, its slots, its gradient, one learning rate and one step")
        decay = beta1, 1.0 - beta1, beta2, 1.0 - beta2, _log(beta1), _log(beta2)
        adam(g, learning_rate, step, *decay, epsilon, x, m, v)
        return x, m, v

    return adam_update
