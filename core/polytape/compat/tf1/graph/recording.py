"""From a call of a function of ``tf`` to an operation of the current graph."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from ....autodiff.indexed_slices import IndexedSlices
from ....errors import DTypeError, PolytapeError
from ....tensors.variable import Variable
from ...mode import building
from ...op_errors import translated
from ..convert import of_operation
from ..nesting import flattened, mapped
from ..shapes import TensorShape
from .graphs import Graph, get_default_graph
from .kinds import StringTensor
from .op_names import names_of
from .operations import Operation
from .shapes import Inferred, Spec, infer, is_result
from .tensors import GraphTensor
from .texts import text_constant, text_kind

__all__ = ["Template", "call_or_record", "named", "record", "record_call", "record_operation", "record_without_results"]


# Functions that look at values, and raise errors that a traced run would leave out.
STATIC_CHECKS: Final = frozenset(
    (
        "assert_integer", "assert_proper_iterable", "assert_rank", "assert_rank_at_least", "assert_rank_in",
        "assert_same_float_dtype", "assert_scalar", "assert_type",
    )
)  # fmt: skip
CHECKS: Final = frozenset(("check_numerics", "verify_tensor_all_finite"))


class Template:
    """Arguments with the tensors of a graph among them taken out.

    Args:
        value: a structure of lists, tuples, dicts and slices.
    """

    def __init__(self, value: Any) -> None:
        self.inputs: list[GraphTensor] = []
        self.value = self._split(value)

    def _split(self, value: Any) -> Any:
        value = getattr(value, "whole", value) if isinstance(value, IndexedSlices) else value  # of a graph
        if isinstance(value, GraphTensor):
            self.inputs.append(value)
            return _Place(len(self.inputs) - 1)
        if isinstance(value, slice):
            return _Slice(*[self._split(part) for part in (value.start, value.stop, value.step)])
        if isinstance(value, TensorShape):
            return value
        if isinstance(value, dict):
            return {key: self._split(part) for key, part in value.items()}
        if isinstance(value, (list, tuple)) and not isinstance(value, _Slice):
            parts = [self._split(part) for part in value]
            return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
        if isinstance(value, np.ndarray):
            return np.array(value)  # the program may change its array before the run
        return value

    def filled(self, values: Sequence[Any]) -> Any:
        """The arguments, with these values in the places of the tensors."""
        return _filled(self.value, values)


class _Place(int):
    """Where an input's value belongs."""


class _Slice(tuple[Any, ...]):
    """A slice's start, stop and step."""

    def __new__(cls, *parts: Any) -> _Slice:
        return super().__new__(cls, parts)


def _filled(value: Any, values: Sequence[Any]) -> Any:
    if isinstance(value, _Place):
        return values[value]
    if isinstance(value, _Slice):
        return slice(*[_filled(part, values) for part in value])
    if isinstance(value, TensorShape):
        return value
    if isinstance(value, dict):
        return {key: _filled(part, values) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        parts = [_filled(part, values) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def record_call(function: Callable[..., Any], arguments: dict[str, Any], path: str) -> Any:
    """The results of a call of a public function of ``tf``, as tensors of the current graph.

    Args:
        function: computes the call in eager mode.
        arguments: by parameter.
        path: the function's name below ``tf``, such as ``nn.relu``.
    """
    type, name, rest = names_of(path, arguments.get("name"))
    if path == "constant" and (kind := text_kind(arguments["value"])) is not None:
        return text_constant(named(get_default_graph(), name), arguments["value"], kind)

    def call(given: dict[str, Any]) -> Any:
        return function(**given)

    if path.lower().startswith("assert"):
        if path not in STATIC_CHECKS:
            return record_without_results(call, arguments, "Assert", name, "/Assert/Assert")
        record(call, arguments, type, name, rest)  # for its errors
        return record_without_results(lambda _: None, [], "NoOp", name)
    return record(call, arguments, type, name, rest, eager=path in CHECKS)


def record(function: Callable[[Any], Any], arguments: Any, type: str, name: str, rest: str = "", **options: Any) -> Any:
    """The results of ``function(arguments)``, as tensors of the current graph; see `record_operation`."""
    return record_operation(function, arguments, type, name, rest, **options)[1]


def record_operation(
    function: Callable[[Any], Any],
    arguments: Any,
    type: str,
    name: str,
    rest: str = "",
    *,
    eager: bool = False,
    prepare: Callable[[], None] | None = None,
    shapes: Mapping[GraphTensor, TensorShape] | None = None,
) -> tuple[Any, Any]:
    """The operation for ``function(arguments)`` in the current graph, and its results.

    Args:
        function: computes the call, with values in the places of tensors.
        arguments: a structure with tensors of the graph.
        type, name: of the operation; the name is made unique, unless it ends in "/".
        rest: what follows the unique name.
        eager, prepare: see `Operation`.
        shapes: of tensors of which the call accepts only these, whatever is known of them.
    Returns:
        The operation, None for a call without tensors among its results that assigns no variable; and the results,
        with a tensor of the graph for each tensor.
    Raises:
        ValueError: tensors of different graphs. InvalidArgumentError and others: the call fails for all values.
    """
    template = Template(arguments)
    graph = graph_of(template.inputs)
    _check_numbers(type, template.inputs)

    def call(values: Sequence[Any]) -> Any:
        return function(template.filled(values))

    def compute(values: list[Any]) -> list[Any]:
        with of_operation(operation.name):
            found = [leaf for leaf in flattened(call(values)) if is_result(leaf)]
        return [leaf.read_value() if isinstance(leaf, Variable) else leaf for leaf in found]

    try:
        inferred = infer(name, call, [_Shaped(x, shapes[x]) if shapes and x in shapes else x for x in template.inputs])
    except PolytapeError as error:
        raise translated(error, ValueError).with_traceback(None) from None
    if not inferred.types and not inferred.writes:
        return None, inferred.structure  # no tensor: a shape, a name, None
    operation = Operation(
        graph, named(graph, name) + rest, type, template.inputs, compute, eager=eager, prepare=prepare
    )
    given = tuple([x for x in flattened(template.value) if isinstance(x, Variable)])
    operation.reads, operation.writes = given if inferred.valued else inferred.reads, inferred.writes
    return operation, _with_results(operation, inferred)


class _Shaped:
    """What `infer` reads of a tensor, with a shape that is known from elsewhere."""

    def __init__(self, x: GraphTensor, shape: TensorShape) -> None:
        self.tensor_type, self.shape = x.tensor_type, shape
        self.specs: tuple[Spec, ...] = ()


def _check_numbers(type: str, inputs: Sequence[GraphTensor]) -> None:
    for x in inputs:
        if isinstance(x, StringTensor):
            raise DTypeError(
                f"{type} cannot take the texts of {x}.",
                expected="a tensor of numbers",
                got=str(x),
                fix="there are no ops on strings: work with Python strings, or inside tf.py_func",
            )


def _with_results(operation: Operation, inferred: Inferred) -> Any:
    """Add an operation to its graph, with the results that were inferred for it; their structure."""
    operation.outputs = [
        GraphTensor(operation, index, tensor_type, shape, specs)
        for index, (tensor_type, shape, specs) in enumerate(
            zip(inferred.types, inferred.shapes, inferred.specs, strict=True)
        )
    ]
    operation.graph.add(operation)
    remaining = iter(operation.outputs)
    return mapped(lambda leaf: next(remaining) if isinstance(leaf, Spec) else leaf, inferred.structure)


def record_without_results(
    function: Callable[[Any], Any], arguments: Any, type: str, name: str, rest: str = ""
) -> Operation:
    """An operation that calls ``function(arguments)`` in Python at each run, such as an assertion."""
    template, graph = Template(arguments), get_default_graph()

    def compute(values: list[Any]) -> list[Any]:
        function(template.filled(values))
        return []

    operation = Operation(graph, named(graph, name) + rest, type, template.inputs, compute, eager=True)
    graph.add(operation)
    return operation


def call_or_record(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """A call of a function that the program gave: one of polytape's is recorded, the program's own runs as it is."""
    module = getattr(function, "__module__", None) or builtins.type(function).__module__
    if not building() or not str(module).startswith("polytape"):
        return function(*args, **kwargs)
    label = getattr(function, "__name__", builtins.type(function).__name__)
    return record(lambda given: function(*given[0], **given[1]), [args, kwargs], label, label)


def named(graph: Graph, name: str) -> str:
    """An operation's name: unique, unless it ends in "/"."""
    return name[:-1] if name.endswith("/") else graph.unique_name(name)


def graph_of(inputs: Sequence[GraphTensor]) -> Graph:
    """The graph that an operation belongs to: that of its inputs, or the current one.

    Raises:
        ValueError: two are of different graphs.
    """
    graph = inputs[0].graph if inputs else get_default_graph()
    for x in inputs:
        if x.graph is not graph:
            raise ValueError(f"{x} must be from the same graph as {inputs[0]}.")
    return graph
