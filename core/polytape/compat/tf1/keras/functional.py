"""The functional interface: layers called on symbolic tensors, recorded as nodes and replayed with values."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from ....nn.building import outside
from ....ops.creation import zeros
from ..layers.base import Layer
from ..layers.naming import unique_name
from ..layers.symbols import Symbolic, flattened, mapped
from ..nesting import filled
from ..shapes import TensorShape

__all__ = ["Input", "InputLayer", "Node", "output_shape", "parameters", "record", "replay", "sorted_nodes"]


class Node:
    """One call of a layer.

    Args:
        layer: the layer.
        inputs: a structure of symbolic tensors.
        args, kwargs: the other arguments.
    """

    def __init__(self, layer: Any, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.layer, self.inputs, self.args, self.kwargs = layer, inputs, args, kwargs
        self.outputs: list[Symbolic] = []

    def __repr__(self) -> str:
        return f"Node({self.layer.name!r})"


def record(layer: Any, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The symbolic results of a call. It makes the layer's weights."""
    node = Node(layer, inputs, args, kwargs)
    results = _tried(layer, inputs, args, kwargs)
    leaves = flattened(results)
    symbols = [Symbolic(shape, dtype, layer.name, (node, position)) for position, (shape, dtype) in enumerate(leaves)]
    node.outputs = symbols
    return filled(results, symbols)


def _tried(layer: Any, inputs: Any, args: Any, kwargs: Any) -> Any:
    """Shapes and dtypes of the results, from calls with zeros; sizes that follow an unknown one are unknown."""
    first = _called(layer, inputs, 2, args, kwargs)
    if all(None not in x.shape.as_list() for x in flattened(inputs)):
        return mapped(lambda y: _leaf(y.shape, y.shape, y.dtype), first)
    second = iter(flattened(_called(layer, inputs, 3, args, kwargs)))
    return mapped(lambda y: _leaf(y.shape, next(second).shape, y.dtype), first)


def _leaf(first: Any, second: Any, dtype: Any) -> Any:
    sizes = [size if size == other else None for size, other in zip(first, second, strict=True)]
    return _Pair(sizes, dtype)


class _Pair:
    """A shape and a dtype; not a tuple, since structures are tuples."""

    def __init__(self, shape: list[int | None], dtype: Any) -> None:
        self.shape, self.dtype = shape, dtype

    def __iter__(self) -> Any:
        return iter((self.shape, self.dtype))


def _called(layer: Any, inputs: Any, unknown: int, args: Any, kwargs: Any) -> Any:
    def value(x: Symbolic) -> Any:
        return zeros(tuple(unknown if size is None else size for size in x.shape.as_list()), dtype=x.dtype)

    with outside():
        return layer(mapped(value, inputs), *args, **kwargs)


def output_shape(layer: Any, input_shape: Any) -> Any:
    """The shape of a layer's result, as a TensorShape, for an input of a shape (or a structure of shapes)."""
    shapes = input_shape
    if isinstance(shapes, (list, tuple)) and any(isinstance(part, (list, tuple)) for part in shapes):
        inputs: Any = [Symbolic(part) for part in shapes]
    else:
        inputs = Symbolic(shapes)
    return mapped(lambda y: TensorShape(y.shape), _tried(layer, inputs, (), {}))


class InputLayer(Layer):
    """Where values enter a functional model.

    Args:
        input_shape: without the batch's axis.
        batch_size: default: any.
        dtype: default: float32.
        name: default: "input_1" and so on.
    """

    def __init__(
        self, input_shape: Any = None, batch_size: int | None = None, dtype: Any = None, name: str | None = None
    ) -> None:
        super().__init__(name=name or unique_name("input"), dtype=dtype)
        sizes = input_shape if isinstance(input_shape, (list, tuple)) else (input_shape,)
        self.symbol = Symbolic((batch_size, *sizes), dtype, self.name)
        self.symbol.node = (Node(self, None, (), {}), 0)
        self.built = True


def Input(
    shape: Any = None,
    batch_shape: Any = None,
    name: str | None = None,
    dtype: Any = None,
    sparse: bool = False,
    tensor: Any = None,
    batch_size: int | None = None,
) -> Symbolic:
    """A symbolic tensor, to call layers on.

    Args:
        shape: without the batch's axis; None in it means any size.
        batch_shape: with the batch's axis.
        name: default: "input_1" and so on.
        dtype: default: float32.
        batch_size: default: any.
        sparse, tensor: not implemented; leave them out.
    Raises:
        ValueError: there is no shape, or ``tensor`` or ``sparse`` is given.
    """
    if sparse or tensor is not None:
        raise ValueError("Input has no sparse tensors and wraps none: call the model with the tensor instead.")
    if shape is None and batch_shape is None:
        raise ValueError("Please provide to Input either a `shape` or a `batch_shape` argument.")
    if batch_shape is not None:
        batch_size, shape = batch_shape[0], tuple(batch_shape[1:])
    return InputLayer(tuple(shape) if isinstance(shape, (list, tuple)) else (shape,), batch_size, dtype, name).symbol


def sorted_nodes(outputs: Sequence[Symbolic]) -> list[Node]:
    """The calls that symbolic tensors come from, each behind those that it needs."""
    found: list[Node] = []
    seen: set[int] = set()

    def visit(node: Node) -> None:
        if id(node) in seen:
            return
        seen.add(id(node))
        for x in flattened(node.inputs) if node.inputs is not None else ():
            visit(x.node[0])
        found.append(node)

    for output in outputs:
        if not isinstance(output, Symbolic) or output.node is None:
            raise TypeError(
                f"the outputs of a model must come from layers that were called on Input(...), not {output!r}"
            )
        visit(output.node[0])
    return found


def replay(nodes: Sequence[Node], inputs: dict[int, Any], outputs: Any, options: dict[str, Any]) -> Any:
    """The values of symbolic tensors.

    Args:
        nodes: the calls, sorted.
        inputs: values by the identity of the symbolic tensor that each is for.
        outputs: a structure of symbolic tensors.
        options: arguments, such as ``training``, for the layers whose `call` has them.
    """
    values = dict(inputs)
    for node in nodes:
        if node.inputs is None:
            continue
        arguments = mapped(lambda x: values[id(x)], node.inputs)
        given = {**{k: v for k, v in options.items() if k in parameters(node.layer)}, **node.kwargs}
        result = flattened(node.layer(arguments, *node.args, **given))
        values.update((id(symbol), value) for symbol, value in zip(node.outputs, result, strict=True))
    return mapped(lambda x: values[id(x)], outputs)


def parameters(layer: Any) -> frozenset[str]:
    """The names of the parameters of a layer's `call`, or of a function."""
    return frozenset(inspect.signature(getattr(layer, "call", layer)).parameters)
