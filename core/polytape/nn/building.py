"""Making weights, at the first call or for declared shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import index
from typing import Any, Final

from ..dispatch.convert import asarray
from ..errors import DTypeError, ShapeError
from ..locks import renewed_lock
from ..ops.creation import zeros
from ..placement.default_backend import device as on_device
from ..registry.tensor_type import TensorType
from ..tensors.scope import NO_SCOPE, current_scope
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable
from . import initializers
from .variance_scaling import weight_dtype

__all__ = ["build_by_tracing", "build_for", "lock", "new_weight", "outside", "sizes"]

Shape = tuple[int | None, ...]
# Two threads that call a module for the first time make its weights once.
lock: Final = renewed_lock()


@contextmanager
def outside() -> Iterator[None]:
    """Compute at once and unrecorded, even while a function is traced: weights outlive the graph and the tape."""
    scope = current_scope.get()
    try:
        current_scope.set(NO_SCOPE)
        yield
    finally:
        current_scope.set(scope)


def new_weight(name: str, shape: tuple[int, ...], initializer: Any, dtype: Any, trainable: bool) -> Variable:
    """A variable with the initializer's value."""
    with outside():
        value = initializers.find(initializer)(shape, weight_dtype(dtype))
        found = asarray(value, dtype)
        if found.shape != shape:
            raise ShapeError(
                f"the initial value of {name} has another shape than the weight.",
                expected=f"shape {shape}",
                got=f"shape {found.shape}",
                fix="return the shape that the initializer is called with",
            )
        return Variable(found, trainable, name)


def build_for(build: Callable[..., None], args: tuple[Any, ...], kwargs: dict[str, Any], count: int) -> None:
    """Call ``build`` with the shapes of the first ``count`` arguments of a call, for weights on their device."""
    inputs = [x for x in (args or tuple(kwargs.values())) if x is not None and not isinstance(x, (bool, str))][:count]
    if not inputs:
        raise DTypeError(
            "the weights cannot be made.",
            expected="a tensor as first argument, whose shape decides theirs",
            got="no tensor",
            fix="pass the tensor first, or call build(shape) before",
        )
    shapes = [shape_of(x) for x in inputs]
    tensors = [x for x in inputs if isinstance(x, Tensor)]
    if not tensors:
        build(*shapes)
        return
    with on_device(tensors[0].device):
        build(*shapes)


def shape_of(x: Any) -> Any:
    """The shape of an argument; for a nested structure of tensors, a tuple of shapes."""
    if isinstance(x, (list, tuple)) and any(isinstance(item, Tensor) for item in x):
        return tuple(shape_of(item) for item in x)
    shape = getattr(x, "shape", None)
    return tuple(asarray(x).shape if shape is None else shape)


def build_by_tracing(module: Callable[..., Any], shapes: Sequence[Any], dtype: Any = None) -> None:
    """Call a module on symbolic tensors of these shapes, which makes the weights of all modules that it calls."""
    from ..graph.tracing import trace  # most programs do not declare shapes

    kind = zeros((), dtype=weight_dtype(dtype)).type
    inputs: list[tuple[str, TensorType, tuple[int, ...]]] = []

    def position(shape: Any) -> Any:
        """The place of an argument of this shape among the inputs; of several, if it is a tuple of shapes."""
        if any(isinstance(size, tuple) for size in shape):
            return [position(part) for part in shape]
        inputs.append((f"input_{len(inputs)}", kind, tuple(1 if size is None else size for size in shape)))
        return len(inputs) - 1

    positions = [position(sizes(shape)) for shape in shapes]

    def body(symbols: list[Tensor]) -> Sequence[Tensor]:
        def argument(place: Any) -> Any:
            return tuple(map(argument, place)) if isinstance(place, list) else symbols[place]

        module(*map(argument, positions))
        return ()

    trace("build", inputs, body)


def sizes(shape: Any) -> Any:
    """A declared shape as a tuple; a tuple of shapes for several inputs.

    Raises:
        DTypeError: it is neither.
    """
    if isinstance(shape, (list, tuple)):
        if any(isinstance(size, (list, tuple)) for size in shape):
            return tuple(sizes(part) for part in shape)
        if all(size is None or hasattr(size, "__index__") for size in shape):
            return tuple(None if size is None else index(size) for size in shape)
    raise DTypeError(
        f"{shape!r} is not the shape of an input.",
        expected="a tuple of sizes, with None for any size, such as (None, 784)",
        got=f"{shape!r} of type {type(shape).__name__}",
        fix="pass the shape with the axis of the batch",
    )
