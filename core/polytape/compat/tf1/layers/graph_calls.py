"""Calls of the facade's layers in a graph: each call is one operation, and what it assigns is another.

Dense layers and convolutions are several, as in TensorFlow: the product, the bias and the activation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

from ....control.branching import cond
from ....tensors.scope import current_scope
from ..graph.op_names import names_of
from ..graph.recording import record, record_operation
from ..graph.tensors import GraphTensor

__all__ = ["Linear", "call_in_graph", "is_own"]

# TensorFlow's last operation of a layer's call, by the layer's class.
_LAST: Final = {
    "AveragePooling1D": "Squeeze", "AveragePooling2D": "AvgPool", "AveragePooling3D": "AvgPool3D",
    "BatchNormalization": "batchnorm/add_1", "Dropout": "dropout/mul", "Flatten": "Reshape",
    "MaxPooling1D": "Squeeze", "MaxPooling2D": "MaxPool", "MaxPooling3D": "MaxPool3D",
}  # fmt: skip
_OWN: Final = ("polytape.compat.tf1.layers.core", "polytape.compat.tf1.layers.convolutional")
# Type and name of the operation that multiplies.
_PRODUCTS: Final = {
    "Conv1D": ("Squeeze", "conv1d", "/Squeeze"), "Dense": ("MatMul", "MatMul"),
    "Conv2DTranspose": ("Conv2DBackpropInput", "conv2d_transpose"), "Tensordot": ("Reshape", "Tensordot"),
}  # fmt: skip


def is_own(layer: Any) -> bool:
    """Whether the facade itself computes the layer's call, so that it is one operation."""
    return bool(type(layer).call.__module__.startswith("polytape")) and not layer.has_inner


def call_in_graph(layer: Any, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The results of a layer's call, as tensors of the current graph.

    What the call assigns, such as moving averages, is an operation of the collection ``GraphKeys.UPDATE_OPS``.
    """
    if isinstance(layer, Linear) and isinstance(inputs, GraphTensor) and not args and not kwargs:
        return _in_parts(layer, inputs)
    call = _branching(layer)
    arguments = [inputs, args, kwargs]
    type, name, rest = _names(layer)
    updates = layer.updates_of(args, kwargs)
    if not updates:
        return record(call, arguments, type, name, rest)
    result = record(_keeping(call, updates), arguments, type, name, rest)

    def update(given: Any) -> list[Any]:
        call(given)
        return [variable.read_value() for variable in updates]

    operation, _ = record_operation(update, arguments, "AssignSub", "AssignMovingAvg")
    operation.writes = tuple(updates)
    layer.add_update(operation)
    return result


class Linear(ABC):
    """A layer that is a product with a kernel, a bias that is added, and an activation."""

    bias: Any
    activation: Any

    @abstractmethod
    def product(self, x: Any) -> Any:
        """The product with the kernel."""

    @abstractmethod
    def biased(self, y: Any) -> Any:
        """The product with the bias added."""


def _in_parts(layer: Linear, inputs: Any) -> Any:
    kind = next(c.__name__ for c in type(layer).__mro__ if c.__module__ in _OWN)
    if kind == "Dense" and inputs.shape.ndims != 2:
        kind = "Tensordot"
    result = record(layer.product, inputs, *_PRODUCTS.get(kind, (kind, kind)))
    if layer.bias is not None:
        result = record(layer.biased, result, "BiasAdd", "BiasAdd")
    activation = layer.activation
    label = getattr(activation, "__name__", type(activation).__name__)
    if activation is None or label == "linear":
        return result
    if not str(getattr(activation, "__module__", "")).startswith("polytape"):
        return activation(result)  # the program's own function, whose calls are recorded
    return record(lambda x: activation(x), result, *names_of(f"nn.{label}"))


def _branching(layer: Any) -> Callable[[Any], Any]:
    """The call as a function of its arguments; ``training`` may be a tensor."""

    def call(given: Any) -> Any:
        inputs, args, kwargs = given
        training = kwargs.get("training")
        if training is None or isinstance(training, (bool, int)):
            return layer.call(inputs, *args, **kwargs)
        return cond(
            training,
            lambda: layer.call(inputs, *args, **{**kwargs, "training": True}),
            lambda: layer.call(inputs, *args, **{**kwargs, "training": False}),
        )

    return call


def _keeping(call: Callable[[Any], Any], variables: list[Any]) -> Callable[[Any], Any]:
    """The call without its assignments to these variables."""

    def keep(given: Any) -> Any:
        trace = current_scope.get().trace
        if trace is None:
            before = [variable.array for variable in variables]
            try:
                return call(given)
            finally:
                for variable, array in zip(variables, before, strict=True):
                    variable.array = array
        values = {id(variable): trace.variable(variable) for variable in variables}
        written = {id(variable) for variable in variables if trace.assigns(variable)}
        result = call(given)
        trace.values.update(values)
        for key in values.keys() - written:
            trace.written.pop(key, None)
        return result

    return keep


def _names(layer: Any) -> tuple[str, str, str]:
    label = getattr(getattr(layer, "activation", None), "__name__", "linear")
    known = names_of(f"nn.{label}")
    if known[0] != label:
        return known
    kind = type(layer).__name__
    last = _LAST.get(kind)
    if last is None:
        last = "BiasAdd" if getattr(layer, "use_bias", False) else kind
    head, slash, tail = last.partition("/")
    return {"add_1": "Add", "mul": "Mul"}.get(tail, head), head, slash + tail
