"""TensorFlow 1.7's initializers: classes whose objects make a tensor of a shape and a dtype.

The classes are names of ``tf.initializers`` and, as ``tf.zeros_initializer`` and so on, of ``tf``.
"""

from __future__ import annotations

import inspect
from typing import Any

import polytape as pt

from ...ops.manipulation import concat
from ...tensors.tensor import Tensor
from ..mode import building
from .compose.numbers import uniform_numbers
from .convert import generator, lookup, sizes, tensor
from .dtypes import DType, as_dtype, float32
from .graph.recording import call_or_record

__all__ = [
    "Constant",
    "Identity",
    "Initializer",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "UniformUnitScaling",
    "VarianceScaling",
    "Zeros",
    "constant",
    "glorot_normal_initializer",
    "glorot_uniform_initializer",
    "identity",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "uniform_unit_scaling",
    "variance_scaling",
    "zeros",
]


class Initializer:
    """The base class: an object that is called with a shape makes a tensor."""

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        """A tensor of ``shape`` and of ``dtype``, by default the initializer's own.

        Args:
            shape: any form of a shape.
            dtype: any form of a dtype.
            partition_info: accepted for compatibility with TensorFlow, and ignored.
        """
        wanted = lookup(dtype, self.dtype)
        if building():
            return call_or_record(self, shape, dtype)  # type: ignore[no-any-return]  # a tensor of the graph
        return self._values(sizes(shape), wanted)

    dtype: DType = float32

    def _values(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments that the initializer was made with; the dtype by its name."""
        names = list(inspect.signature(type(self).__init__).parameters)[1:]
        return {name: self.dtype.name if name == "dtype" else getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """An initializer made with these arguments."""
        return cls(**config)


class Zeros(Initializer):
    """All elements are 0."""

    def __init__(self, dtype: Any = float32) -> None:
        self.dtype = as_dtype(dtype)

    def _values(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        return pt.zeros(shape, dtype=dtype)


class Ones(Initializer):
    """All elements are 1."""

    def __init__(self, dtype: Any = float32) -> None:
        self.dtype = as_dtype(dtype)

    def _values(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        return pt.ones(shape, dtype=dtype)


class Constant(Initializer):
    """Given elements: one number for all, or a list whose last number fills the rest."""

    def __init__(self, value: Any = 0, dtype: Any = float32, verify_shape: bool = False) -> None:
        if not isinstance(value, (int, float, complex, list, tuple)) and not hasattr(value, "shape"):
            raise TypeError(f"Invalid type for initial value: {type(value)} (expected a Python scalar, list or array)")
        self.value = value
        self.dtype = as_dtype(dtype)
        self.verify_shape = verify_shape

    def _values(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        found = tensor(self.value, dtype)
        if self.verify_shape and found.shape != shape:
            raise TypeError(f"Expected Tensor's shape: {shape}, got {found.shape}.")
        wanted = 1
        for size in shape:
            wanted *= size
        flat = found.reshape((-1,))
        if flat.size > wanted:
            raise ValueError(f"Too many elements provided. Needed at most {wanted}, but received {flat.size}")
        if flat.size < wanted:
            rest = pt.full((wanted - flat.size,), flat[-1].item(), dtype=dtype)
            flat = concat([flat, rest])
        return flat.reshape(shape)


class RandomUniform(Initializer):
    """Uniform random numbers from ``minval`` to ``maxval``, exclusive."""

    def __init__(self, minval: Any = 0, maxval: Any = None, seed: Any = None, dtype: Any = float32) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed
        self.dtype = as_dtype(dtype)

    def _values(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        return uniform_numbers(shape, self.minval, self.maxval, dtype, self.seed)


class RandomNormal(Initializer):
    """Normal random numbers."""

    def __init__(self, mean: Any = 0.0, stddev: Any = 1.0, seed: Any = None, dtype: Any = float32) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed
        self.dtype = as_dtype(dtype)

    def _values(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        return pt.random.normal(shape, self.mean, self.stddev, dtype=dtype, generator=generator(self.seed))


class TruncatedNormal(Initializer):
    """Normal random numbers at most two standard deviations from the mean."""

    def __init__(self, mean: Any = 0.0, stddev: Any = 1.0, seed: Any = None, dtype: Any = float32) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed
        self.dtype = as_dtype(dtype)

    def _values(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        return pt.random.truncated_normal(shape, self.mean, self.stddev, dtype=dtype, generator=generator(self.seed))


class UniformUnitScaling(Initializer):
    """Uniform random numbers up to ``sqrt(3 / size) * factor``, which keeps the scale of products."""

    def __init__(self, factor: Any = 1.0, seed: Any = None, dtype: Any = float32) -> None:
        self.factor, self.seed = factor, seed
        self.dtype = as_dtype(dtype)

    def _values(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        size = 1.0
        for extent in shape[:-1]:
            size *= extent
        limit = (3 / max(size, 1.0)) ** 0.5 * self.factor
        return pt.random.uniform(shape, -limit, limit, dtype=dtype, generator=generator(self.seed))


class VarianceScaling(Initializer):
    """Random numbers whose variance is ``scale`` divided by a fan of the shape.

    Raises:
        ValueError: ``scale`` is not positive, or there is no such mode or distribution.
    """

    def __init__(
        self, scale: Any = 1.0, mode: str = "fan_in", distribution: str = "normal", seed: Any = None,
        dtype: Any = float32,
    ) -> None:  # fmt: skip
        if scale <= 0:
            raise ValueError("`scale` must be positive float.")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"Invalid `mode` argument: {mode}")
        if distribution.lower() not in ("normal", "uniform"):
            raise ValueError(f"Invalid `distribution` argument: {distribution}")
        self.scale, self.mode, self.distribution, self.seed = scale, mode, distribution.lower(), seed
        self.dtype = as_dtype(dtype)

    def _values(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        fan_in, fan_out = _fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "normal":  # as 1.7.0: not corrected for the truncation
            return pt.random.truncated_normal(shape, 0.0, variance**0.5, dtype=dtype, generator=generator(self.seed))
        limit = (3 * variance) ** 0.5
        return pt.random.uniform(shape, -limit, limit, dtype=dtype, generator=generator(self.seed))


def _fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """The numbers of inputs of an output and of outputs of an input, for weights [*window, inputs, outputs]."""
    if len(shape) < 2:
        return (1.0, 1.0) if not shape else (float(shape[0]), float(shape[0]))
    window = 1.0
    for extent in shape[:-2]:
        window *= extent
    return window * shape[-2], window * shape[-1]


class Orthogonal(Initializer):
    """An orthogonal matrix times ``gain``; the axes before the last are its rows.

    Raises:
        ValueError: at the call, for a shape with fewer than two axes.
    """

    def __init__(self, gain: Any = 1.0, seed: Any = None, dtype: Any = float32) -> None:
        self.gain, self.seed = gain, seed
        self.dtype = as_dtype(dtype)

    def _values(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        if len(shape) < 2:
            raise ValueError("The tensor to initialize must be at least two-dimensional")
        rows = 1
        for extent in shape[:-1]:
            rows *= extent
        found = pt.random.orthogonal((rows, shape[-1]), dtype=dtype, generator=generator(self.seed))
        return pt.reshape(found * self.gain, shape)


class Identity(Initializer):
    """The identity matrix times ``gain``.

    Raises:
        ValueError: at the call, for a shape without two axes.
    """

    def __init__(self, gain: Any = 1.0, dtype: Any = float32) -> None:
        self.gain = gain
        self.dtype = as_dtype(dtype)

    def _values(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        if len(shape) != 2:
            raise ValueError("Identity matrix initializer can only be used for 2D matrices.")
        return pt.multiply(pt.eye(*shape, dtype=dtype), self.gain)


def glorot_uniform_initializer(seed: Any = None, dtype: Any = float32) -> VarianceScaling:
    """Uniform random numbers of variance ``2 / (fan_in + fan_out)``."""
    return VarianceScaling(1.0, "fan_avg", "uniform", seed, dtype)


def glorot_normal_initializer(seed: Any = None, dtype: Any = float32) -> VarianceScaling:
    """Truncated normal random numbers of variance ``2 / (fan_in + fan_out)``."""
    return VarianceScaling(1.0, "fan_avg", "normal", seed, dtype)


zeros, ones, constant, identity = Zeros, Ones, Constant, Identity
random_uniform, random_normal, truncated_normal = RandomUniform, RandomNormal, TruncatedNormal
uniform_unit_scaling, variance_scaling, orthogonal = UniformUnitScaling, VarianceScaling, Orthogonal
