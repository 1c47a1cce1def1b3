"""TensorFlow 1.7's ``tf.keras.utils``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....dispatch.convert import asarray
from ....ops.linalg.norms import vector_norm
from .lookup import custom_objects, get_custom_objects

__all__ = ["CustomObjectScope", "custom_object_scope", "get_custom_objects", "normalize", "to_categorical"]


def to_categorical(y: Any, num_classes: int | None = None) -> Any:
    """Labels as one-hot rows, a float64 NumPy array.

    Args:
        y: integers[...]; a last axis of size 1 is removed.
        num_classes: default: the largest label plus 1.
    """
    labels = np.asarray(y, dtype="int64")
    shape = labels.shape
    if shape and shape[-1] == 1 and len(shape) > 1:
        shape = shape[:-1]
    count = int(labels.max()) + 1 if num_classes is None else num_classes
    rows = np.empty((labels.size, count))
    rows[...] = 0.0
    rows[np.arange(labels.size), labels.ravel()] = 1.0
    return rows.reshape((*shape, count))


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """An array whose vectors along an axis have norm 1; those of zeros stay."""
    norms = vector_norm(asarray(x), axis=axis, keepdims=True, ord=order).numpy().copy()
    norms[norms == 0] = 1
    return x / norms


def custom_object_scope(*args: dict[str, Any]) -> Any:
    """A context manager: inside, the objects in these dicts are found by name."""
    return custom_objects({name: value for objects in args for name, value in objects.items()})


CustomObjectScope = custom_object_scope
