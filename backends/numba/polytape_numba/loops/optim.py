"""Optimizers: one pass over memory."""

from __future__ import annotations

import math
from typing import Any

from ..cache import compiled
from .functions import EXACT

__all__ = ["adam"]

Array = Any


@compiled(EXACT)
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
    """Do one step of Adam in one pass over memory; the arrays are floating[n], and x, m and v are overwritten.

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
