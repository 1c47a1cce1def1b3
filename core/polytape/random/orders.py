"""Random orders and choices."""

from __future__ import annotations

from math import prod
from operator import index
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..dispatch import convert
from ..errors import DTypeError, SettingError, ShapeError
from ..ops.shape_rules import along_axis
from ..tensors.tensor import Tensor
from .arguments import NONNEGATIVE, Draw, Parameter, Shape, ops
from .calling import public
from .generator import Generator

if TYPE_CHECKING:
    from ..device import Device

__all__ = ["choice", "permutation", "shuffle"]


@public
def permutation(
    x: Any, *, axis: int = 0, device: Device | str | None = None, generator: Generator | None = None
) -> Tensor:
    """The numbers from 0 to ``x - 1`` in random order, or a tensor with the elements along an axis in random order.

    Args:
        x: an int, or a tensor of any dtype[...].
        axis: of a tensor; what it contains at each position stays together.
        device: the result's device, for an int; default: the device of new tensors.
        generator: default: the process's default generator.
    Returns:
        int64[x], or the shape and dtype of the tensor; the same order on every backend.
    Raises:
        ShapeError: the number is negative, or there is no such axis. DTypeError: ``x`` is not an int or a tensor.
    Source:
        D. Knuth (1998), The Art of Computer Programming 3, 5: sorting by random keys.
    """
    if isinstance(x, Tensor) or not hasattr(x, "__index__"):
        return shuffle(x, axis=axis, generator=generator)
    draw = Draw("permutation", index(x), dtypes.int64, device, generator, dtypes.INTEGER)
    return _order(draw, index(x))


def _order(draw: Draw, n: int) -> Tensor:
    order: Tensor = draw.run("random_permutation", 2 * n, n=n, device=draw.device)
    return order


@public
def shuffle(x: Any, *, axis: int = 0, generator: Generator | None = None) -> Tensor:
    """``x`` with its elements along an axis in random order; ``x`` itself does not change, unlike in NumPy.

    Args:
        x: any dtype[...]; the result is differentiable in it.
        axis: the axis; what ``x`` contains at each position stays together.
        generator: default: the process's default generator.
    Returns:
        Shape and dtype of ``x``; the same order on every backend.
    Raises:
        ShapeError: there is no such axis. DTypeError: ``x`` cannot become a tensor.
    Source:
        D. Knuth (1998), The Art of Computer Programming 3, 5: sorting by random keys.
    """
    x = x if isinstance(x, Tensor) else convert.asarray(x)
    along_axis(x.shape, axis=axis)
    n = x.shape[axis]
    draw = Draw("shuffle", n, dtypes.int64, x.device, generator, dtypes.INTEGER)
    result: Tensor = ops.take(x, _order(draw, n), axis=axis)
    return result


@public
def choice(
    a: Any,
    shape: Shape = (),
    *,
    replace: bool = True,
    p: Parameter | None = None,
    axis: int = 0,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Randomly chosen elements of ``a``.

    Args:
        a: an int, which stands for the numbers below it, or a tensor; the result is differentiable in it.
        shape: how many elements; their axes take the place of ``axis``.
        replace: whether an element may be chosen again.
        p: real[n]: the elements' probabilities, 0 or more; they are divided by their sum. Without ``replace`` each
            choice is among the elements that are left; those of probability 0 come last. Default: all equal.
        axis: of a tensor: the axis to choose from.
        device: the result's device, for an int; default: the device of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape`` in place of ``axis``; dtype of ``a``, int64 for an int.
    Raises:
        ShapeError: there is nothing to choose from, no such axis, or ``p`` is not a vector of n. SettingError: without
            ``replace``, more elements than there are. DTypeError: ``a`` is not an int or a tensor.
    Source:
        P. Efraimidis, P. Spirakis (2006), Information Processing Letters 97, pp. 181-185, for ``p`` without
        ``replace``.
    """
    source = None if hasattr(a, "__index__") and not isinstance(a, Tensor) else _source(a, axis)
    n = index(a) if source is None else source.shape[axis]
    device = device if source is None else source.device
    weights = None if p is None else convert.asarray(p, device=device)
    wide = weights is not None and weights.dtype is dtypes.float64
    draw = Draw("choice", shape, "float64" if wide else "float32", device, generator)
    count = prod(draw.extents)
    _check(n, count, replace, weights)
    positions = ops.reshape(_positions(draw, n, count, replace, weights), draw.extents)
    result: Tensor = positions if source is None else ops.take(source, positions, axis=axis)
    return result


def _source(a: Any, axis: int) -> Tensor:
    """The tensor to choose from."""
    if isinstance(a, (str, bytes, float, complex)):
        raise DTypeError(
            f"choice cannot choose from {a!r}.",
            expected="an int or a tensor",
            got=type(a).__name__,
            fix="pass a list or a tensor of the elements",
        )
    source = a if isinstance(a, Tensor) else convert.asarray(a)
    along_axis(source.shape, axis=axis)
    return source


def _check(n: int, count: int, replace: bool, weights: Tensor | None) -> None:
    if n <= 0 and count:
        raise ShapeError(
            "choice has nothing to choose from.", expected="at least one element", got=str(n), fix="check the size"
        )
    if not replace and count > n:
        raise SettingError(
            f"choice cannot take {count} of {n} elements without replacement.",
            expected=f"at most {n}",
            got=str(count),
            fix="choose fewer, or pass replace=True",
        )
    if weights is not None and weights.shape != (n,):
        raise ShapeError(
            "choice needs a probability per element.",
            expected=f"p of shape ({n},)",
            got=f"{weights.shape}",
            fix="fix p",
        )


def _positions(draw: Draw, n: int, count: int, replace: bool, weights: Tensor | None) -> Any:
    """int64[count]: which elements are chosen."""
    if weights is None:
        if not replace:
            return _order(draw, n)[:count]
        place: dict[str, Any] = {"shape": (count,), "dtype": dtypes.int64, "device": draw.device}
        return draw.run("random_integers", 2 * count, low=0, high=max(n, 1), **place)
    weights = NONNEGATIVE.masked(ops.astype(weights, draw.work))
    if not replace:
        waiting = ops.negative(ops.log(draw.unit((n,)))) / weights  # exponential numbers of these rates
        return ops.argsort(waiting)[:count]
    sums = ops.cumulative_sum(weights)
    # A product with a number below 1 stays below the last sum.
    return ops.searchsorted(sums, draw.unit((count,)) * sums[-1:], side="right")
