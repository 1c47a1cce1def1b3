"""TensorFlow 1.7's ``tf.contrib.util``."""

from __future__ import annotations

from typing import Any

from ....dispatch.convert import asarray
from ..graph.tensors import GraphTensor

__all__ = ["constant_value"]


def constant_value(tensor: Any, partial: bool = False) -> Any:
    """The values as a NumPy array; None for a tensor of a graph that depends on more than constants."""
    if isinstance(tensor, GraphTensor):
        values = {id(spec.value): spec.value for spec in tensor.specs}  # those of different sizes are different
        found = next(iter(values.values()), None)
        return found.numpy() if found is not None and len(values) == 1 else None
    return asarray(tensor).numpy()
