"""Cross entropies, accurate for large logits; half precision is computed in float32 and rounded once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

from .activations import softmax_kernel

__all__ = ["kernels"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the losses on the arrays of ``xp``."""
    return [
        Kernel("sparse_softmax_cross_entropy_with_logits", _cross_entropy(xp), fresh=True),
        Kernel("softmax_cross_entropy_gradient", _cross_entropy_gradient(xp), fresh=True),
    ]


def _refuse_labels(labels: Array, logits: Array) -> None:
    if labels.shape != logits.shape[:-1] or not logits.shape:
        raise ValueError(f"labels of shape {labels.shape} do not fit logits of shape {logits.shape}")


def _cross_entropy(xp: Any) -> Callable[..., Array]:
    exp, log, reduce, arange = xp.exp, xp.log, xp.add.reduce, xp.arange
    waits = xp.__name__ != "numpy"  # where a look at the labels would wait for a device

    def sparse_softmax_cross_entropy_with_logits(labels: Array, logits: Array) -> Array:
        _refuse_labels(labels, logits)
        if logits.dtype.itemsize == 2:
            wide = logits.astype("float32")
            return sparse_softmax_cross_entropy_with_logits(labels, wide).astype(logits.dtype)
        if not waits and labels.size and labels.min() < 0:
            raise IndexError(f"label {labels.min()} is no class")  # as an index it would count from the end
        shifted = logits - logits.max(-1, None, True)
        rows = shifted.reshape((labels.size, logits.shape[-1]))
        picked = rows[arange(labels.size), labels.reshape(-1)].reshape(labels.shape)
        return log(reduce(exp(shifted), -1)) - picked

    return sparse_softmax_cross_entropy_with_logits


def _cross_entropy_gradient(xp: Any) -> Callable[..., Array]:
    softmax, arange = softmax_kernel(xp), xp.arange

    def softmax_cross_entropy_gradient(g: Array, labels: Array, logits: Array) -> Array:
        _refuse_labels(labels, logits)
        _refuse_labels(g, logits)
        if logits.dtype.itemsize == 2:
            wide = logits.astype("float32")
            return softmax_cross_entropy_gradient(g.astype("float32"), labels, wide).astype(logits.dtype)
        y = softmax(logits)
        rows = y.reshape((labels.size, logits.shape[-1]))
        rows[arange(labels.size), labels.reshape(-1)] -= 1
        rows *= g.reshape((labels.size, 1))
        return rows.reshape(logits.shape)

    return softmax_cross_entropy_gradient
