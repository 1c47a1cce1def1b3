"""The cross entropies over contiguous rows, each row read from memory once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from ..compiled import LARGE, loops

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
            when=large_contiguous_logits,
        ),
        Kernel(
            "softmax_cross_entropy_gradient",
            softmax_cross_entropy_gradient,
            dtypes=[(real, label, real) for label in _LABELS for real in _REAL],
            when=large_contiguous_logits_of_a_gradient,
        ),
    ]


def large_contiguous_logits(labels: Array, logits: Array) -> bool:
    """Whether the logits are a large array in C order."""
    return bool(logits.size >= LARGE and logits.flags.c_contiguous)


def large_contiguous_logits_of_a_gradient(incoming: Array, labels: Array, logits: Array) -> bool:
    """Whether the logits are a large array in C order."""
    return large_contiguous_logits(labels, logits)


def _refuse_rows(rows: Array, logits: Array) -> None:
    if rows.shape != logits.shape[:-1]:
        raise ValueError(f"rows of shape {rows.shape} do not fit logits of shape {logits.shape}")


def sparse_softmax_cross_entropy_with_logits(labels: Array, logits: Array) -> Array:
    _refuse_rows(labels, logits)
    y = np.empty(labels.shape, logits.dtype)
    n = logits.shape[-1]
    if not loops().cross_entropy(labels.reshape(-1), logits.reshape(-1, n), y.reshape(-1)):
        if labels.min() < 0:
            raise IndexError(f"label {labels.min()} is no class")
        raise _beyond(labels, n)
    return y


def softmax_cross_entropy_gradient(incoming: Array, labels: Array, logits: Array) -> Array:
    _refuse_rows(labels, logits)
    _refuse_rows(incoming, logits)
    y = np.empty(logits.shape, logits.dtype)
    n = logits.shape[-1]
    rows = y.reshape(-1, n)
    if not loops().cross_entropy_gradient(incoming.reshape(-1), labels.reshape(-1), logits.reshape(-1, n), rows):
        raise _beyond(labels, n)
    return y


def _beyond(labels: Array, classes: int) -> IndexError:
    """The error NumPy raises for such an index, in its words."""
    bad = labels[(labels < -classes) | (labels >= classes)][0]
    return IndexError(f"index {bad} is out of bounds for axis 1 with size {classes}")
