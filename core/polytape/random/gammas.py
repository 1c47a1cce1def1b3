"""The gamma distribution, and those that are ratios of its numbers, computed by their logarithms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ops.families import find
from ..tensors.tensor import Tensor
from .arguments import NONNEGATIVE, POSITIVE, Draw, Parameter, Shape, ops, vectors
from .calling import public
from .generator import Generator

if TYPE_CHECKING:
    from ..device import Device

__all__ = ["beta", "chi_square", "dirichlet", "f", "gamma", "student_t"]


@public
def gamma(
    a: Parameter,
    scale: Parameter = 1.0,
    shape: Shape | None = None,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Numbers with the gamma distribution.

    Not differentiable in the parameters, except in ``scale``.

    Args:
        a: the shape parameter, above 0.
        scale: 0 or more.
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
        G. Marsaglia, W. Tsang (2000), ACM Transactions on Mathematical Software 26 (3), pp. 363-372.
    """
    draw = Draw("gamma", shape, dtype, device, generator, a=(a, POSITIVE), scale=(scale, NONNEGATIVE))
    a, scale = draw.values
    return draw.result(draw.rejected("random_gamma", a) * scale)


@public
def chi_square(
    df: Parameter,
    shape: Shape | None = None,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """The sum of the squares of ``df`` standard normal numbers.

    Not differentiable in the parameters.

    Args:
        df: degrees of freedom, above 0.
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
        N. Johnson, S. Kotz, N. Balakrishnan (1994), Continuous Univariate Distributions 1, 2nd ed., chapter 18.
    """
    draw = Draw("chi_square", shape, dtype, device, generator, df=(df, POSITIVE))
    (df,) = draw.values
    return draw.result(draw.rejected("random_gamma", df * 0.5) * 2.0)


@public
def beta(
    a: Parameter,
    b: Parameter,
    shape: Shape | None = None,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Numbers with the beta distribution, from 0 to 1.

    Not differentiable in the parameters.

    Args:
        a, b: the shape parameters, above 0.
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
        N. Johnson, S. Kotz, N. Balakrishnan (1995), Continuous Univariate Distributions 2, 2nd ed., chapter 25.
    """
    draw = Draw("beta", shape, dtype, device, generator, a=(a, POSITIVE), b=(b, POSITIVE))
    a, b = draw.values
    first, second = (draw.rejected("random_gamma", parameter, in_logs=True) for parameter in (a, b))
    return draw.result(find("nn", "sigmoid")(first - second))  # the ratio of numbers that may both underflow


@public
def student_t(
    df: Parameter,
    shape: Shape | None = None,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Numbers with Student's t distribution.

    Not differentiable in the parameters.

    Args:
        df: degrees of freedom, above 0.
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
        N. Johnson, S. Kotz, N. Balakrishnan (1995), Continuous Univariate Distributions 2, 2nd ed., chapter 28.
    """
    draw = Draw("student_t", shape, dtype, device, generator, df=(df, POSITIVE))
    (df,) = draw.values
    numbers = draw.basic("random_normal", draw.work)
    logs = draw.rejected("random_gamma", df * 0.5, in_logs=True)
    return draw.result(numbers * ops.exp((logs - ops.log(draw.spread(df * 0.5))) * -0.5))


@public
def f(
    dfnum: Parameter,
    dfden: Parameter,
    shape: Shape | None = None,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Numbers with the F distribution: the ratio of two mean squares of normal numbers.

    Not differentiable in the parameters.

    Args:
        dfnum, dfden: degrees of freedom of the numerator and the denominator, above 0.
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
        N. Johnson, S. Kotz, N. Balakrishnan (1995), Continuous Univariate Distributions 2, 2nd ed., chapter 27.
    """
    draw = Draw("f", shape, dtype, device, generator, dfnum=(dfnum, POSITIVE), dfden=(dfden, POSITIVE))
    dfnum, dfden = draw.values
    first, second = (draw.rejected("random_gamma", df * 0.5, in_logs=True) for df in (dfnum, dfden))
    return draw.result(ops.exp(first - second) * (dfden / dfnum))


@public
def dirichlet(
    alpha: Parameter,
    shape: Shape | None = None,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Vectors of probabilities with the Dirichlet distribution, along a last axis.

    Not differentiable in ``alpha``.

    Args:
        alpha: real[..., k], above 0.
        shape: of the result without the last axis; default: the leading axes of ``alpha``.
        dtype: real floating; default: the dtype of ``alpha``, float32 for integers.
        device: the result's device; default: the device of ``alpha``, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``(*shape, k)``, ``dtype``; sums to 1 along the last axis. NaN where a vector of ``alpha`` is not positive.
    Raises:
        ShapeError: ``alpha`` has rank 0, or its leading axes do not broadcast to ``shape``.
        DTypeError: ``dtype`` is not real floating.
    Source:
        L. Devroye (1986), Non-Uniform Random Variate Generation, XI.4.
    """
    draw = vectors("dirichlet", "alpha", alpha, shape, POSITIVE, dtype, device, generator)
    logs = draw.rejected("random_gamma", draw.values[0], in_logs=True)
    return draw.result(find("nn", "softmax")(logs, axis=-1))
