"""Cross entropies over contiguous rows; each row is read from memory once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from ..compiled import FEW, loops, many_short_rows

__all__ = ["kernels"]

Array = Any

_REAL: Final = ("float32", "float64")
_LABELS: Final = ("int32", "int64")


def kernels() -> list[Kernel]:
    """The kernels of the losses."""
    return [
        Kernel(
            "sparse_softmax_cross_entropy_with_logits",
            sparse_softmax_cross_entropy_with_logits,
            dtypes=[(label, real) for label in _LABELS for real in _REAL],
            when=served,
        ),
        Kernel(
            "softmax_cross_entropy_gradient",
            softmax_cross_entropy_gradient,
            dtypes=[(real, label, real) for label in _LABELS for real in _REAL],
            when=served_gradient,
        ),
    ]


def served(labels: Array, logits: Array) -> bool:
    """Whether the logits are in C order, and not few."""
    return bool(logits.size >= FEW and logits.flags.c_contiguous)


def served_gradient(incoming: Array, labels: Array, logits: Array) -> bool:
    """As `served`, unless there are many short rows."""
    return served(labels, logits) and not many_short_rows(logits, 32, 8192)


def _check_rows(rows: Array, logits: Array) -> None:
    if rows.shape != logits.shape[:-1]:
        raise ValueError(f"rows of shape {rows.shape} do not match logits of shape {logits.shape}")


def sparse_softmax_cross_entropy_with_logits(labels: Array, logits: Array) -> Array:
    _check_rows(labels, logits)
    y = np.empty(labels.shape, logits.dtype)
    n = logits.shape[-1]
    if logits.ndim == 2:
        valid = loops().cross_entropy(labels, logits, y)
    else:
        valid = loops().cross_entropy(labels.reshape(-1), logits.reshape(-1, n), y.reshape(-1))
    if not valid:
        raise _index_error(labels, n)
    return y


def softmax_cross_entropy_gradient(incoming: Array, labels: Array, logits: Array) -> Array:
    _check_rows(labels, logits)
    _check_rows(incoming, logits)
    y = np.empty(logits.shape, logits.dtype)
    n = logits.shape[-1]
    rows = y.reshape(-1, n)
    if not loops().cross_entropy_gradient(incoming.reshape(-1), labels.reshape(-1), logits.reshape(-1, n), rows):
        raise _index_error(labels, n)
    return y


def _index_error(labels: Array, classes: int) -> IndexError:
    """The error that the NumPy kernel raises for a label out of range, with the same text."""
    label = labels.min() if labels.min() < 0 else labels[labels >= classes][0]
    return IndexError(f"index {label} is out of bounds for axis 1 with size {classes}")
