"""Placeholders: tensors whose values each run is given."""

from __future__ import annotations

from typing import Any, NoReturn

from ....placement.selection import backend_of, default_device
from ....registry.tensor_type import get_tensor_type
from ...mode import building
from ..convert import lookup, tensor
from ..errors import InvalidArgumentError
from ..shapes import TensorShape
from .graphs import get_default_graph
from .operations import Operation
from .recording import named, record
from .shapes import specs_of
from .tensors import GraphTensor

__all__ = ["placeholder", "placeholder_with_default"]


def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> GraphTensor:
    """A tensor that every run needs a value for, in ``feed_dict``.

    Args:
        dtype: of the tensor.
        shape: with None for unknown sizes; None for any shape.
        name: of the operation.
    Raises:
        RuntimeError: eager execution is enabled.
    """
    if not building():
        raise RuntimeError("tf.placeholder() is not compatible with eager execution.")
    graph = get_default_graph()
    device = default_device()
    tensor_type = get_tensor_type(backend_of(device), device, lookup(dtype))
    return outputs_of(
        Operation(graph, named(graph, name or "Placeholder"), "Placeholder", [], _missing), [(tensor_type, shape)]
    )[0]


def outputs_of(operation: Operation, results: list[tuple[Any, Any]]) -> list[GraphTensor]:
    """Add an operation with outputs of these types and shapes to its graph."""
    for index, (tensor_type, shape) in enumerate(results):
        known = TensorShape(shape)
        operation.outputs.append(GraphTensor(operation, index, tensor_type, known, specs_of(tensor_type, known)))
    if operation.type == "Placeholder":
        operation.compute = lambda _: _missing(operation)
    operation.graph.add(operation)
    return operation.outputs


def _missing(operation: Any) -> NoReturn:
    x = operation.outputs[0]
    kind = {"float32": "float", "float64": "double"}.get(x.dtype.name, x.dtype.name)
    sizes = (
        None if x.shape.ndims is None else ",".join("?" if size is None else str(size) for size in x.shape.as_list())
    )
    shape = "" if sizes is None else f" and shape [{sizes}]"
    raise InvalidArgumentError(
        None,
        operation,
        f"You must feed a value for placeholder tensor '{operation.name}' with dtype {kind}{shape}",
    )


def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> GraphTensor:
    """A tensor that is ``input`` in runs that are given no value for it.

    Args:
        input: the default.
        shape: with None for unknown sizes.
        name: of the operation.
    """
    if not building():
        raise RuntimeError("tf.placeholder_with_default() is not compatible with eager execution.")
    found: GraphTensor = record(lambda x: tensor(x), input, "PlaceholderWithDefault", name or "PlaceholderWithDefault")
    found._shape = TensorShape(shape)
    found.specs = specs_of(found.tensor_type, found.shape)
    return found
