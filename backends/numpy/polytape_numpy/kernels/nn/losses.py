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


def _check_rows(rows: Array, logits: Array) -> None:
    if rows.shape != logits.shape[:-1] or not logits.shape:
        raise ValueError(f"rows of shape {rows.shape} do not match logits of shape {logits.shape}")


def _cross_entropy(xp: Any) -> Callable[..., Array]:
    exp, log, reduce, arange = xp.exp, xp.log, xp.add.reduce, xp.arange
    on_host = xp.__name__ == "numpy"  # on a device, reading the labels would wait for it

    def sparse_softmax_cross_entropy_with_logits(labels: Array, logits: Array) -> Array:
        _check_rows(labels, logits)
        if logits.dtype.itemsize == 2:
            wide = logits.astype("float32")
            return sparse_softmax_cross_entropy_with_logits(labels, wide).astype(logits.dtype)
        if on_host and labels.size and labels.min() < 0:
            raise IndexError(f"label {labels.min()} is not a class")  # a negative index would count from the end
        shifted = logits - logits.max(-1, None, True)
        rows = shifted.reshape((labels.size, logits.shape[-1]))
        selected = rows[arange(labels.size), labels.reshape(-1)].reshape(labels.shape)
        return log(reduce(exp(shifted), -1)) - selected

    return sparse_softmax_cross_entropy_with_logits


def _cross_entropy_gradient(xp: Any) -> Callable[..., Array]:
    softmax, arange = softmax_kernel(xp), xp.arange

    def softmax_cross_entropy_gradient(incoming: Array, labels: Array, logits: Array) -> Array:
        _check_rows(labels, logits)
        _check_rows(incoming, logits)
        if logits.dtype.itemsize == 2:
            wide = logits.astype("float32")
            return softmax_cross_entropy_gradient(incoming.astype("float32"), labels, wide).astype(logits.dtype)
        y = softmax(logits)
        rows = y.reshape((labels.size, logits.shape[-1]))
        rows[arange(labels.size), labels.reshape(-1)] -= 1
        rows *= incoming.reshape((labels.size, 1))
        return rows.reshape(logits.shape)

    return softmax_cross_entropy_gradient
