"""What is known of an output that no function infers: outputs of regions, of Python functions and of datasets."""

from __future__ import annotations

from typing import Any, NamedTuple

from ....dtypes import bool_
from ....registry.tensor_type import TensorType
from ..dtypes import DType, string, tensor_dtype
from ..shapes import TensorShape
from .operations import Operation
from .shapes import specs_of
from .tensors import GraphTensor

__all__ = ["Kind", "ObjectTensor", "StringTensor", "added", "check_predicate"]


class ObjectTensor(GraphTensor):
    """An output whose value in a run is a Python object, such as an array of tensors or a summary's bytes."""


class StringTensor(ObjectTensor):
    """An output whose values are bytes."""

    @property
    def dtype(self) -> DType:
        """``tf.string``."""
        return string


class Kind(NamedTuple):
    """What is known of a tensor.

    Attributes:
        tensor_type, shape: of the tensor.
        cls: `GraphTensor` or `ObjectTensor`.
    """

    tensor_type: TensorType
    shape: TensorShape
    cls: type[GraphTensor] = GraphTensor

    @classmethod
    def of(cls, x: GraphTensor) -> Kind:
        """The kind of a tensor."""
        return cls(x.tensor_type, x.shape, type(x))

    @property
    def dtype(self) -> DType:
        """The element type."""
        return string if self.cls is StringTensor else tensor_dtype(self.tensor_type.dtype)

    def output(self, operation: Operation, index: int) -> GraphTensor:
        """An output of this kind."""
        specs = specs_of(self.tensor_type, self.shape) if self.cls is GraphTensor else ()
        return self.cls(operation, index, self.tensor_type, self.shape, specs)


def added(operation: Operation, outputs: list[Any]) -> list[Any]:
    """The outputs of an operation, which becomes part of its graph."""
    operation.outputs = outputs
    operation.graph.add(operation)
    return outputs


def check_predicate(x: GraphTensor, scope: str, op: str, argument: str, inputs: int) -> None:
    """Check that a tensor may decide a branch or a loop.

    Args:
        x: of dtype bool, and of shape () as far as that is known.
        scope: the prefix of the operation's name.
        op, argument, inputs: TensorFlow's operation that checks it, the name of its input, and how many it has.
    Raises:
        TypeError, ValueError: it may not; with TensorFlow's texts.
    """
    if x.tensor_type.dtype is not bool_:
        raise TypeError(
            f"Input '{argument}' of '{op}' Op has type {x.dtype.name} that does not match expected type of bool."
        )
    if x.shape.ndims not in (None, 0):
        sizes = str(x.shape.as_list()).replace("None", "?").replace(" ", "")
        raise ValueError(
            f"Shape must be rank 0 but is rank {x.shape.ndims} for '{scope}{op}' (op: '{op}') with input "
            f"shapes: {', '.join([sizes] * inputs)}."
        )
