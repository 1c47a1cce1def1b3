"""`tf.summary` in a graph: operations whose values are serialized messages of TensorBoard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....summary import protos
from ..dtypes import as_dtype
from .graphs import Graph, get_default_graph
from .kinds import StringTensor, added
from .operations import Operation
from .python_functions import kind_for
from .recording import named
from .variables import constant

__all__ = ["definition", "graph_def", "histogram", "image", "merge", "merge_all", "message", "scalar", "text"]

SUMMARIES = "summaries"  # the collection, `tf.GraphKeys.SUMMARIES`


def scalar(name: str, tensor: Any, collections: Any = None, family: str | None = None) -> StringTensor:
    """The summary of a number: an operation whose value `FileWriter.add_summary` takes."""
    return _summary("ScalarSummary", name, family, tensor, collections, protos.scalar)


def histogram(name: str, values: Any, collections: Any = None, family: str | None = None) -> StringTensor:
    """The summary of the distribution of values."""
    return _summary(
        "HistogramSummary", name, family, values, collections, lambda tag, x: protos.histogram(tag, x, "auto")
    )


def image(
    name: str, tensor: Any, max_outputs: int = 3, collections: Any = None, family: str | None = None
) -> StringTensor:
    """The summary of images [batch, height, width, channels]."""
    return _summary("ImageSummary", name, family, tensor, collections, lambda tag, x: protos.image(tag, x, max_outputs))


def text(name: str, tensor: Any, collections: Any = None) -> StringTensor:
    """The summary of a text."""
    return _summary("TensorSummaryV2", name, None, tensor, collections, protos.text)


def _summary(
    type: str, name: str, family: str | None, value: Any, collections: Any, make: Callable[[str, Any], Any]
) -> StringTensor:
    graph = get_default_graph()
    full = named(graph, f"{family}/{name}" if family else name.replace(" ", "_"))
    tag = f"{family}/{full}" if family else full
    inputs = [] if isinstance(value, (str, bytes)) else [constant(value, None, f"{full.rpartition('/')[2]}/values")]

    def call(values: list[Any]) -> list[Any]:
        return [joined(make(tag, values[0] if values else value))]

    operation = Operation(graph, full, type, inputs, call, eager=True)
    return _collected(operation, [SUMMARIES] if collections is None else collections)


def _collected(operation: Operation, collections: Any) -> StringTensor:
    """The output of a summary's operation, in these collections."""
    found: StringTensor = added(operation, [kind_for("string", []).output(operation, 0)])[0]
    operation.graph.add_to_collections(collections, found)
    return found


def merge(inputs: Any, collections: Any = None, name: str | None = None) -> StringTensor:
    """Several summaries as one."""
    graph = get_default_graph()
    kind = "MergeSummary"
    with graph.name_scope(name or "Merge"):
        operation = Operation(
            graph, named(graph, kind), kind, list(inputs), lambda values: [b"".join(values)], eager=True
        )
    return _collected(operation, collections or ())


def merge_all(key: str = SUMMARIES, scope: str | None = None) -> StringTensor | None:
    """All summaries of a collection as one; None if there are none."""
    found = get_default_graph().get_collection(key, scope)
    return merge(found) if found else None


def joined(messages: Any) -> bytes:
    """The serialized message of one or several."""
    # Serialized messages of one kind, one after the other, are the message with the entries of both.
    return b"".join(each.SerializeToString() for each in (messages if isinstance(messages, list) else [messages]))


def message(serialized: bytes) -> Any:
    """The inverse: TensorBoard's ``Summary``."""
    return protos.library("proto.summary_pb2").Summary.FromString(serialized)


def definition(graph: Graph) -> bytes:
    """The serialized ``GraphDef`` of a graph, which TensorBoard draws."""
    serialized: bytes = graph_def(graph).SerializeToString()
    return serialized


def graph_def(graph: Graph) -> Any:
    """The message ``GraphDef`` of a graph: names, types, inputs and shapes of its operations."""
    result = protos.library("proto.graph_pb2").GraphDef()
    result.versions.producer = 26  # of TensorFlow 1.7
    for operation in graph.get_operations():
        node = result.node.add(name=operation.name, op=operation.type, device=operation.device)
        node.input.extend(_edge(x) for x in operation.inputs)
        node.input.extend(f"^{x.name}" for x in operation.control_inputs)
        for output in operation.outputs:
            shape = node.attr["_output_shapes"].list.shape.add()
            sizes = output.shape.as_list() if output.shape.ndims is not None else None
            shape.unknown_rank = sizes is None
            for size in sizes or ():
                shape.dim.add(size=-1 if size is None else size)
        if operation.outputs:
            node.attr["dtype"].type = as_dtype(operation.outputs[0].dtype).as_datatype_enum
    return result


def _edge(x: Any) -> str:
    return x.op.name if x.value_index == 0 else f"{x.op.name}:{x.value_index}"
