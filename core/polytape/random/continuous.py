"""Continuous distributions by inversion of their distribution functions, and the von Mises distribution."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING, Any

from ..dispatch import convert
from ..errors import SettingError
from ..ops.families import find
from ..tensors.tensor import Tensor
from .arguments import ANY, EXTENDED, NONNEGATIVE, POSITIVE, Draw, Parameter, Shape, ops
from .calling import public
from .generator import Generator

if TYPE_CHECKING:
    from ..device import Device

__all__ = [
    "cauchy",
    "exponential",
    "gumbel",
    "laplace",
    "logistic",
    "pareto",
    "rayleigh",
    "truncated_normal",
    "von_mises",
    "weibull",
]


@public
def exponential(
    shape: Shape | None = None,
    scale: Parameter = 1.0,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Exponentially distributed numbers with mean ``scale``.

    Args:
        shape: of the result; default: the shape that the parameters broadcast to.
        scale: 0 or more; the result is differentiable in it.
        dtype: real floating; default: the dtype of the parameters, float32 for numbers.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; NaN where a tensor's element is outside its range.
    Raises:
        SettingError: a number outside its range. DTypeError: a parameter or ``dtype`` of another kind. ShapeError:
            parameters that do not broadcast to ``shape``.
    Source:
        N. Johnson, S. Kotz, N. Balakrishnan (1994), Continuous Univariate Distributions 1, 2nd ed., chapter 19.
    """
    draw = Draw("exponential", shape, dtype, device, generator, scale=(scale, NONNEGATIVE))
    (scale,) = draw.values
    return draw.result(ops.negative(ops.log(draw.unit())) * scale)


@public
def gumbel(
    shape: Shape | None = None,
    loc: Parameter = 0.0,
    scale: Parameter = 1.0,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Numbers with the Gumbel distribution, the limit of maxima.

    Args:
        shape: of the result; default: the shape that the parameters broadcast to.
        loc, scale: the location, and the scale of 0 or more; the result is differentiable in them.
        dtype: real floating; default: the dtype of the parameters, float32 for numbers.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; NaN where a tensor's element is outside its range.
    Raises:
        SettingError: a number outside its range. DTypeError: a parameter or ``dtype`` of another kind. ShapeError:
            parameters that do not broadcast to ``shape``.
    Source:
        N. Johnson, S. Kotz, N. Balakrishnan (1995), Continuous Univariate Distributions 2, 2nd ed., chapter 22.
    """
    draw = Draw("gumbel", shape, dtype, device, generator, loc=(loc, ANY), scale=(scale, NONNEGATIVE))
    loc, scale = draw.values
    return draw.result(loc - ops.log(ops.negative(ops.log(draw.unit()))) * scale)


@public
def laplace(
    shape: Shape | None = None,
    loc: Parameter = 0.0,
    scale: Parameter = 1.0,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Numbers with the Laplace distribution, of density ``exp(-abs(x - loc) / scale) / (2 scale)``.

    Args:
        shape: of the result; default: the shape that the parameters broadcast to.
        loc, scale: the location, and the scale of 0 or more; the result is differentiable in them.
        dtype: real floating; default: the dtype of the parameters, float32 for numbers.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; NaN where a tensor's element is outside its range.
    Raises:
        SettingError: a number outside its range. DTypeError: a parameter or ``dtype`` of another kind. ShapeError:
            parameters that do not broadcast to ``shape``.
    Source:
        N. Johnson, S. Kotz, N. Balakrishnan (1995), Continuous Univariate Distributions 2, 2nd ed., chapter 24.
    """
    draw = Draw("laplace", shape, dtype, device, generator, loc=(loc, ANY), scale=(scale, NONNEGATIVE))
    loc, scale = draw.values
    u = draw.unit() - 0.5
    size = ops.log1p(ops.abs(u) * -2.0)
    return draw.result(ops.where(ops.less(u, 0.0), size, ops.negative(size)) * scale + loc)


@public
def logistic(
    shape: Shape | None = None,
    loc: Parameter = 0.0,
    scale: Parameter = 1.0,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Numbers with the logistic distribution, whose distribution function is the sigmoid.

    Args:
        shape: of the result; default: the shape that the parameters broadcast to.
        loc, scale: the location, and the scale of 0 or more; the result is differentiable in them.
        dtype: real floating; default: the dtype of the parameters, float32 for numbers.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; NaN where a tensor's element is outside its range.
    Raises:
        SettingError: a number outside its range. DTypeError: a parameter or ``dtype`` of another kind. ShapeError:
            parameters that do not broadcast to ``shape``.
    Source:
        N. Johnson, S. Kotz, N. Balakrishnan (1995), Continuous Univariate Distributions 2, 2nd ed., chapter 23.
    """
    draw = Draw("logistic", shape, dtype, device, generator, loc=(loc, ANY), scale=(scale, NONNEGATIVE))
    loc, scale = draw.values
    u = draw.unit()
    return draw.result((ops.log(u) - ops.log1p(ops.negative(u))) * scale + loc)


@public
def cauchy(
    shape: Shape | None = None,
    loc: Parameter = 0.0,
    scale: Parameter = 1.0,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Numbers with the Cauchy distribution around ``loc``.

    Args:
        shape: of the result; default: the shape that the parameters broadcast to.
        loc, scale: the location, and the scale of 0 or more; the result is differentiable in them.
        dtype: real floating; default: the dtype of the parameters, float32 for numbers.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; NaN where a tensor's element is outside its range.
    Raises:
        SettingError: a number outside its range. DTypeError: a parameter or ``dtype`` of another kind. ShapeError:
            parameters that do not broadcast to ``shape``.
    Source:
        N. Johnson, S. Kotz, N. Balakrishnan (1994), Continuous Univariate Distributions 1, 2nd ed., chapter 16.
    """
    draw = Draw("cauchy", shape, dtype, device, generator, loc=(loc, ANY), scale=(scale, NONNEGATIVE))
    loc, scale = draw.values
    angle = (draw.unit() - 0.5) * pi
    return draw.result(ops.sin(angle) / ops.cos(angle) * scale + loc)


@public
def rayleigh(
    shape: Shape | None = None,
    scale: Parameter = 1.0,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Numbers with the Rayleigh distribution: the length of a pair of normal numbers.

    Args:
        shape: of the result; default: the shape that the parameters broadcast to.
        scale: the standard deviation of these numbers; the result is differentiable in it.
        dtype: real floating; default: the dtype of the parameters, float32 for numbers.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; NaN where a tensor's element is outside its range.
    Raises:
        SettingError: a number outside its range. DTypeError: a parameter or ``dtype`` of another kind. ShapeError:
            parameters that do not broadcast to ``shape``.
    Source:
        N. Johnson, S. Kotz, N. Balakrishnan (1994), Continuous Univariate Distributions 1, 2nd ed., chapter 18.
    """
    draw = Draw("rayleigh", shape, dtype, device, generator, scale=(scale, NONNEGATIVE))
    (scale,) = draw.values
    return draw.result(ops.sqrt(ops.log(draw.unit()) * -2.0) * scale)


@public
def weibull(
    a: Parameter,
    scale: Parameter = 1.0,
    shape: Shape | None = None,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Numbers with the Weibull distribution: exponential numbers to the power ``1 / a``, times ``scale``.

    Args:
        a: the shape parameter, above 0.
        scale: 0 or more. The result is differentiable in both.
        shape: of the result; default: the shape that the parameters broadcast to.
        dtype: real floating; default: the dtype of the parameters, float32 for numbers.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; NaN where a tensor's element is outside its range.
    Raises:
        SettingError: a number outside its range. DTypeError: a parameter or ``dtype`` of another kind. ShapeError:
            parameters that do not broadcast to ``shape``.
    Source:
        N. Johnson, S. Kotz, N. Balakrishnan (1994), Continuous Univariate Distributions 1, 2nd ed., chapter 21.
    """
    draw = Draw("weibull", shape, dtype, device, generator, a=(a, POSITIVE), scale=(scale, NONNEGATIVE))
    a, scale = draw.values
    return draw.result(ops.power(ops.negative(ops.log(draw.unit())), 1.0 / a) * scale)


@public
def pareto(
    a: Parameter,
    scale: Parameter = 1.0,
    shape: Shape | None = None,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Numbers with the Pareto distribution, ``scale`` or more.

    NumPy's ``pareto`` is this minus 1 (the Lomax distribution).

    Args:
        a: the exponent of the tail, above 0.
        scale: the smallest number; the result is differentiable in both.
        shape: of the result; default: the shape that the parameters broadcast to.
        dtype: real floating; default: the dtype of the parameters, float32 for numbers.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; NaN where a tensor's element is outside its range.
    Raises:
        SettingError: a number outside its range. DTypeError: a parameter or ``dtype`` of another kind. ShapeError:
            parameters that do not broadcast to ``shape``.
    Source:
        N. Johnson, S. Kotz, N. Balakrishnan (1994), Continuous Univariate Distributions 1, 2nd ed., chapter 20.
    """
    draw = Draw("pareto", shape, dtype, device, generator, a=(a, POSITIVE), scale=(scale, NONNEGATIVE))
    a, scale = draw.values
    return draw.result(ops.exp(ops.log(draw.unit()) / (-a)) * scale)


@public
def truncated_normal(
    shape: Shape | None = None,
    mean: Parameter = 0.0,
    stddev: Parameter = 1.0,
    low: Parameter = -2.0,
    high: Parameter = 2.0,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Normal numbers, restricted to an interval.

    Args:
        shape: of the result; default: the shape that the parameters broadcast to.
        mean, stddev: of the normal distribution; the result is differentiable in all parameters.
        low, high: the interval, in standard deviations from the mean, as ``a`` and ``b`` of
            scipy.stats.truncnorm; they may be infinite.
        dtype: real floating; default: the dtype of the parameters, float32 for numbers.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; NaN where a tensor's element is outside its range.
    Raises:
        SettingError: a number outside its range. DTypeError: a parameter or ``dtype`` of another kind. ShapeError:
            parameters that do not broadcast to ``shape``.
    Source:
        L. Devroye (1986), Non-Uniform Random Variate Generation, II.2.1: inversion.
    """
    draw = Draw(
        "truncated_normal",
        shape,
        dtype,
        device,
        generator,
        mean=(mean, ANY),
        stddev=(stddev, NONNEGATIVE),
        low=(low, EXTENDED),
        high=(high, EXTENDED),
    )
    mean, stddev, low, high = draw.values
    if not isinstance(low, Tensor) and not isinstance(high, Tensor) and low > high:
        raise SettingError(
            f"truncated_normal cannot draw numbers from {low} to {high}.",
            expected="low <= high",
            got=f"low={low}, high={high}",
            fix="pass the larger bound second",
        )
    low, high = (convert.asarray(bound, draw.work, draw.device) for bound in (low, high))
    return draw.result(_truncated(draw, low, high) * stddev + mean)


def _truncated(draw: Draw, low: Tensor, high: Tensor) -> Any:
    """Standard normal numbers from ``low`` to ``high``."""
    # In the upper tail the distribution function is near 1 and loses its digits: there the mirror image is drawn.
    upper = ops.greater(low, 0.0)
    a, b = ops.where(upper, ops.negative(high), low), ops.where(upper, ops.negative(low), high)
    ndtr, ndtri = find("special", "ndtr"), find("special", "ndtri")
    z = ndtri(ops.lerp(ndtr(a), ndtr(b), draw.unit()))
    z = ops.where(upper, ops.negative(z), z)
    return ops.where(ops.less_equal(low, high), ops.minimum(ops.maximum(z, low), high), float("nan"))


@public
def von_mises(
    mu: Parameter,
    kappa: Parameter,
    shape: Shape | None = None,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Angles with the von Mises distribution, the normal distribution of the circle.

    Args:
        mu: the mean angle; the result is differentiable in it.
        kappa: the concentration, 0 (uniform) or more.
        shape: of the result; default: the shape that the parameters broadcast to.
        dtype: real floating; default: the dtype of the parameters, float32 for numbers.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``, from -pi to pi; NaN where ``kappa`` is negative.
    Raises:
        SettingError: a number outside its range. DTypeError: a parameter or ``dtype`` of another kind. ShapeError:
            parameters that do not broadcast to ``shape``.
    Source:
        D. Best, N. Fisher (1979), Applied Statistics 28 (2), pp. 152-157.
    """
    draw = Draw("von_mises", shape, dtype, device, generator, mu=(mu, ANY), kappa=(kappa, NONNEGATIVE))
    mu, kappa = draw.values
    angle = draw.rejected("random_von_mises", kappa) + mu
    return draw.result(angle - ops.floor(angle * (0.5 / pi) + 0.5) * (2.0 * pi))
