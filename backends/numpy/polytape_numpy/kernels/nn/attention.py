"""Attention; half precision is computed in float32 and rounded once."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from typing import Any

from polytape.backend import Kernel

from ..extremes import extreme_reduce
from ..quiet import error_state
from ..rows import column, is_rows
from .activations import NEAR

__all__ = ["kernels", "weights_of"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the attention family on the arrays of ``xp``."""
    return [Kernel("scaled_dot_product_attention", _attention(xp), fresh=True)]


def _weights(xp: Any) -> Callable[[Array], Array]:
    """The softmax of scores along the last axis, which it overwrites."""
    exp, where, on_host, largest = xp.exp, xp.where, xp.__name__ == "numpy", extreme_reduce(xp, "maximum")

    def weights(scores: Array) -> Array:
        if (
            on_host
            and is_rows(scores, -1)
            and scores.item(scores.argmin()) > -NEAR
            and scores.item(scores.argmax()) < NEAR
        ):
            # No exponential overflows or vanishes. Both functions find NaN.
            rows = scores.reshape(-1, scores.shape[-1])
            exp(rows, out=rows)
            rows /= rows.dot(column(rows.shape[1], rows.dtype.char))
            return scores
        # A row in which no key is seen has no finite score: its exponentials and their sum are 0.
        top = largest(scores, -1, True)
        scores -= where(top == -inf, 0, top).astype(scores.dtype)
        exp(scores, out=scores)
        total = scores.sum(-1, None, None, True)
        scores /= where(total == 0, 1, total).astype(scores.dtype)
        return scores

    return weights


def weights_of(xp: Any) -> Callable[..., Array]:
    """The function that computes the weights of the values for each query."""
    matmul, where, arange, weights = xp.matmul, xp.where, xp.arange, _weights(xp)

    def compute(q: Array, k: Array, mask: Array | None, is_causal: bool, scale: float) -> Array:
        scores = matmul(q * scale, k.swapaxes(-1, -2))
        if is_causal:
            n, m = scores.shape[-2:]
            scores += where(arange(m) <= arange(n).reshape(n, 1), 0, -inf).astype(scores.dtype)
        if mask is not None:
            if mask.dtype.kind == "b":
                mask = where(mask, 0, -inf)
            scores += mask.astype(scores.dtype)  # a mask that would enlarge the scores raises an error
        return weights(scores)

    return compute


def _attention(xp: Any) -> Callable[..., Array]:
    matmul, state, weights_for = xp.matmul, error_state(xp), weights_of(xp)

    def compute(q: Array, k: Array, v: Array, mask: Array | None, is_causal: bool, scale: float) -> Array:
        return matmul(weights_for(q, k, mask, is_causal, scale), v)

    def scaled_dot_product_attention(
        query: Array,
        key: Array,
        value: Array,
        mask: Array | None = None,
        *,
        is_causal: bool = False,
        scale: float | None = None,
    ) -> Array:
        dtype = query.dtype
        if min(query.ndim, key.ndim, value.ndim) < 2:
            raise ValueError("query, key and value need at least two axes")
        q, k, v = [x.astype("float32") if dtype.itemsize == 2 else x for x in (query, key, value)]
        factor = 1.0 / sqrt(q.shape[-1] or 1) if scale is None else scale
        if k.shape[-2] == 0:  # there is no largest score, and the sum over no keys is 0
            y = matmul(matmul(q, k.swapaxes(-1, -2)), v)
        elif state(None) is None:
            y = compute(q, k, v, mask, is_causal, factor)
        else:
            with xp.errstate(under="ignore"):
                y = compute(q, k, v, mask, is_causal, factor)
        return y if y.dtype == dtype else y.astype(dtype)

    return scaled_dot_product_attention
