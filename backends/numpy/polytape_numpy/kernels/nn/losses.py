"""Cross entropies, accurate for large logits; half precision is computed in float32 and rounded once.

Labels out of range raise an IndexError if they are on the host. On a device, reading them would wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

from ..quiet import error_state
from ..rows import column, is_rows
from ..summing import add_reduce
from .activations import softmax_rows

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


def _check_labels(labels: Array, classes: int) -> None:
    # A negative index would count from the end; one that is too large raises an error by itself, unless there are no
    # classes.
    if labels.size and (labels.min() < 0 or not classes):
        raise IndexError(f"index {labels.min()} is out of bounds for axis 1 with size {classes}")


def _cross_entropy(xp: Any) -> Callable[..., Array]:
    exp, log, reduce, arange, state = xp.exp, xp.log, add_reduce(xp), xp.arange, error_state(xp)
    on_host = xp.__name__ == "numpy"

    def compute(labels: Array, logits: Array) -> Array:
        if logits.dtype.itemsize == 2:
            return compute(labels, logits.astype("float32")).astype(logits.dtype)
        if on_host:
            _check_labels(labels, logits.shape[-1])
        if not logits.size:
            return logits.sum(-1)
        shifted = logits - logits.max(-1, None, True)
        rows = shifted.reshape((labels.size, logits.shape[-1]))
        selected = rows[arange(labels.size), labels.reshape(-1)].reshape(labels.shape)
        return log(sums(exp(shifted))) - selected

    def sums(x: Array) -> Array:
        if on_host and is_rows(x, -1):
            return x.dot(column(x.shape[-1], x.dtype.char))[..., 0]
        return reduce(x, -1)

    def sparse_softmax_cross_entropy_with_logits(labels: Array, logits: Array) -> Array:
        _check_rows(labels, logits)
        if state(None) is None:
            return compute(labels, logits)
        with xp.errstate(under="ignore"):
            return compute(labels, logits)

    return sparse_softmax_cross_entropy_with_logits


def _cross_entropy_gradient(xp: Any) -> Callable[..., Array]:
    softmax, arange, state = softmax_rows(xp), xp.arange, error_state(xp)
    on_host = xp.__name__ == "numpy"

    def compute(incoming: Array, labels: Array, logits: Array) -> Array:
        if logits.dtype.itemsize == 2:
            wide = incoming.astype("float32"), labels, logits.astype("float32")
            return compute(*wide).astype(logits.dtype)
        if on_host:
            _check_labels(labels, logits.shape[-1])
        y = softmax(logits, -1)
        rows = y.reshape((labels.size, logits.shape[-1]))
        rows[arange(labels.size), labels.reshape(-1)] -= 1
        rows *= incoming.reshape((labels.size, 1))
        return rows.reshape(logits.shape)

    def softmax_cross_entropy_gradient(incoming: Array, labels: Array, logits: Array) -> Array:
        _check_rows(labels, logits)
        _check_rows(incoming, logits)
        if state(None) is None:
            return compute(incoming, labels, logits)
        with xp.errstate(under="ignore"):
            return compute(incoming, labels, logits)

    return softmax_cross_entropy_gradient
