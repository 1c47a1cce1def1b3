"""Optimizers: one pass over memory each. The arrays are floating[n]; the variable and its slots are overwritten.

The formulas are those of the ops' bodies, in the same order of operations: where a kernel of NumPy or a body updates a
variable, since it is small, it gets the same bits as in a loop.
"""

from __future__ import annotations

import math
from typing import Any, Final

from ..cache import compiled

__all__ = [
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "amsgrad",
    "centered_rmsprop",
    "ftrl",
    "lion",
    "momentum",
    "nadam",
    "proximal_adagrad",
    "proximal_sgd",
    "rmsprop",
    "sgd",
]

Array = Any
# Not EXACT, with which a product and a sum may be rounded once. The loops wait for memory, not for arithmetic.
SEPARATE: Final[Any] = {"error_model": "numpy", "nogil": True}


@compiled(SEPARATE)
def sgd(x: Array, g: Array, rate: float) -> None:
    """Gradient descent."""
    a = x.dtype.type(rate)
    for i in range(x.size):
        x[i] = x[i] - a * g[i]


@compiled(SEPARATE)
def momentum(x: Array, velocity: Array, g: Array, rate: float, keep: float, decay: float, nesterov: bool) -> None:
    """Gradient descent with momentum and weight decay."""
    real = x.dtype.type
    a, k, d = real(rate), real(keep), real(decay)
    for i in range(x.size):
        total = g[i] if decay == 0.0 else g[i] + x[i] * d
        moved = velocity[i] * k + total
        velocity[i] = moved
        x[i] = x[i] - (moved * k + total if nesterov else moved) * a


@compiled(SEPARATE)
def adam(
    x: Array,
    m: Array,
    v: Array,
    g: Array,
    keep1: float,
    take1: float,
    keep2: float,
    take2: float,
    epsilon_hat: float,
    rate: float,
    kept: float,
) -> None:
    """Adam; its scalars are those of the NumPy kernel.

    ``m = keep1 * m + take1 * g``, ``v = keep2 * v + (take2 * g)**2``,
    ``x = kept * x - rate * m / (sqrt(v) + epsilon_hat)``.
    """
    real = x.dtype.type
    k1, t1, k2, t2 = real(keep1), real(take1), real(keep2), real(take2)
    e, a, k = real(epsilon_hat), real(rate), real(kept)
    for i in range(x.size):
        scaled = g[i] * t2
        moment = m[i] * k1 + g[i] * t1
        second = v[i] * k2 + scaled * scaled
        m[i] = moment
        v[i] = second
        x[i] = x[i] * k - moment / (math.sqrt(second) + e) * a


@compiled(SEPARATE)
def amsgrad(x: Array, m: Array, v: Array, v_max: Array, g: Array, s: Array) -> None:
    """Adam with the largest second moment.

    ``s``: rate, beta1, 1 - beta1, beta2, 1 - beta2, epsilon, decay, corrections of the first and the second moment.
    """
    a, k1, t1, k2, t2, e, d, first, second = s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8]
    for i in range(x.size):
        moment = m[i] * k1 + g[i] * t1
        square = v[i] * k2 + g[i] * g[i] * t2
        largest = v_max[i]
        largest = largest if largest > square or largest != largest else square
        m[i] = moment
        v[i] = square
        v_max[i] = largest
        x[i] = (x[i] - a * d * x[i]) - a * (moment / first) / (math.sqrt(largest / second) + e)


@compiled(SEPARATE)
def adamax(x: Array, m: Array, u: Array, g: Array, s: Array) -> None:
    """Adamax; ``s``: rate, beta1, 1 - beta1, beta2, epsilon, correction."""
    a, k1, t1, k2, e, first = s[0], s[1], s[2], s[3], s[4], s[5]
    for i in range(x.size):
        moment = m[i] * k1 + g[i] * t1
        size, before = abs(g[i]) + e, u[i] * k2
        size = before if before > size or before != before else size
        m[i] = moment
        u[i] = size
        x[i] = x[i] - a * (moment / first) / size


@compiled(SEPARATE)
def nadam(x: Array, m: Array, v: Array, g: Array, s: Array) -> None:
    """Nadam; ``s``: rate, beta1, 1 - beta1, beta2, 1 - beta2, epsilon, correction, weights of gradient and moment."""
    a, k1, t1, k2, t2, e, second, new, old = s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8]
    for i in range(x.size):
        moment = m[i] * k1 + g[i] * t1
        square = v[i] * k2 + g[i] * g[i] * t2
        m[i] = moment
        v[i] = square
        x[i] = x[i] - a * (new * g[i] + old * moment) / (math.sqrt(square / second) + e)


@compiled(SEPARATE)
def adagrad(x: Array, accumulator: Array, g: Array, s: Array) -> None:
    """Adagrad; ``s``: rate, epsilon."""
    a, e = s[0], s[1]
    for i in range(x.size):
        total = accumulator[i] + g[i] * g[i]
        accumulator[i] = total
        x[i] = x[i] - a * g[i] / (math.sqrt(total) + e)


@compiled(SEPARATE)
def rmsprop(x: Array, mean_square: Array, velocity: Array, g: Array, s: Array) -> None:
    """RMSProp; ``s``: rate, rho, 1 - rho, momentum, epsilon."""
    a, k, t, w, e = s[0], s[1], s[2], s[3], s[4]
    for i in range(x.size):
        square = k * mean_square[i] + t * (g[i] * g[i])
        moved = w * velocity[i] + g[i] / (math.sqrt(square) + e)
        mean_square[i] = square
        velocity[i] = moved
        x[i] = x[i] - a * moved


@compiled(SEPARATE)
def centered_rmsprop(x: Array, mean_square: Array, mean: Array, velocity: Array, g: Array, s: Array) -> None:
    """Centered RMSProp; ``s`` as for `rmsprop`."""
    a, k, t, w, e = s[0], s[1], s[2], s[3], s[4]
    zero = x.dtype.type(0.0)
    for i in range(x.size):
        square = k * mean_square[i] + t * (g[i] * g[i])
        middle = k * mean[i] + t * g[i]
        variance = square - middle * middle
        variance = variance if variance > zero or variance != variance else zero
        moved = w * velocity[i] + g[i] / (math.sqrt(variance) + e)
        mean_square[i] = square
        mean[i] = middle
        velocity[i] = moved
        x[i] = x[i] - a * moved


@compiled(SEPARATE)
def adadelta(x: Array, mean_square: Array, mean_square_step: Array, g: Array, s: Array) -> None:
    """Adadelta; ``s``: rate, rho, 1 - rho, epsilon."""
    a, k, t, e = s[0], s[1], s[2], s[3]
    for i in range(x.size):
        square = k * mean_square[i] + t * (g[i] * g[i])
        step = math.sqrt(mean_square_step[i] + e) / math.sqrt(square + e) * g[i]
        mean_square[i] = square
        mean_square_step[i] = k * mean_square_step[i] + t * (step * step)
        x[i] = x[i] - a * step


@compiled(SEPARATE)
def shrunk(y: Any, rate: Any, l1: Any, l2: Any) -> Any:
    """The proximal operator of ``rate * (l1 * abs(y) + l2 / 2 * y**2)``; NaN stays NaN."""
    zero, one = type(l1)(0.0), type(l1)(1.0)
    size = abs(y) - rate * l1
    size = size if size > zero or size != size else zero
    return (size if y > zero else -size if y < zero else zero * size) / (one + rate * l2)


@compiled(SEPARATE)
def proximal_sgd(x: Array, g: Array, s: Array) -> None:
    """Gradient descent, then the proximal operator; ``s``: rate, l1, l2."""
    a, l1, l2 = s[0], s[1], s[2]
    for i in range(x.size):
        x[i] = shrunk(x[i] - a * g[i], a, l1, l2)


@compiled(SEPARATE)
def proximal_adagrad(x: Array, accumulator: Array, g: Array, s: Array) -> None:
    """Adagrad, then the proximal operator; ``s``: rate, l1, l2."""
    rate, l1, l2 = s[0], s[1], s[2]
    for i in range(x.size):
        total = accumulator[i] + g[i] * g[i]
        accumulator[i] = total
        a = rate / math.sqrt(total)
        x[i] = shrunk(x[i] - a * g[i], a, l1, l2)


@compiled(SEPARATE)
def lion(x: Array, m: Array, g: Array, s: Array) -> None:
    """Lion; ``s``: rate, beta1, 1 - beta1, beta2, 1 - beta2, decay."""
    a, k1, t1, k2, t2, d = s[0], s[1], s[2], s[3], s[4], s[5]
    zero, one = x.dtype.type(0.0), x.dtype.type(1.0)
    for i in range(x.size):
        y = m[i] * k1 + g[i] * t1
        direction = one if y > zero else -one if y < zero else zero * y  # NaN stays NaN
        m[i] = m[i] * k2 + g[i] * t2
        x[i] = x[i] - a * (direction + d * x[i])


@compiled(SEPARATE)
def square_root(x: Any) -> Any:
    """``x ** 0.5``, which is 0 for -0 and infinite for -inf."""
    real = type(x)
    return real(math.inf) if x == -math.inf else math.sqrt(x) + real(0.0)


@compiled(SEPARATE)
def ftrl(x: Array, accumulator: Array, linear: Array, g: Array, s: Array) -> None:
    """FTRL-proximal with the learning rate power -0.5; ``s``: rate, l1, l2."""
    a, l1, l2 = s[0], s[1], s[2]
    zero, one, two = x.dtype.type(0.0), x.dtype.type(1.0), x.dtype.type(2.0)
    for i in range(x.size):
        before = accumulator[i]
        after = before + g[i] * g[i]
        root = square_root(after)
        z = (linear[i] + g[i]) - (root - square_root(before)) / a * x[i]
        sign = one if z > zero else -one if z < zero else zero
        accumulator[i] = after
        linear[i] = z
        x[i] = (sign * l1 - z) / (root / a + two * l2) if abs(z) > l1 else zero
