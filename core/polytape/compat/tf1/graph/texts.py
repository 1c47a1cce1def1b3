"""Constants with texts, which sessions return as bytes; no function computes with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....placement.selection import backend_of, default_device
from ....registry.tensor_type import get_tensor_type
from ..convert import lookup
from ..shapes import TensorShape
from .graphs import get_default_graph
from .kinds import Kind, StringTensor, added
from .operations import Operation
from .tensors import GraphTensor

__all__ = ["text_constant", "text_kind"]


def text_kind(value: Any) -> Kind | None:
    """The kind of a constant with texts; None if the value has none."""
    if not isinstance(value, (str, bytes, list, tuple, np.ndarray)):
        return None
    array = np.asarray(value)
    if array.dtype.kind not in "SU" or not array.size:
        return None
    device = default_device()
    tensor_type = get_tensor_type(backend_of(device), device, lookup("float32"))  # texts are on no device
    return Kind(tensor_type, TensorShape(array.shape), StringTensor)


def text_constant(name: str, value: Any, kind: Kind) -> GraphTensor:
    """A constant whose values are bytes, as TensorFlow's strings are."""

    def encoded(part: Any) -> Any:
        if isinstance(part, (list, tuple, np.ndarray)):
            return [encoded(item) for item in part]
        return part.encode() if isinstance(part, str) else bytes(part)

    found = encoded(value)
    values = found if isinstance(found, bytes) else np.asarray(found, object)
    operation = Operation(get_default_graph(), name, "Const", [], lambda _: [values], eager=True)
    output: GraphTensor = added(operation, [kind.output(operation, 0)])[0]
    return output
