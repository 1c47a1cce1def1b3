"""Symbolic tensors of the functional interface: a shape, a dtype, and the call of a layer that they come from."""

from __future__ import annotations

from typing import Any

import numpy as np

from .... import dtypes
from ....dispatch.convert import asarray
from ...mode import building
from ..graph.recording import record
from ..nesting import flattened, mapped
from ..shapes import TensorShape

__all__ = ["Symbolic", "as_tensor", "flattened", "mapped"]


class Symbolic:
    """Stands for a tensor while a model is described; `tf.keras.Input` makes one. It has no values.

    Args:
        shape: with None for unknown sizes.
        dtype: of the tensor.
        name: shown in prints.
        node: the call that it comes from, and its place among the results; None for an input.
    """

    def __init__(self, shape: Any, dtype: Any = None, name: str = "", node: tuple[Any, int] | None = None) -> None:
        self.shape = TensorShape(shape)
        self.dtype = dtypes.lookup("float32" if dtype is None else dtype)
        self.name = name
        self.node = node

    def get_shape(self) -> TensorShape:
        """The shape."""
        return self.shape

    def __repr__(self) -> str:
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape.as_list())
        return f"<DeferredTensor {self.name!r} shape=({sizes}{',' if len(self.shape) == 1 else ''}) dtype={self.dtype}>"

    def __bool__(self) -> bool:
        return True


def as_tensor(x: Any) -> Any:
    """A NumPy array as a tensor, of the graph in graph mode; anything else as it is."""
    if not isinstance(x, (np.ndarray, np.generic)):
        return x
    return record(lambda given: asarray(given), x, "Const", "Const") if building() else asarray(x)
