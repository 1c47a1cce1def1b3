"""TensorFlow 1.7's names for arithmetic, reductions and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...dispatch.convert import asarray
from ...ops import arithmetic, exponential, manipulation, products, reduction, trigonometric
from ...tensors.tensor import Tensor, TensorLike
from ..mode import need_eager

__all__ = [
    "abs",
    "add",
    "cast",
    "divide",
    "exp",
    "identity",
    "log",
    "matmul",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "reduce_max",
    "reduce_mean",
    "reduce_sum",
    "reshape",
    "sqrt",
    "square",
    "stop_gradient",
    "subtract",
    "tanh",
]

Axis = int | Sequence[int] | None
Name = str | None


def abs(x: TensorLike, name: Name = None) -> Tensor:
    """Magnitude, elementwise."""
    need_eager("abs")
    return arithmetic.abs(x)


def add(x: TensorLike, y: TensorLike, name: Name = None) -> Tensor:
    """``x + y``, elementwise."""
    need_eager("add")
    return arithmetic.add(x, y)


def cast(x: TensorLike, dtype: Any, name: Name = None) -> Tensor:
    """Elements converted to another dtype."""
    need_eager("cast")
    return manipulation.astype(x, dtype)


def divide(x: TensorLike, y: TensorLike, name: Name = None) -> Tensor:
    """``x / y``, elementwise."""
    need_eager("divide")
    return arithmetic.divide(x, y)


def exp(x: TensorLike, name: Name = None) -> Tensor:
    """Exponential, elementwise."""
    need_eager("exp")
    return exponential.exp(x)


def identity(input: TensorLike, name: Name = None) -> Tensor:
    """A new tensor with the same values; for a variable, its current value."""
    need_eager("identity")
    return manipulation.identity(input)


def log(x: TensorLike, name: Name = None) -> Tensor:
    """Natural logarithm, elementwise."""
    need_eager("log")
    return exponential.log(x)


def matmul(
    a: TensorLike, b: TensorLike, transpose_a: bool = False, transpose_b: bool = False, name: Name = None
) -> Tensor:
    """Matrix product of the last two axes, either operand optionally transposed first."""
    need_eager("matmul")
    left = products.matrix_transpose(asarray(a)) if transpose_a else a
    right = products.matrix_transpose(asarray(b)) if transpose_b else b
    return products.matmul(left, right)


def maximum(x: TensorLike, y: TensorLike, name: Name = None) -> Tensor:
    """The larger of ``x`` and ``y``, elementwise."""
    need_eager("maximum")
    return arithmetic.maximum(x, y)


def minimum(x: TensorLike, y: TensorLike, name: Name = None) -> Tensor:
    """The smaller of ``x`` and ``y``, elementwise."""
    need_eager("minimum")
    return arithmetic.minimum(x, y)


def multiply(x: TensorLike, y: TensorLike, name: Name = None) -> Tensor:
    """``x * y``, elementwise."""
    need_eager("multiply")
    return arithmetic.multiply(x, y)


def negative(x: TensorLike, name: Name = None) -> Tensor:
    """``-x``, elementwise."""
    need_eager("negative")
    return arithmetic.negative(x)


def reduce_max(
    input_tensor: TensorLike,
    axis: Axis = None,
    keepdims: bool | None = None,
    name: Name = None,
    reduction_indices: Axis = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """Largest element over axes."""
    need_eager("reduce_max")
    keep = bool(keepdims or keep_dims)
    return reduction.max(input_tensor, axis=_axis(axis, reduction_indices), keepdims=keep)


def reduce_mean(
    input_tensor: TensorLike,
    axis: Axis = None,
    keepdims: bool | None = None,
    name: Name = None,
    reduction_indices: Axis = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """Arithmetic mean over axes."""
    need_eager("reduce_mean")
    keep = bool(keepdims or keep_dims)
    return reduction.mean(input_tensor, axis=_axis(axis, reduction_indices), keepdims=keep)


def reduce_sum(
    input_tensor: TensorLike,
    axis: Axis = None,
    keepdims: bool | None = None,
    name: Name = None,
    reduction_indices: Axis = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """Sum over axes."""
    need_eager("reduce_sum")
    keep = bool(keepdims or keep_dims)
    return reduction.sum(input_tensor, axis=_axis(axis, reduction_indices), keepdims=keep)


def reshape(tensor: TensorLike, shape: Sequence[int], name: Name = None) -> Tensor:
    """The same elements in another shape; one extent may be -1."""
    need_eager("reshape")
    return manipulation.reshape(tensor, tuple(shape))


def sqrt(x: TensorLike, name: Name = None) -> Tensor:
    """Square root, elementwise."""
    need_eager("sqrt")
    return exponential.sqrt(x)


def square(x: TensorLike, name: Name = None) -> Tensor:
    """``x * x``, elementwise."""
    need_eager("square")
    return arithmetic.square(x)


def stop_gradient(input: TensorLike, name: Name = None) -> Tensor:
    """The same values, with no gradient flowing back."""
    need_eager("stop_gradient")
    return manipulation.stop_gradient(input)


def subtract(x: TensorLike, y: TensorLike, name: Name = None) -> Tensor:
    """``x - y``, elementwise."""
    need_eager("subtract")
    return arithmetic.subtract(x, y)


def tanh(x: TensorLike, name: Name = None) -> Tensor:
    """Hyperbolic tangent, elementwise."""
    need_eager("tanh")
    return trigonometric.tanh(x)


def _axis(axis: Axis, reduction_indices: Axis) -> int | tuple[int, ...] | None:
    axes = reduction_indices if axis is None else axis
    return axes if axes is None or isinstance(axes, int) else tuple(axes)
