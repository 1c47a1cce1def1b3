"""`tf.TensorArray` in a graph: operations on a value that is, while a session runs them, an eager TensorArray."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....placement.selection import backend_of, default_device
from ....registry.tensor_type import TensorType, get_tensor_type
from ..adapters.tensor_arrays import TensorArray
from ..convert import lookup
from ..dtypes import as_dtype
from ..shapes import TensorShape, as_shape
from .graphs import get_default_graph
from .kinds import Kind, ObjectTensor, added
from .operations import Operation
from .recording import named
from .tensors import GraphTensor
from .variables import constant

__all__ = ["GraphTensorArray", "type_for", "with_flow"]


class GraphTensorArray(TensorArray):
    """A TensorArray of a graph: its tensors have no values before a session runs them.

    The arguments are those of `TensorArray`.
    """

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        self._dtype = as_dtype(dtype)
        self._infer_shape = infer_shape
        # All copies share what is known of the elements' shape, as in TensorFlow.
        self._shapes = [TensorShape(None) if element_shape is None else as_shape(element_shape)]
        places = constant(0 if size is None else size, None, "size")

        def made(values: list[Any]) -> Any:
            return TensorArray(
                dtype, values[0], dynamic_size, clear_after_read, infer_shape=infer_shape, element_shape=element_shape
            )

        self._flow = _operation("TensorArrayV3", name or "TensorArray", [places], made)

    @property
    def flow(self) -> Any:
        """The tensor that stands for the array in a graph."""
        return self._flow

    @property
    def handle(self) -> Any:
        """As `flow`."""
        return self._flow

    def with_flow(self, flow: GraphTensor) -> GraphTensorArray:
        """An array with the same attributes whose value is another."""
        copy = object.__new__(GraphTensorArray)
        copy.__dict__.update(self.__dict__)
        copy._flow = flow
        return copy

    def _changed(self, method: str, *arguments: Any, name: str | None = None) -> GraphTensorArray:
        """The array that a method of the eager one gives."""
        type = "TensorArray" + method.capitalize()

        def call(values: list[Any]) -> Any:
            return getattr(values[0], method)(*values[1:])

        return self.with_flow(_operation(f"{type}V3", name or type, [self._flow, *arguments], call))

    def _taken(self, method: str, shape: Any, *arguments: Any, name: str | None = None) -> Any:
        """The tensor that a method of the eager array gives."""
        type = {"stack": "TensorArrayGatherV3", "gather": "TensorArrayGatherV3"}.get(
            method, f"TensorArray{method.capitalize()}V3"
        )
        kind = type_for(lookup("int32") if method == "size" else self._dtype.dtype)

        def call(values: list[Any]) -> Any:
            return getattr(values[0], method)(*values[1:])

        known = TensorShape(shape)
        return _operation(type, name or type, [self._flow, *arguments], call, Kind(kind, known))

    def _see(self, value: Any) -> GraphTensor:
        """A value for the array; the shape that all elements must have is its."""
        found: GraphTensor = constant(value, None if isinstance(value, GraphTensor) else self._dtype, "value")
        return found

    def _element(self, shape: TensorShape) -> None:
        if not self._shapes[0].is_compatible_with(shape):
            raise ValueError(f"Inconsistent shapes: saw {shape} but expected {self._shapes[0]} (and infer_shape=True)")
        if self._infer_shape:
            self._shapes[0] = self._shapes[0].merge_with(shape)

    # --- the methods of TensorArray ---------------------------------------------------------------------------------

    def size(self, name: str | None = None) -> Any:
        """The number of places."""
        return self._taken("size", [], name=name)

    def identity(self) -> GraphTensorArray:
        """An array with the same tensors."""
        return self.with_flow(self._flow)

    def grad(self, source: Any, flow: Any = None, name: str | None = None) -> None:
        """Raise NotImplementedError: `tf.gradients` differentiates reads and writes by itself."""
        raise NotImplementedError("TensorArray.grad: use tf.gradients on the tensors that were written.")

    def close(self, name: str | None = None) -> Any:
        """Nothing: a run forgets its arrays."""
        return self._flow.op

    def write(self, index: Any, value: Any, name: str | None = None) -> GraphTensorArray:
        """As `TensorArray.write`."""
        given = self._see(value)
        self._element(given.shape)
        return self._changed("write", constant(index, None, "index"), given, name=name)

    def read(self, index: Any, name: str | None = None) -> Any:
        """As `TensorArray.read`."""
        return self._taken("read", self._shapes[0], constant(index, None, "index"), name=name)

    def stack(self, name: str | None = None) -> Any:
        """As `TensorArray.stack`."""
        with get_default_graph().name_scope(name or "TensorArrayStack"):
            return self._taken("stack", _rows(self._shapes[0]))

    def gather(self, indices: Any, name: str | None = None) -> Any:
        """As `TensorArray.gather`."""
        return self._taken("gather", _rows(self._shapes[0]), constant(indices, None, "indices"), name=name)

    def concat(self, name: str | None = None) -> Any:
        """As `TensorArray.concat`."""
        shape = self._shapes[0]
        whole = TensorShape(None) if shape.ndims is None else TensorShape([None, *shape.as_list()[1:]])
        return self._taken("concat", whole, name=name)

    def unstack(self, value: Any, name: str | None = None) -> GraphTensorArray:
        """As `TensorArray.unstack`."""
        given = self._see(value)
        if given.shape.ndims:
            self._element(TensorShape(given.shape.as_list()[1:]))
        return self._changed("unstack", given, name=name)

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> GraphTensorArray:
        """As `TensorArray.scatter`."""
        given = self._see(value)
        if given.shape.ndims:
            self._element(TensorShape(given.shape.as_list()[1:]))
        return self._changed("scatter", constant(indices, None, "indices"), given, name=name)

    def split(self, value: Any, lengths: Any, name: str | None = None) -> GraphTensorArray:
        """As `TensorArray.split`."""
        given = self._see(value)
        if given.shape.ndims and self._infer_shape:
            self._element(TensorShape([None, *given.shape.as_list()[1:]]))
        return self._changed("split", given, constant(lengths, None, "lengths"), name=name)


def _rows(shape: TensorShape) -> TensorShape:
    return TensorShape(None) if shape.ndims is None else TensorShape([None, *shape.as_list()])


def _operation(type: str, name: str, inputs: Sequence[GraphTensor], call: Any, result: Kind | None = None) -> Any:
    """An operation that runs in Python, and its output: by default an array."""
    graph = get_default_graph()
    operation = Operation(graph, named(graph, name), type, inputs, lambda values: [call(values)], eager=True)
    kind = Kind(type_for(lookup("float32")), TensorShape(None), ObjectTensor) if result is None else result
    return added(operation, [kind.output(operation, 0)])[0]


def type_for(dtype: Any) -> TensorType:
    """The tensor type of a dtype on the default device."""
    device = default_device()
    return get_tensor_type(backend_of(device), device, dtype)


def with_flow(leaf: Any, tensor: GraphTensor) -> Any:
    """The inverse of `flow_of`: ``tensor``, as a TensorArray if ``leaf`` is one."""
    return leaf.with_flow(tensor) if isinstance(leaf, GraphTensorArray) else tensor
