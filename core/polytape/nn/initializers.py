"""Initializers: the values that weights begin with.

An initializer is called with a shape and a dtype and returns a tensor. Layers take one, its name in lower case, such as
``"he_normal"``, a number or array that is the value itself, or any function ``(shape, dtype) -> tensor``.

The fans of a weight [*window, channels in, channels out] are the numbers of inputs of an output, ``window * channels
in``, and of outputs of an input, ``window * channels out``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from ..dispatch.convert import asarray
from ..errors import DTypeError, SettingError, ShapeError
from ..ops.creation import eye, full, ones, zeros
from ..ops.products import matrix_transpose
from ..random import Generator, normal, orthogonal, truncated_normal, uniform
from ..tensors.tensor import Tensor
from .variance_scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Initializer,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    weight_dtype,
)

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Normal",
    "Ones",
    "Orthogonal",
    "TruncatedNormal",
    "Uniform",
    "VarianceScaling",
    "Zeros",
]

Shape = tuple[int, ...]


class Zeros(Initializer):
    """All elements are 0."""

    def __call__(self, shape: Shape, dtype: Any = None) -> Tensor:
        """The values; see `Initializer`."""
        return zeros(shape, dtype=dtype)


class Ones(Initializer):
    """All elements are 1."""

    def __call__(self, shape: Shape, dtype: Any = None) -> Tensor:
        """The values; see `Initializer`."""
        return ones(shape, dtype=dtype)


class Constant(Initializer):
    """Given elements.

    Args:
        value: a number for all elements, or an array of the weight's shape.

    Raises:
        ShapeError: at the call, for an array of another shape.
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, shape: Shape, dtype: Any = None) -> Tensor:
        """The values; see `Initializer`."""
        if isinstance(self.value, (bool, int, float)):
            return full(shape, self.value, dtype=weight_dtype(dtype))
        value = asarray(self.value, dtype)
        if value.shape != tuple(shape):
            raise ShapeError(
                "the initial value does not fit the weight.",
                expected=f"shape {tuple(shape)}",
                got=f"shape {value.shape}",
                fix="pass an array of the weight's shape, or a number",
            )
        return value


class Uniform(Initializer):
    """Uniform random numbers.

    Args:
        low, high: the range.
        generator: default: the process's default generator.
    """

    def __init__(self, low: float = -0.05, high: float = 0.05, *, generator: Generator | None = None) -> None:
        self.low, self.high, self.generator = low, high, generator

    def __call__(self, shape: Shape, dtype: Any = None) -> Tensor:
        """The values; see `Initializer`."""
        return uniform(shape, self.low, self.high, dtype=weight_dtype(dtype), generator=self.generator)


class Normal(Initializer):
    """Normal random numbers.

    Args:
        mean, stddev: of the distribution.
        generator: default: the process's default generator.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, *, generator: Generator | None = None) -> None:
        self.mean, self.stddev, self.generator = mean, stddev, generator

    def __call__(self, shape: Shape, dtype: Any = None) -> Tensor:
        """The values; see `Initializer`."""
        return normal(shape, self.mean, self.stddev, dtype=weight_dtype(dtype), generator=self.generator)


class TruncatedNormal(Initializer):
    """Normal random numbers, at most two standard deviations from the mean; their own deviation is 0.88 of it.

    Args:
        mean, stddev: of the distribution before it is truncated.
        generator: default: the process's default generator.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, *, generator: Generator | None = None) -> None:
        self.mean, self.stddev, self.generator = mean, stddev, generator

    def __call__(self, shape: Shape, dtype: Any = None) -> Tensor:
        """The values; see `Initializer`."""
        return truncated_normal(shape, self.mean, self.stddev, dtype=weight_dtype(dtype), generator=self.generator)


class Orthogonal(Initializer):
    """A matrix with orthonormal columns, or rows if there are fewer of these. Leading axes count as rows.

    Args:
        gain: a factor.
        generator: default: the process's default generator.

    Raises:
        ShapeError: at the call, for a shape with fewer than two axes.
    Source:
        A. Saxe, J. McClelland, S. Ganguli (2014), ICLR, arXiv:1312.6120.
    """

    def __init__(self, gain: float = 1.0, *, generator: Generator | None = None) -> None:
        self.gain, self.generator = gain, generator

    def __call__(self, shape: Shape, dtype: Any = None) -> Tensor:
        """The values; see `Initializer`."""
        matrix = shape if len(shape) < 2 else (math.prod(shape[:-1]), shape[-1])
        values = orthogonal(matrix, dtype=weight_dtype(dtype), generator=self.generator)
        return (values * self.gain).reshape(shape)


class Identity(Initializer):
    """The identity matrix, with rows or columns of 0 if it is not square.

    Args:
        gain: a factor.

    Raises:
        ShapeError: at the call, for a shape that is not that of a matrix.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Shape, dtype: Any = None) -> Tensor:
        """The values; see `Initializer`."""
        if len(shape) != 2:
            raise ShapeError(
                "Identity initializes matrices.",
                expected="a shape of two axes",
                got=f"shape {tuple(shape)}",
                fix="use another initializer for this weight",
            )
        return eye(shape[0], shape[1], dtype=weight_dtype(dtype)) * self.gain


class Transposed(Initializer):
    """What ``initializer`` gives for the shape with its last two axes exchanged, for weights [..., out, in]."""

    def __init__(self, initializer: Any) -> None:
        self.initializer = initializer

    def __call__(self, shape: Shape, dtype: Any = None) -> Tensor:
        """The values; see `Initializer`."""
        values = find(self.initializer)((*shape[:-2], shape[-1], shape[-2]), dtype)
        return matrix_transpose(asarray(values, dtype))


def find(initializer: Any) -> Callable[[Shape, Any], Any]:
    """The initializer that an argument of a layer stands for.

    Raises:
        SettingError: no initializer has this name. DTypeError: something that is no initializer.
    """
    if isinstance(initializer, str):
        names = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower(): name for name in __all__}
        if initializer not in names or initializer == "initializer":
            raise SettingError(
                f"there is no initializer {initializer!r}.",
                expected=", ".join(sorted(names.keys() - {"constant", "initializer"})),
                got=repr(initializer),
                fix="pass one of these names, or an object of polytape.nn.initializers",
            )
        initializer = globals()[names[initializer]]
    if isinstance(initializer, type) and issubclass(initializer, Initializer):
        initializer = initializer()
    if callable(initializer):
        return initializer  # type: ignore[no-any-return]  # its signature is checked by the call
    if isinstance(initializer, (bool, int, float, list, Tensor)) or hasattr(initializer, "__array__"):
        return Constant(initializer)
    raise DTypeError(
        f"{initializer!r} is not an initializer.",
        expected="an object of polytape.nn.initializers, a name such as 'he_normal', a number or an array",
        got=f"{initializer!r} of type {type(initializer).__name__}",
        fix="pass one of these",
    )
