"""Adam as one CUDA kernel, which makes one pass over memory and never synchronizes with the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel

__all__ = ["ADAM", "kernels"]

Array = Any

# The arguments of cupy.ElementwiseKernel. T is the type of the variable, S that of the step, H that of the
# hyperparameters. The scalars are arrays of rank 0 that stay on the device. 1 - beta**step is computed by expm1, since
# the difference would lose digits in the first steps.
ADAM: Final = {
    "in_params": "T g, T learning_rate, S step, H beta1, H beta2, H epsilon, H weight_decay",
    "out_params": "T x, T m, T v",
    "operation": """
        const H log1 = log(beta1);
        const H log2 = log(beta2);
        const T first = -expm1(log1 * step);
        const T root = sqrt(-expm1(log2 * step));
        const T take1 = (H)1 - beta1;
        const T take2 = (H)1 - beta2;
        m = (T)beta1 * m + take1 * g;
        v = (T)beta2 * v + take2 * g * g;
        x = x - learning_rate * (T)weight_decay * x - learning_rate * root / first * m / (sqrt(v) + (T)epsilon * root);
    """,
    "name": "polytape_adam_update",
}


def kernels(xp: Any) -> list[Kernel]:
    """The optimizer kernels on the arrays of ``xp``; the shared kernel, which computes in float32, serves float16."""
    return [Kernel("adam_update", _adam_update(xp), dtypes=("float32", "float64"), writes=("x", "m", "v"))]


def _adam_update(xp: Any) -> Callable[..., tuple[Array, Array, Array]]:
    adam = xp.ElementwiseKernel(**ADAM)  # compiled at its first launch for each dtype

    def adam_update(
        x: Array,
        m: Array,
        v: Array,
        g: Array,
        learning_rate: Array,
        step: Array,
        hyperparameters: Array,
    ) -> tuple[Array, Array, Array]:
        # The kernel would silently broadcast a smaller gradient.
        if learning_rate.ndim or step.ndim or not x.shape == m.shape == v.shape == g.shape:
            raise ValueError(
                "the variable, its slots and its gradient differ in shape, or the learning rate or the step has an axis"
            )
        if hyperparameters.shape != (4,):
            raise ValueError(f"Adam has four hyperparameters, not an array of shape {hyperparameters.shape}")
        if hyperparameters.dtype.itemsize < x.dtype.itemsize:
            hyperparameters = hyperparameters.astype(x.dtype)  # their logarithms are taken in their own precision
        adam(g, learning_rate, step, *[hyperparameters[k] for k in range(4)], x, m, v)
        return x, m, v

    return adam_update
