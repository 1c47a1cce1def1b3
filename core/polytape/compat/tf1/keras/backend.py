"""TensorFlow 1.7's ``tf.keras.backend``: the functions that programs of layers use."""

from __future__ import annotations

from typing import Any

import numpy as np

from .... import dtypes
from ....dispatch.convert import asarray, cast as _cast
from ....ops import creation, exponential, manipulation, movement, products, reduction
from ....ops.arithmetic import abs as magnitude, maximum
from ....ops.contractions import dot as contracted
from ....ops.elementwise import clip as _clip
from ....ops.joining import stack as stacked
from ....ops.nn import norms
from ....ops.rearranging import expand_dims as inserted, squeeze as removed
from ....tensors.tensor import Tensor
from ....tensors.variable import Variable
from ...mode import building
from ..graph.keras_sessions import close_session, get_session, set_session
from ..layers.naming import unique_name
from ..variables.creation import create
from ..variables.resetting import reset_default_graph
from .activations import elu, hard_sigmoid, relu, sigmoid, softmax, softplus, softsign, tanh
from .losses import categorical_crossentropy, sparse_categorical_crossentropy

__all__ = [
    "abs",
    "batch_flatten",
    "cast",
    "categorical_crossentropy",
    "clear_session",
    "clip",
    "concatenate",
    "constant",
    "dot",
    "dtype",
    "elu",
    "epsilon",
    "eval",
    "exp",
    "expand_dims",
    "floatx",
    "gather",
    "get_session",
    "get_uid",
    "get_value",
    "hard_sigmoid",
    "image_data_format",
    "int_shape",
    "l2_normalize",
    "learning_phase",
    "log",
    "max",
    "mean",
    "min",
    "ndim",
    "ones",
    "permute_dimensions",
    "pow",
    "relu",
    "reshape",
    "set_session",
    "set_value",
    "shape",
    "sigmoid",
    "softmax",
    "softplus",
    "softsign",
    "sparse_categorical_crossentropy",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "stop_gradient",
    "sum",
    "tanh",
    "transpose",
    "variable",
    "zeros",
]

_EPSILON = 1e-7


def epsilon() -> float:
    """1e-7, which Keras adds or clips to."""
    return _EPSILON


def floatx() -> str:
    """``"float32"``."""
    return "float32"


def image_data_format() -> str:
    """``"channels_last"``."""
    return "channels_last"


def learning_phase() -> int:
    """0: in eager mode, pass ``training=`` to calls."""
    return 0


def get_uid(prefix: str = "") -> int:
    """How often this was called with the prefix."""
    return int(unique_name(f"uid {prefix}").rsplit("_", 1)[1])


def dtype(x: Any) -> str:
    """The dtype's name."""
    return str(dtypes.lookup(x.dtype))


def int_shape(x: Any) -> tuple[int | None, ...]:
    """The shape as a tuple of ints, None for unknown sizes."""
    return tuple(None if size is None else int(size) for size in getattr(x.shape, "as_list", lambda: x.shape)())


def shape(x: Any) -> Tensor:
    """The shape as an int32 tensor."""
    return asarray(list(int_shape(x)), dtypes.int32)


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(x.shape)


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Variable:
    """A variable; of a NumPy array with its dtype, else float32."""
    kind = dtype or (None if hasattr(value, "dtype") else "float32")
    return create(value, dtype=kind, name=name, constraint=constraint)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Tensor:
    """A tensor of these elements, float32 by default."""
    tensor = asarray(value, dtype or "float32")
    if shape is None:
        return tensor
    sizes = tuple(shape)
    return manipulation.broadcast_to(tensor, sizes) if tensor.size == 1 else manipulation.reshape(tensor, sizes)


def clear_session() -> None:
    """Close the session of Keras, and begin with an empty graph."""
    if building():
        close_session()
    reset_default_graph()


def get_value(x: Any) -> Any:
    """The value of a variable or tensor, as a NumPy array; in a graph by the session of Keras."""
    return get_session().run(x) if building() else x.numpy()


def eval(x: Any) -> Any:
    """The value of a variable or tensor, as a NumPy array; in a graph by the session of Keras."""
    return get_session().run(x) if building() else x.numpy()


def set_value(x: Variable, value: Any) -> None:
    """Assign a variable; in a graph in the session of Keras."""
    if building():
        x.load(value, get_session())  # type: ignore[attr-defined]  # a graph's variable has it
        return
    x.assign(asarray(np.asarray(value), x.dtype))


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable of zeros, float32 by default."""
    return create(creation.zeros(tuple(shape), dtype=dtype or "float32"), name=name)


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable of ones, float32 by default."""
    return create(creation.ones(tuple(shape), dtype=dtype or "float32"), name=name)


def cast(x: Any, dtype: Any) -> Tensor:
    """Elements converted to another dtype."""
    return _cast(asarray(x), dtypes.lookup(dtype))


def dot(x: Any, y: Any) -> Tensor:
    """The product of the last axis of ``x`` and the last but one of ``y``."""
    return contracted(x, y) if len(y.shape) > 2 else products.matmul(x, y)


def transpose(x: Any) -> Tensor:
    """All axes in the opposite order."""
    return manipulation.permute_dims(x, tuple(range(len(x.shape)))[::-1])


def permute_dimensions(x: Any, pattern: Any) -> Tensor:
    """The axes in another order."""
    return manipulation.permute_dims(x, tuple(pattern))


def reshape(x: Any, shape: Any) -> Tensor:
    """The elements in another shape."""
    return manipulation.reshape(x, tuple(int(size) for size in shape))


def batch_flatten(x: Any) -> Tensor:
    """All axes but the first as one."""
    return manipulation.reshape(x, (x.shape[0], -1))


def expand_dims(x: Any, axis: int = -1) -> Tensor:
    """An axis of size 1 inserted."""
    return inserted(x, axis=axis)


def squeeze(x: Any, axis: int) -> Tensor:
    """An axis of size 1 removed."""
    return removed(x, axis=axis)


def concatenate(tensors: Any, axis: int = -1) -> Tensor:
    """Tensors behind each other."""
    return manipulation.concat(list(tensors), axis=axis)


def stack(x: Any, axis: int = 0) -> Tensor:
    """Tensors along a new axis."""
    return stacked(list(x), axis=axis)


def gather(reference: Any, indices: Any) -> Tensor:
    """Rows by index."""
    return movement.take(reference, indices, axis=0)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The sum over axes."""
    return reduction.sum(x, axis=_axis(axis), keepdims=keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The mean over axes."""
    return reduction.mean(x, axis=_axis(axis), keepdims=keepdims)


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The largest element over axes."""
    return reduction.max(x, axis=_axis(axis), keepdims=keepdims)


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The smallest element over axes."""
    return reduction.min(x, axis=_axis(axis), keepdims=keepdims)


def _axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def abs(x: Any) -> Tensor:
    """The magnitude."""
    return magnitude(x)


def square(x: Any) -> Tensor:
    """``x * x``."""
    y: Tensor = x * x
    return y


def sqrt(x: Any) -> Tensor:
    """The square root, of 0 for negative elements."""
    return exponential.sqrt(maximum(x, 0.0))


def exp(x: Any) -> Tensor:
    """The exponential."""
    return exponential.exp(x)


def log(x: Any) -> Tensor:
    """The natural logarithm."""
    return exponential.log(x)


def pow(x: Any, a: Any) -> Tensor:
    """``x ** a``."""
    y: Tensor = x**a
    return y


def clip(x: Any, min_value: Any, max_value: Any) -> Tensor:
    """``x`` limited to an interval."""
    return _clip(x, min_value, max_value)


def l2_normalize(x: Any, axis: int | None = None) -> Tensor:
    """Vectors along an axis scaled to norm 1."""
    return norms.l2_normalize(x, axis=axis)


def stop_gradient(variables: Any) -> Any:
    """The same values, without gradients."""
    if isinstance(variables, (list, tuple)):
        return [manipulation.stop_gradient(x) for x in variables]
    return manipulation.stop_gradient(variables)
