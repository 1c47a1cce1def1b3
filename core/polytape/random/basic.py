"""Uniform and normal numbers, and integers."""

from __future__ import annotations

from math import prod
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..errors import DTypeError, SettingError
from ..tensors.tensor import Tensor
from .arguments import ANY, NONNEGATIVE, Draw, Parameter, Shape, ops
from .calling import public
from .generator import Generator

if TYPE_CHECKING:
    from ..device import Device

__all__ = ["integers", "normal", "uniform"]


def _integer(argument: str, value: Any) -> int:
    try:
        return index(value)
    except TypeError:
        raise DTypeError(
            f"integers cannot use {value!r} as {argument}.",
            expected="an integer",
            got=f"{value!r} of type {type(value).__name__}",
            fix="round it, or use polytape.random.uniform",
        ) from None


@public
def uniform(
    shape: Shape | None = None,
    low: Parameter = 0.0,
    high: Parameter = 1.0,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Uniform random numbers from ``low`` (inclusive) to ``high`` (exclusive, except for rounding).

    Args:
        shape: of the result; default: the shape that the bounds broadcast to.
        low, high: the range; numbers or tensors, in which the result is differentiable.
        dtype: real floating; default: the dtype of the bounds, float32 for numbers.
        device: the result's device; default: the device of the bounds, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; the same numbers on every backend. NaN where ``low > high``.
    Raises:
        DTypeError: ``dtype`` is not real floating, or a bound is not a number. SettingError: numbers ``low > high``.
        ShapeError: ``shape`` is not a valid shape, or the bounds do not broadcast to it.
    Source:
        J. Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3, SC11.

    Example:
        >>> import polytape as pt
        >>> pt.random.seed(1)
        >>> pt.random.uniform((2, 3), -1.0, 1.0).shape
        (2, 3)
    """
    draw = Draw("uniform", shape, dtype, device, generator, low=(low, ANY), high=(high, ANY))
    first, end = draw.values
    if draw.tensors:
        span = end - first
        span = ops.where(ops.greater_equal(span, 0.0), span, float("nan"))
        return draw.result(draw.basic("random_uniform", draw.work) * span + first)
    if first > end:
        raise SettingError(
            f"uniform cannot draw numbers from {low} to {high}.",
            expected="low <= high",
            got=f"low={low}, high={high}",
            fix="pass the larger bound second",
        )
    numbers: Tensor = draw.basic("random_uniform", draw.dtype)
    return numbers if first == 0.0 and end == 1.0 else numbers * (end - first) + first


@public
def normal(
    shape: Shape | None = None,
    mean: Parameter = 0.0,
    stddev: Parameter = 1.0,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Normal random numbers with this mean and standard deviation.

    Args:
        shape: of the result; default: the shape that the parameters broadcast to.
        mean, stddev: numbers or tensors, in which the result is differentiable.
        dtype: real floating; default: the dtype of the parameters, float32 for numbers.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; backends agree to 4 ulp of the standard normal numbers. NaN where ``stddev < 0``.
    Raises:
        DTypeError: ``dtype`` is not real floating, or an argument is not a number. SettingError: a number
            ``stddev < 0``. ShapeError: ``shape`` is not a valid shape, or the parameters do not broadcast to it.
    Source:
        G. Box, M. Muller (1958), Annals of Mathematical Statistics 29 (2), pp. 610-611.
    """
    draw = Draw("normal", shape, dtype, device, generator, mean=(mean, ANY), stddev=(stddev, NONNEGATIVE))
    center, scale = draw.values
    if draw.tensors:
        return draw.result(draw.basic("random_normal", draw.work) * scale + center)
    numbers: Tensor = draw.basic("random_normal", draw.dtype)
    return numbers if center == 0.0 and scale == 1.0 else numbers * scale + center


@public
def integers(
    low: int,
    high: int | None = None,
    shape: Shape = (),
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Random integers from ``low`` to ``high - 1``, or from 0 to ``low - 1`` if ``high`` is omitted.

    Args:
        low, high: the range.
        shape: of the result.
        dtype: an integer dtype, default int32.
        device: the result's device; default: the device of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; the same numbers on every backend.
    Raises:
        DTypeError: ``dtype`` is not an integer dtype or cannot hold the range, the range is empty, or a bound is not
            an integer.
        ShapeError: ``shape`` is not a valid shape.
    Source:
        D. Lemire (2019), ACM TOMACS 29 (1), 3: multiply and shift, without the rejection step.

    Example:
        >>> import polytape as pt
        >>> die = pt.random.integers(1, 7, (100,))
        >>> bool(pt.max(die) <= 6)
        True
    """
    first, end = (0, _integer("low", low)) if high is None else (_integer("low", low), _integer("high", high))
    dtype = dtypes.defaults.integer if dtype is None else dtype
    draw = Draw("integers", shape, dtype, device, generator, dtypes.INTEGER)
    info = np.iinfo(draw.dtype)
    if not info.min <= first < end <= info.max + 1:
        raise DTypeError(
            f"cannot draw {draw.dtype} numbers from {first} to {end - 1}.",
            expected=f"low < high, within {info.min} to {info.max}",
            got=f"low={first}, high={end}",
            fix="pass the larger bound second, or use a wider dtype",
        )
    place: dict[str, Any] = {"shape": draw.extents, "dtype": draw.dtype, "device": draw.device}
    numbers: Tensor = draw.run("random_integers", 2 * prod(draw.extents), low=first, high=end, **place)
    return numbers
