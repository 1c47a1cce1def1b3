"""Adapters for the elementwise entries of OpInfo."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import polytape as pt

from .mapped import Mapped, NotOffered, named

__all__ = ["ELEMENTWISE"]

ZERO_D = "a 0-d operand or a NumPy scalar takes part in promotion here, as in the array API standard"


def scaled(x: Any, factor: Any) -> Any:
    """``factor * x``; a factor of 1 changes no dtype."""
    return x if isinstance(factor, (int, float)) and not isinstance(factor, bool) and factor == 1 else x * factor


def divided(x: Any, y: Any, *, rounding_mode: str | None = None) -> Any:
    if rounding_mode == "floor":
        return pt.floor_divide(x, y)
    if rounding_mode == "trunc":
        if x.dtype.kind in "iu":
            return pt.floor_divide(x - pt.fmod(x, y), y)
        return pt.trunc(pt.divide(x, y))
    return pt.divide(x, y)


def rounded(x: Any, *, decimals: int = 0) -> Any:
    if decimals:
        raise NotOffered("round to decimals")
    return pt.round(x)


def clamped(x: Any, min: Any = None, max: Any = None) -> Any:
    return pt.clip(x, min, max)


def nan_to_num(x: Any, nan: Any = None, posinf: Any = None, neginf: Any = None) -> Any:
    return pt.nan_to_num(x, nan=0.0 if nan is None else nan, posinf=posinf, neginf=neginf)


def logit(x: Any, eps: float | None = None) -> Any:
    x = pt.astype(x, "float32") if x.dtype.kind in "biu" else x
    return pt.special.logit(x if eps is None else pt.clip(x, eps, 1 - eps))


def truth(x: Any) -> Any:
    """Whether elements are not 0: logical functions take bools only here, as in the array API standard."""
    return x if not isinstance(x, pt.Tensor) or x.dtype.kind == "b" else pt.not_equal(x, 0)


def ldexp(x: Any, y: Any) -> Any:
    if y.dtype.kind not in "iu":
        raise NotOffered("ldexp with an exponent that is no integer")
    return pt.ldexp(pt.astype(x, "float32") if x.dtype.kind in "biu" else x, y)


def addcmul(x: Any, a: Any, b: Any, *, value: Any = 1) -> Any:
    return pt.add(x, scaled(pt.multiply(a, b), value))


def addcdiv(x: Any, a: Any, b: Any, *, value: Any = 1) -> Any:
    return pt.add(x, scaled(pt.divide(a, b), value))


def power_of_two_log(x: Any, y: Any) -> Any:
    return pt.logaddexp(x * math.log(2), y * math.log(2)) / math.log(2)


def mvlgamma(x: Any, p: int) -> Any:
    total = sum((pt.special.lgamma(x - j / 2) for j in range(1, p)), pt.special.lgamma(x))
    return total + p * (p - 1) / 4 * math.log(math.pi)


OWN = "powers of floats keep their dtype here; torch computes them in float64"
WHOLE = "activations of integers are floating here"
SAME = """
    abs acos acosh asin asinh atan atanh ceil cos cosh deg2rad exp exp2 expm1 floor log log10 log1p log2 rad2deg
    reciprocal rsqrt signbit sin sinc sinh sqrt square tan tanh trunc isfinite isinf isnan angle
    positive real imag conj neg=negative conj_physical=conj resolve_conj=identity resolve_neg=identity
    clone=identity contiguous=identity alias_copy=identity sgn=sign sign
    bitwise_not=bitwise_invert isreal=isreal
    atan2 copysign eq=equal ne=not_equal ge=greater_equal gt=greater le=less_equal lt=less fmod remainder floor_divide
    true_divide=divide mul=multiply gcd lcm hypot logaddexp
    maximum minimum max/binary=maximum min/binary=minimum bitwise_and bitwise_or bitwise_xor bitwise_left_shift
    bitwise_right_shift pow=power isclose allclose equal=array_equal lerp
    div/no_rounding_mode=divide
"""

ELEMENTWISE: dict[str, Any] = {
    **{name: f for name, f in named(pt, SAME.replace("isreal=isreal", "")).items()},
    **named(
        pt.special,
        """
        digamma erf erfc erfinv lgamma xlogy special.xlog1py=xlog1py special.entr=entr special.ndtr=ndtr
        special.ndtri=ndtri special.log_ndtr=log_ndtr special.erfcx=erfcx special.zeta=zeta i0 special.i0e=i0e
        special.i1=i1 special.i1e=i1e special.modified_bessel_i0=i0 special.modified_bessel_i1=i1
        igamma=gammainc igammac=gammaincc
        """,
    ),
    "logical_not": lambda x: pt.logical_not(truth(x)),
    "logical_and": lambda x, y: pt.logical_and(truth(x), truth(y)),
    "logical_or": lambda x, y: pt.logical_or(truth(x), truth(y)),
    "logical_xor": lambda x, y: pt.logical_xor(truth(x), truth(y)),
    "ldexp": ldexp,
    "add": lambda x, y, *, alpha=1: pt.add(x, scaled(y, alpha)),
    "sub": lambda x, y, *, alpha=1: pt.subtract(x, scaled(y, alpha)),
    "rsub": lambda x, y, *, alpha=1: pt.subtract(y, scaled(x, alpha)),
    "__radd__": lambda x, y: y + x,
    "__rdiv__": lambda x, y: y / x,
    "__rmul__": lambda x, y: y * x,
    "__rand__": lambda x, y: y & x,
    "__ror__": lambda x, y: y | x,
    "__rxor__": lambda x, y: y ^ x,
    "__rmod__": lambda x, y: y % x,
    "__rpow__": lambda x, y: y**x,
    "__rsub__": lambda x, y: y - x,
    "div/trunc_rounding": divided,
    "div/floor_rounding": divided,
    "frac": lambda x: x - pt.trunc(x),
    "isposinf": lambda x: pt.equal(x, math.inf),
    "isneginf": lambda x: pt.equal(x, -math.inf),
    "isreal": lambda x: pt.equal(pt.imag(x), 0) if x.dtype.kind == "c" else pt.ones_like(x, dtype=pt.bool),
    "clamp": clamped,
    "clamp_max": lambda x, max: pt.clip(x, None, max),
    "clamp_min": lambda x, min: pt.clip(x, min, None),
    "nn.functional.hardtanh": Mapped(
        lambda x, min_val=-1.0, max_val=1.0: pt.nn.hard_tanh(x, min_val=min_val, max_val=max_val),
        leave={"int64": WHOLE},
    ),
    "round": rounded,
    "round/decimals_0": rounded,
    "fmax": lambda x, y: pt.where(pt.isnan(x), y, pt.where(pt.isnan(y), x, pt.maximum(x, y))),
    "fmin": lambda x, y: pt.where(pt.isnan(x), y, pt.where(pt.isnan(y), x, pt.minimum(x, y))),
    "nan_to_num": nan_to_num,
    "logit": logit,
    "addcmul": addcmul,
    "addcdiv": addcdiv,
    "logaddexp2": power_of_two_log,
    "frexp": lambda x: tuple(pt.frexp(x)),
    "sigmoid": pt.nn.sigmoid,
    "complex": lambda x, y: pt.add(x, y * 1j),
    "polar": lambda r, angle: pt.multiply(r, pt.exp(angle * 1j)),
    "mvlgamma/mvlgamma_p_1": mvlgamma,
    "mvlgamma/mvlgamma_p_3": mvlgamma,
    "mvlgamma/mvlgamma_p_5": mvlgamma,
    **{f"polygamma/polygamma_n_{n}": lambda x, k: pt.special.polygamma(k, x) for n in range(5)},
    "special.polygamma/special_polygamma_n_0": lambda x, k: pt.special.polygamma(k, x),
    # torch's operands stand in the order (n, x) for some samples and (x, n) for others, as the method or the function.
    "nn.functional.threshold": lambda x, threshold, value: pt.where(pt.greater(x, threshold), x, value),
    "masked_fill": Mapped(pt.masked_fill, leave={"bool": "the value promotes here: bool and 10 make int32"}),
    "heaviside": Mapped(pt.heaviside, dtype="the step function of integers is floating here, as in NumPy"),
    "float_power": Mapped(pt.float_power, dtype=OWN, leave={"float16": OWN, "bfloat16": OWN}),
    "nextafter": Mapped(pt.nextafter, gradient="torch passes gradients through; there is none here, as in JAX"),
    "where": lambda x, condition, y: pt.where(condition, x, y),
    "lerp": lambda x, y, weight: pt.lerp(x, y, weight),
    "sum_to_size": lambda x, *shape: summed_to(x, shape[0] if isinstance(shape[0], (tuple, list)) else shape),
    "bfloat16": lambda x: pt.astype(x, "bfloat16"),
    "bool": lambda x: pt.astype(x, "bool"),
    "byte": lambda x: pt.astype(x, "uint8"),
    "char": lambda x: pt.astype(x, "int8"),
    "double": lambda x: pt.astype(x, "float64"),
    "float": lambda x: pt.astype(x, "float32"),
    "half": lambda x: pt.astype(x, "float16"),
    "int": lambda x: pt.astype(x, "int32"),
    "long": lambda x: pt.astype(x, "int64"),
    "short": lambda x: pt.astype(x, "int16"),
    "cdouble": lambda x: pt.astype(x, "complex128"),
    "cfloat": lambda x: pt.astype(x, "complex64"),
    "to": lambda x, *args, dtype=None, copy=False: cast(x, args, dtype),
    "item": lambda x: x.item(),
    "isin": lambda x, y, *, invert=False, assume_unique=False: pt.isin(x, y, invert=invert),
}


def cast(x: Any, args: tuple[Any, ...], dtype: Any) -> Any:
    kinds = [part for part in (*args, dtype) if isinstance(part, np.dtype)]
    likes = [part.dtype for part in args if isinstance(part, pt.Tensor)]
    return pt.astype(x, (kinds + likes)[0]) if kinds or likes else pt.identity(x)


def summed_to(x: Any, shape: tuple[int, ...]) -> Any:
    if shape and x.shape == tuple(shape):
        return x
    lead = x.ndim - len(shape)
    axes = (*range(lead), *(k + lead for k, n in enumerate(shape) if n == 1))
    dtype = "int64" if x.dtype.kind in "biu" else x.dtype
    return pt.reshape(pt.sum(x, axes, keepdims=True, dtype=dtype), tuple(shape))
