"""Nodes that compute element by element: arithmetic, comparisons, activations, casts."""

from __future__ import annotations

import functools
from typing import Any

import polytape as pt

from ....ops.representation import bitcast
from .registry import as_dtype, node, same

same({
    "Abs": pt.abs, "Acos": pt.acos, "Acosh": pt.acosh, "Add": pt.add, "And": pt.logical_and, "Asin": pt.asin,
    "Asinh": pt.asinh, "Atan": pt.atan, "Atanh": pt.atanh, "BitwiseAnd": pt.bitwise_and,
    "BitwiseNot": pt.bitwise_invert, "BitwiseOr": pt.bitwise_or, "BitwiseXor": pt.bitwise_xor, "Ceil": pt.ceil,
    "Cos": pt.cos, "Cosh": pt.cosh, "Equal": pt.equal, "Erf": pt.special.erf, "Exp": pt.exp, "Floor": pt.floor,
    "Greater": pt.greater, "GreaterOrEqual": pt.greater_equal, "HardSwish": pt.nn.hard_swish, "IsNaN": pt.isnan,
    "Less": pt.less, "LessOrEqual": pt.less_equal, "Log": pt.log, "MatMul": pt.matmul, "Mish": pt.nn.mish,
    "Mul": pt.multiply, "Neg": pt.negative, "Not": pt.logical_not, "Or": pt.logical_or, "PRelu": pt.nn.prelu,
    "Reciprocal": pt.reciprocal, "Relu": pt.nn.relu, "Round": pt.round, "Sigmoid": pt.nn.sigmoid, "Sign": pt.sign,
    "Sin": pt.sin, "Sinh": pt.sinh, "Softplus": pt.nn.softplus, "Softsign": pt.nn.softsign, "Sqrt": pt.sqrt,
    "Sub": pt.subtract, "Tan": pt.tan, "Tanh": pt.tanh, "Where": pt.where, "Xor": pt.logical_xor,
})  # fmt: skip


@node("Identity")
def _identity(x: Any) -> Any:
    return x


@node("Max")
def _maximum(*xs: Any) -> Any:
    return functools.reduce(pt.maximum, xs)


@node("Min")
def _minimum(*xs: Any) -> Any:
    return functools.reduce(pt.minimum, xs)


@node("Sum")
def _add(*xs: Any) -> Any:
    return functools.reduce(pt.add, xs)


@node("Mean")
def _mean(*xs: Any) -> Any:
    return _add(*xs) / len(xs)


@node("Div")
def _divide(x1: Any, x2: Any) -> Any:
    if not pt.isdtype(x1.dtype, "integral"):
        return pt.divide(x1, x2)
    # The quotient of integers is rounded towards 0.
    return pt.floor_divide(x1 - pt.fmod(x1, x2), x2)


@node("Mod")
def _modulo(x1: Any, x2: Any, *, fmod: int = 0) -> Any:
    return pt.fmod(x1, x2) if fmod else pt.remainder(x1, x2)


@node("Pow")
def _power(x1: Any, x2: Any) -> Any:
    """The base alone determines the dtype of the result."""
    if pt.isdtype(x2.dtype, "integral") and x2.dtype != x1.dtype:
        x2 = pt.astype(x2, x1.dtype)
    return pt.astype(pt.power(x1, x2), x1.dtype)


@node("Clip")
def _clip(x: Any, low: Any = None, high: Any = None, *, min: Any = None, max: Any = None) -> Any:
    return pt.clip(x, low if min is None else min, high if max is None else max)


@node("BitShift")
def _shift(x: Any, distance: Any, *, direction: str) -> Any:
    return (pt.bitwise_left_shift if direction == "LEFT" else pt.bitwise_right_shift)(x, distance)


@node("IsInf")
def _isinf(x: Any, *, detect_negative: int = 1, detect_positive: int = 1) -> Any:
    wanted = (x > 0) if not detect_negative else (x < 0) if not detect_positive else True
    return pt.logical_and(pt.isinf(x), wanted)


# --- activations ------------------------------------------------------------------------------------------------------


@node("Celu")
def _celu(x: Any, *, alpha: float = 1.0) -> Any:
    return pt.nn.celu(x, alpha=alpha)


@node("Elu")
def _elu(x: Any, *, alpha: float = 1.0) -> Any:
    return pt.nn.elu(x, alpha=alpha)


@node("Gelu")
def _gelu(x: Any, *, approximate: str = "none") -> Any:
    return pt.nn.gelu(x, approximate=approximate == "tanh")


@node("HardSigmoid")
def _hard_sigmoid(x: Any, *, alpha: float = 0.2, beta: float = 0.5) -> Any:
    return pt.clip(alpha * x + beta, 0, 1)


@node("LeakyRelu")
def _leaky_relu(x: Any, *, alpha: float = 0.01) -> Any:
    return pt.nn.leaky_relu(x, negative_slope=alpha)


@node("Selu")
def _selu(x: Any, *, alpha: float = 1.6732631921768188, gamma: float = 1.0507010221481323) -> Any:
    return gamma * pt.nn.elu(x, alpha=alpha)


@node("Shrink")
def _shrink(x: Any, *, lambd: float = 0.5, bias: float = 0.0) -> Any:
    """`pt.nn.hardshrink` for a bias of 0 and `pt.nn.softshrink` for a bias of lambd, if the dtype is floating."""
    if pt.isdtype(x.dtype, "real floating") and bias in (0.0, lambd):
        return (pt.nn.softshrink if bias else pt.nn.hardshrink)(x, lambd=lambd)
    shrunk = pt.where(x > lambd, x - bias, pt.where(x < -lambd, x + bias, 0))
    return pt.astype(shrunk, x.dtype)


@node("SwiGLU")
def _swiglu(x: Any, gate: Any, *, alpha: float = 1.0) -> Any:
    return _swish(x, alpha=alpha) * gate


@node("Swish")
def _swish(x: Any, *, alpha: float = 1.0) -> Any:
    return pt.nn.silu(x) if alpha == 1.0 else x * pt.nn.sigmoid(alpha * x)


@node("Binarizer")
def _binarizer(x: Any, *, threshold: float = 0.0) -> Any:
    return pt.astype(x > threshold, x.dtype)


@node("ThresholdedRelu")
def _thresholded_relu(x: Any, *, alpha: float = 1.0) -> Any:
    return pt.where(x > alpha, x, 0)


# --- casts ------------------------------------------------------------------------------------------------------------


@node("Cast")
def _cast(x: Any, *, to: int, saturate: int = 1, round_mode: str = "up") -> Any:
    """The attributes other than the dtype concern 8-bit floating-point numbers only."""
    return pt.astype(x, as_dtype(to))


@node("CastLike")
def _cast_like(x: Any, target: Any, *, saturate: int = 1, round_mode: str = "up") -> Any:
    return pt.astype(x, target.dtype)


@node("BitCast")
def _bit_cast(x: Any, *, to: int) -> Any:
    return bitcast(x, dtype=as_dtype(to))


@node("Dropout", host="ratio training_mode")
def _dropout(x: Any, ratio: Any = 0.5, training_mode: Any = False, *, seed: int = 0) -> tuple[Any, Any]:
    rate = float(ratio) if training_mode is not None and bool(training_mode) and ratio is not None else 0.0
    kept = pt.ones(x.shape, dtype=pt.bool)
    return (pt.nn.dropout(x, rate) if rate else x), kept
