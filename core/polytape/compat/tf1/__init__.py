"""TensorFlow 1.7's names, as its eager programs use them: ``from polytape.compat import tf1 as tf``.

Tensors are polytape's own. Ops accept a ``name`` and ignore it.
"""

from __future__ import annotations

from ...autodiff.tape import GradientTape
from ...dtypes import (
    bool_,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from ...placement.default_backend import device
from ...tensors.tensor import Tensor
from ..mode import GraphModeError, enable_eager_execution, executing_eagerly
from . import nn, train
from .creation import constant, convert_to_tensor, ones, random_normal, random_uniform, set_random_seed, zeros
from .math import (
    abs,
    add,
    cast,
    divide,
    exp,
    identity,
    log,
    matmul,
    maximum,
    minimum,
    multiply,
    negative,
    reduce_max,
    reduce_mean,
    reduce_sum,
    reshape,
    sqrt,
    square,
    stop_gradient,
    subtract,
    tanh,
)
from .variables import Variable

bool = bool_
half = float16
double = float64

__all__ = [
    "GradientTape",
    "GraphModeError",
    "Tensor",
    "Variable",
    "abs",
    "add",
    "bool",
    "cast",
    "complex64",
    "complex128",
    "constant",
    "convert_to_tensor",
    "device",
    "divide",
    "double",
    "enable_eager_execution",
    "executing_eagerly",
    "exp",
    "float16",
    "float32",
    "float64",
    "half",
    "identity",
    "int8",
    "int16",
    "int32",
    "int64",
    "log",
    "matmul",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "nn",
    "ones",
    "random_normal",
    "random_uniform",
    "reduce_max",
    "reduce_mean",
    "reduce_sum",
    "reshape",
    "set_random_seed",
    "sqrt",
    "square",
    "stop_gradient",
    "subtract",
    "tanh",
    "train",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "zeros",
]
