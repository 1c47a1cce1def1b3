"""The base class of initializers, and those whose variance follows from the shape of the weight."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Final

from .. import dtypes
from ..errors import SettingError
from ..random import Generator, normal, truncated_normal, uniform
from ..tensors.tensor import Tensor
from .describing import construction

__all__ = [
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "VarianceScaling",
    "weight_dtype",
]

Shape = tuple[int, ...]
# The standard deviation of a standard normal distribution that is cut off at two standard deviations.
_TRUNCATED_DEVIATION: Final = 0.87962566103423978


class Initializer:
    """Base class of the initializers: an object that is called with a shape and a dtype."""

    def __call__(self, shape: Shape, dtype: Any = None) -> Tensor:
        """The values.

        Args:
            shape: of the weight.
            dtype: real floating; default: the default real floating dtype.
        Returns:
            ``shape``, ``dtype``, on the device of new tensors.
        """
        raise NotImplementedError

    def __deepcopy__(self, memo: Any) -> Initializer:
        return self  # a copy of a layer goes on with the same generator; a copied one would repeat its numbers

    def __repr__(self) -> str:
        return construction(self)


class VarianceScaling(Initializer):
    """Random numbers with mean 0 and variance ``scale / n``, with a number n that follows from the shape.

    Args:
        scale: positive.
        mode: n is the fan in, ``"fan_in"``, the fan out, ``"fan_out"``, or the mean of both, ``"fan_avg"``.
        distribution: ``"truncated_normal"``, at two standard deviations, ``"normal"`` or ``"uniform"``.
        generator: default: the process's default generator.

    Raises:
        SettingError: an argument has another value.
    Source:
        X. Glorot, Y. Bengio (2010), AISTATS; K. He, X. Zhang, S. Ren, J. Sun (2015), ICCV.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        *,
        generator: Generator | None = None,
    ) -> None:
        _choice("mode", mode, ("fan_in", "fan_out", "fan_avg"))
        _choice("distribution", distribution, ("truncated_normal", "normal", "uniform"))
        if not scale > 0.0:
            raise SettingError(
                "VarianceScaling cannot scale the variance.",
                expected="a positive number",
                got=f"scale={scale}",
                fix="use Zeros if all elements shall be 0",
            )
        self.scale, self.mode, self.distribution, self.generator = scale, mode, distribution, generator

    def __call__(self, shape: Shape, dtype: Any = None) -> Tensor:
        """The values; see `Initializer`."""
        fan_in, fan_out = _fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        dtype, deviation = weight_dtype(dtype), math.sqrt(self.scale / max(1.0, fan))
        if self.distribution == "uniform":
            limit = math.sqrt(3.0) * deviation
            return uniform(shape, -limit, limit, dtype=dtype, generator=self.generator)
        if self.distribution == "normal":
            return normal(shape, 0.0, deviation, dtype=dtype, generator=self.generator)
        deviation /= _TRUNCATED_DEVIATION
        return truncated_normal(shape, 0.0, deviation, dtype=dtype, generator=self.generator)


class _Scaled(VarianceScaling):
    """A `VarianceScaling` with fixed arguments."""

    arguments: ClassVar[tuple[float, str, str]]

    def __init__(self, *, generator: Generator | None = None) -> None:
        super().__init__(*self.arguments, generator=generator)


class GlorotUniform(_Scaled):
    """Uniform with variance ``2 / (fan_in + fan_out)``, for layers that are linear near 0, such as tanh.

    Args:
        generator: default: the process's default generator.

    Source:
        X. Glorot, Y. Bengio (2010), AISTATS, equation 16.
    """

    arguments = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal with variance ``2 / (fan_in + fan_out)``.

    Args:
        generator: default: the process's default generator.

    Source:
        X. Glorot, Y. Bengio (2010), AISTATS, equation 12.
    """

    arguments = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform with variance ``2 / fan_in``, for layers with relu.

    Args:
        generator: default: the process's default generator.

    Source:
        K. He, X. Zhang, S. Ren, J. Sun (2015), ICCV, equation 10.
    """

    arguments = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal with variance ``2 / fan_in``, for layers with relu.

    Args:
        generator: default: the process's default generator.

    Source:
        K. He, X. Zhang, S. Ren, J. Sun (2015), ICCV, equation 10.
    """

    arguments = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform with variance ``1 / fan_in``.

    Args:
        generator: default: the process's default generator.

    Source:
        Y. LeCun, L. Bottou, G. Orr, K. Müller (1998), Efficient BackProp, equation 16.
    """

    arguments = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal with variance ``1 / fan_in``, for layers with selu.

    Args:
        generator: default: the process's default generator.

    Source:
        Y. LeCun, L. Bottou, G. Orr, K. Müller (1998), Efficient BackProp, equation 16.
    """

    arguments = (1.0, "fan_in", "truncated_normal")


def weight_dtype(dtype: Any) -> Any:
    """``dtype``, or the default real floating dtype."""
    return dtypes.defaults.floating if dtype is None else dtypes.lookup(dtype)


def _choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SettingError(
            f"VarianceScaling has no {name} {value!r}.",
            expected=", ".join(map(repr, choices)),
            got=f"{name}={value!r}",
            fix="pass one of these",
        )


def _fans(shape: Shape) -> tuple[float, float]:
    if len(shape) < 2:
        size = float(math.prod(shape))
        return size, size
    window = math.prod(shape[:-2])
    return float(window * shape[-2]), float(window * shape[-1])
