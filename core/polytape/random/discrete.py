"""Counts, categories and truth values.

Counts are computed in float32, or in float64 if a parameter has that dtype, and are whole numbers up to 2**24 or 2**53;
larger ones are rounded. None of these draws is differentiable.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..dispatch import convert
from ..errors import ShapeError
from ..tensors.tensor import Tensor
from .arguments import ANY, CHANCE, COUNT, NONNEGATIVE, POSITIVE, PROBABILITY, Draw, Parameter, Shape, ops, vectors
from .calling import public
from .generator import Generator

if TYPE_CHECKING:
    from ..device import Device

__all__ = [
    "bernoulli",
    "binomial",
    "categorical",
    "geometric",
    "multinomial",
    "negative_binomial",
    "poisson",
]


@public
def bernoulli(
    p: Parameter,
    shape: Shape | None = None,
    *,
    dtype: Any = dtypes.bool_,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """True with probability ``p``.

    Args:
        p: from 0 to 1.
        shape: of the result; default: the shape that the parameters broadcast to.
        dtype: any dtype.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``: True or 1 with probability ``p``; False or 0 where a tensor's element is NaN or outside.
    Raises:
        SettingError: a number outside its range. DTypeError: a parameter or ``dtype`` of another kind. ShapeError:
            parameters that do not broadcast to ``shape``.
    Source:
        J. Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3, SC11; compared with ``p * 2**32``.
    """
    draw = Draw("bernoulli", shape, dtype, device, generator, None, p=(p, PROBABILITY))
    (p,) = draw.values
    n = prod(draw.extents)
    bits = ops.reshape(draw.run("random_bits", n, n=n, device=draw.device), draw.extents)
    below = ops.less(ops.astype(bits, draw.work), p * 2.0**32)
    if draw.tensors:
        below = ops.logical_or(below, ops.greater_equal(p, 1.0))  # the largest words round to 2**32
    elif p == 1.0:
        below = ops.full(draw.extents, True, device=draw.device)
    return draw.result(below)


@public
def geometric(
    p: Parameter,
    shape: Shape | None = None,
    *,
    dtype: Any = dtypes.int64,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """The number of trials up to the first success, 1 or more.

    Args:
        p: the probability of success, above 0, at most 1.
        shape: of the result; default: the shape that the parameters broadcast to.
        dtype: an integer dtype.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; -1 where a tensor's element is outside its range.
    Raises:
        SettingError: a number outside its range. DTypeError: a parameter or ``dtype`` of another kind. ShapeError:
            parameters that do not broadcast to ``shape``.
    Source:
        N. Johnson, A. Kemp, S. Kotz (2005), Univariate Discrete Distributions, 3rd ed., chapter 5: inversion.
    """
    draw = Draw("geometric", shape, dtype, device, generator, dtypes.INTEGER, p=(p, CHANCE))
    (p,) = draw.values
    p = draw.spread(p)
    certain = ops.equal(p, 1.0)
    trials = ops.ceil(ops.log(draw.unit()) / ops.log1p(ops.negative(ops.where(certain, 0.5, p))))
    return draw.counts(ops.where(certain, 1.0, ops.maximum(trials, 1.0)))


@public
def poisson(
    lam: Parameter,
    shape: Shape | None = None,
    *,
    dtype: Any = dtypes.int64,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Counts with the Poisson distribution.

    Args:
        lam: the mean, 0 or more.
        shape: of the result; default: the shape that the parameters broadcast to.
        dtype: an integer dtype.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; -1 where a tensor's element is outside its range.
    Raises:
        SettingError: a number outside its range. DTypeError: a parameter or ``dtype`` of another kind. ShapeError:
            parameters that do not broadcast to ``shape``.
    Source:
        W. Hoermann (1993), Insurance: Mathematics and Economics 12, pp. 39-45: algorithm PTRS; inversion below 10.
    """
    draw = Draw("poisson", shape, dtype, device, generator, dtypes.INTEGER, lam=(lam, NONNEGATIVE))
    (lam,) = draw.values
    return draw.counts(draw.rejected("random_poisson", lam))


@public
def binomial(
    n: Parameter,
    p: Parameter,
    shape: Shape | None = None,
    *,
    dtype: Any = dtypes.int64,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """The number of successes in ``n`` independent trials.

    Args:
        n: the number of trials, a whole number.
        p: the probability of success, from 0 to 1.
        shape: of the result; default: the shape that the parameters broadcast to.
        dtype: an integer dtype.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; -1 where a tensor's element is outside its range.
    Raises:
        SettingError: a number outside its range. DTypeError: a parameter or ``dtype`` of another kind. ShapeError:
            parameters that do not broadcast to ``shape``.
    Source:
        W. Hoermann (1993), Journal of Statistical Computation and Simulation 46, pp. 101-110: algorithm BTRS;
        inversion for means below 10.
    """
    draw = Draw("binomial", shape, dtype, device, generator, dtypes.INTEGER, n=(n, COUNT), p=(p, PROBABILITY))
    n, p = draw.values
    return draw.counts(draw.rejected("random_binomial", n, p))


@public
def negative_binomial(
    n: Parameter,
    p: Parameter,
    shape: Shape | None = None,
    *,
    dtype: Any = dtypes.int64,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """The number of failures before the ``n``-th success.

    Args:
        n: above 0; it need not be a whole number.
        p: the probability of success, above 0, at most 1.
        shape: of the result; default: the shape that the parameters broadcast to.
        dtype: an integer dtype.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; -1 where a tensor's element is outside its range.
    Raises:
        SettingError: a number outside its range. DTypeError: a parameter or ``dtype`` of another kind. ShapeError:
            parameters that do not broadcast to ``shape``.
    Source:
        N. Johnson, A. Kemp, S. Kotz (2005), Univariate Discrete Distributions, 3rd ed., chapter 5: a
        Poisson distribution with a gamma-distributed mean.
    """
    draw = Draw("negative_binomial", shape, dtype, device, generator, dtypes.INTEGER, n=(n, POSITIVE), p=(p, CHANCE))
    n, p = draw.values
    mean = draw.rejected("random_gamma", n) * ((1.0 - p) / p)
    return draw.counts(draw.rejected("random_poisson", mean))


@public
def categorical(
    logits: Parameter,
    shape: Shape | None = None,
    *,
    dtype: Any = dtypes.int64,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Positions along the last axis, with probabilities ``softmax(logits)``.

    Args:
        logits: real[..., k]: logarithms of the probabilities, up to a constant; -inf for a position never drawn.
        shape: of the result; default: the leading axes of ``logits``, which must broadcast to it.
        dtype: an integer dtype.
        device: the result's device; default: the device of ``logits``, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``: from 0 to k - 1.
    Raises:
        ShapeError: ``logits`` has no last axis with elements, or its leading axes do not broadcast to ``shape``.
        DTypeError: ``dtype`` is not an integer dtype.
    Source:
        E. Gumbel (1954), Statistical Theory of Extreme Values and Some Practical Applications: the maximum of
        ``logits`` plus Gumbel-distributed numbers.
    """
    draw = vectors("categorical", "logits", logits, shape, ANY, dtype, device, generator, dtypes.INTEGER)
    gumbel = ops.negative(ops.log(ops.negative(ops.log(draw.unit()))))
    return draw.result(ops.argmax(gumbel + draw.values[0], axis=-1))


@public
def multinomial(
    n: Parameter,
    p: Parameter,
    shape: Shape | None = None,
    *,
    dtype: Any = dtypes.int64,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """How often each of k outcomes occurs in ``n`` independent trials.

    Args:
        n: real[...]: the number of trials, a whole number.
        p: real[..., k]: probabilities, 0 or more; they are divided by their sum.
        shape: of the result without the last axis; default: the shape that ``n`` and the leading axes of ``p``
            broadcast to.
        dtype: an integer dtype.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``(*shape, k)``, ``dtype``; sums to ``n`` along the last axis. -1 where a parameter is outside its range.
    Raises:
        ShapeError: ``p`` has no last axis with elements, or the parameters do not broadcast to ``shape``.
        DTypeError: ``dtype`` is not an integer dtype.
    Source:
        L. Devroye (1986), Non-Uniform Random Variate Generation, XI.1.3: binomial numbers in turn.
    """
    weights = p if isinstance(p, Tensor) else convert.asarray(p, device=device)
    if not weights.shape or weights.shape[-1] == 0:
        raise ShapeError(
            "multinomial needs vectors as p.",
            expected="a last axis with elements",
            got=f"shape {weights.shape}",
            fix="pass a list of numbers",
        )
    first = weights[..., 0]
    draw = Draw("multinomial", shape, dtype, device, generator, dtypes.INTEGER, n=(n, COUNT), p=(first, NONNEGATIVE))
    weights = NONNEGATIVE.masked(ops.astype(weights, draw.work))
    remaining, counts = draw.spread(draw.values[0]), []
    for k in range(weights.shape[-1] - 1):
        rest = ops.sum(weights[..., k:], axis=-1)
        chance = ops.where(ops.equal(rest, 0.0), 0.0, ops.minimum(weights[..., k] / rest, 1.0))
        counts.append(draw.rejected("random_binomial", remaining, chance))
        remaining = remaining - counts[-1]
    columns = [ops.reshape(column, (*draw.extents, 1)) for column in (*counts, remaining)]
    return draw.counts(ops.concat(columns, axis=-1))
