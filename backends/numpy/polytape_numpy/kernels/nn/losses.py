"""Cross entropies, accurate for large logits; half precision is computed in float32 and rounded once.

Labels out of range raise an IndexError if they are on the host. On a device, reading them would wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

from ..extremes import extreme_reduce
from ..quiet import error_state
from ..rows import BLOCK, is_rows, ones
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


def _label_check(xp: Any) -> Callable[[Array, int], None]:
    smallest = extreme_reduce(xp, "minimum")

    def check_labels(labels: Array, classes: int) -> None:
        # A negative index would count from the end; one that is too large raises an error by itself, unless there are
        # no classes.
        if labels.size and (smallest(labels) < 0 or not classes):
            raise IndexError(f"index {smallest(labels)} is out of bounds for axis 1 with size {classes}")

    return check_labels


def _cross_entropy(xp: Any) -> Callable[..., Array]:
    exp, log, reduce, arange, state = xp.exp, xp.log, add_reduce(xp), xp.arange, error_state(xp)
    largest, check_labels, on_host = extreme_reduce(xp, "maximum"), _label_check(xp), xp.__name__ == "numpy"

    def compute(labels: Array, logits: Array) -> Array:
        if logits.dtype.itemsize == 2:
            return compute(labels, logits.astype("float32")).astype(logits.dtype)
        if on_host:
            check_labels(labels, logits.shape[-1])
        if not logits.size:
            return logits.sum(-1)
        rows = logits.reshape((labels.size, logits.shape[-1]))
        if on_host and rows.size > BLOCK:
            y, height = xp.empty(labels.size, rows.dtype), max(1, BLOCK // rows.shape[1])
            for start in range(0, labels.size, height):
                part = slice(start, start + height)
                y[part] = of_rows(labels.reshape(-1)[part], rows[part])
        else:
            y = of_rows(labels.reshape(-1), rows)
        return y.reshape(labels.shape)

    def of_rows(labels: Array, rows: Array) -> Array:
        shifted = rows - largest(rows, -1, True)
        selected = shifted[arange(labels.size), labels]
        return log(sums(exp(shifted, out=shifted))) - selected

    def sums(x: Array) -> Array:
        return x.dot(ones(x.shape[-1], x.dtype.char)) if on_host and is_rows(x, -1) else reduce(x, -1)

    def sparse_softmax_cross_entropy_with_logits(labels: Array, logits: Array) -> Array:
        _check_rows(labels, logits)
        if state(None) is None:
            return compute(labels, logits)
        with xp.errstate(under="ignore"):
            return compute(labels, logits)

    return sparse_softmax_cross_entropy_with_logits


def _cross_entropy_gradient(xp: Any) -> Callable[..., Array]:
    softmax, arange, state = softmax_rows(xp), xp.arange, error_state(xp)
    check_labels, on_host = _label_check(xp), xp.__name__ == "numpy"

    def compute(incoming: Array, labels: Array, logits: Array) -> Array:
        if logits.dtype.itemsize == 2:
            wide = incoming.astype("float32"), labels, logits.astype("float32")
            return compute(*wide).astype(logits.dtype)
        if on_host:
            check_labels(labels, logits.shape[-1])
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
