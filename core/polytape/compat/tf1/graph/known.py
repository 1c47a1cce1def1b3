"""Operations whose results' shapes the caller knows, because inferring them would take too long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..nesting import filled, flattened
from .graphs import get_default_graph
from .kinds import Kind, added
from .operations import Operation
from .recording import Template, named
from .shapes import is_result

__all__ = ["Known", "record_known"]


class Known:
    """A tensor's kind, as a leaf of a structure: a Kind itself is a tuple."""

    def __init__(self, tensor_type: Any, shape: Any) -> None:
        self.kind = Kind(tensor_type, shape)


def record_known(
    function: Callable[[Any], Any], arguments: Any, type: str, name: str, results: Any, reads: Sequence[Any] = ()
) -> Any:
    """The results of ``function(arguments)`` as tensors of the current graph.

    Args:
        function: computes the call, with values in the places of tensors.
        arguments: a structure with tensors of the graph.
        type, name: of the operation.
        results: the structure of the results, with a `Known` for each tensor.
        reads: the variables that the call reads.
    """
    template, graph = Template(arguments), get_default_graph()

    def compute(values: list[Any]) -> list[Any]:
        return [leaf for leaf in flattened(function(template.filled(values))) if is_result(leaf)]

    operation = Operation(graph, named(graph, name), type, template.inputs, compute)
    operation.reads = tuple(reads)
    leaves = [known.kind.output(operation, index) for index, known in enumerate(flattened(results))]
    return filled(results, added(operation, leaves))
