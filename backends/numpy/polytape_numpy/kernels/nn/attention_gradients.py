"""The gradients of attention; half precision is computed in float32 and rounded once."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np

from polytape.backend import Kernel

from ..quiet import error_state
from ..summing import add_reduce
from .attention import weights_of

__all__ = ["kernels"]

Array = Any
Three = tuple[Array, Array, Array]


def kernels(xp: Any) -> list[Kernel]:
    """The kernel ``attention_gradient`` on the arrays of ``xp``."""
    compute, state = _attention_gradient(xp), error_state(xp)

    def attention_gradient(
        incoming: Array,
        query: Array,
        key: Array,
        value: Array,
        mask: Array | None = None,
        *,
        is_causal: bool = False,
        scale: float | None = None,
    ) -> Three:
        if min(query.ndim, key.ndim, value.ndim) < 2:
            raise ValueError("query, key and value need at least two axes")
        if state(None) is None:
            return compute(incoming, query, key, value, mask, is_causal, scale)
        with xp.errstate(under="ignore"):
            return compute(incoming, query, key, value, mask, is_causal, scale)

    return [Kernel("attention_gradient", attention_gradient, fresh=True)]


def _attention_gradient(xp: Any) -> Callable[..., Three]:
    matmul, reduce, weights_for = xp.matmul, add_reduce(xp), weights_of(xp)

    def summed(x: Array, shape: tuple[int, ...], dtype: Any) -> Array:
        """The sum over the axes along which an operand of this shape was broadcast."""
        if x.shape != shape:
            lead = x.ndim - len(shape)
            repeated = [k for k in range(lead, x.ndim) if shape[k - lead] != x.shape[k]]
            x = reduce(x, (*range(lead), *repeated)).reshape(shape)
        return x.astype(dtype, copy=False)

    def compute(
        g: Array, query: Array, key: Array, value: Array, mask: Array | None, is_causal: bool, scale: float | None
    ) -> Three:
        dtype = query.dtype
        if dtype.itemsize == 2:
            g, q, k, v = [x.astype("float32") for x in (g, query, key, value)]
        else:
            q, k, v = query, key, value
        if g.shape[-2:] != (q.shape[-2], v.shape[-1]):
            raise ValueError(f"a gradient of shape {g.shape} does not fit")
        if k.shape[-2] == 0:
            empty = matmul(matmul(q, k.swapaxes(-1, -2)), v)
            if g.shape != empty.shape:
                raise ValueError(f"a gradient of shape {g.shape} does not fit the result of shape {empty.shape}")
            return xp.zeros(q.shape, dtype), xp.zeros(k.shape, dtype), xp.zeros(v.shape, dtype)
        factor = 1.0 / sqrt(q.shape[-1] or 1) if scale is None else scale
        weights = weights_for(q, k, mask, is_causal, factor)
        back = matmul(g, v.swapaxes(-1, -2))
        lead = np.broadcast_shapes(weights.shape[:-2], v.shape[:-2])
        if back.shape != (*lead, *weights.shape[-2:]) or g.shape[:-2] != lead:
            raise ValueError(f"a gradient of shape {g.shape} does not fit the weights of shape {weights.shape}")
        dv = matmul(weights.swapaxes(-1, -2), g)
        products = back * weights
        back -= reduce(products, -1, None, None, True)
        back *= weights
        back *= factor
        dq, dk = matmul(back, k), matmul(back.swapaxes(-1, -2), q)
        return summed(dq, q.shape, dtype), summed(dk, k.shape, dtype), summed(dv, v.shape, dtype)

    return compute
