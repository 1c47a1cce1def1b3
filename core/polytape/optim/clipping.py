"""Clipping of gradients: by value, by norm, by the norm of all together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from ..autodiff.indexed_slices import IndexedSlices
from ..dispatch import convert
from ..dtypes import float32
from ..registry import tables
from ..tensors.tensor import Tensor

__all__ = ["clip_by_global_norm", "clip_by_norm", "clip_by_value", "global_norm"]

G = TypeVar("G", bound="Tensor | IndexedSlices")


def clip_by_value(x: G, low: Any, high: Any) -> G:
    """``minimum(maximum(x, low), high)``, elementwise.

    Args:
        x: floating[...], or a `polytape.IndexedSlices`, whose duplicates are summed first.
        low, high: numbers or tensors, ``low <= high``.
    Returns:
        Type, shape and dtype of ``x``.
    """
    clip = tables.get_op("clip")
    clipped: G = _mapped(x, lambda values: clip(values, low, high))
    return clipped


def clip_by_norm(x: G, norm: Any) -> G:
    """``x * norm / maximum(l2_norm(x), norm)``: ``x``, scaled down if its L2 norm is above ``norm``.

    Args:
        x: floating[...], or a `polytape.IndexedSlices`, whose duplicates are summed first.
        norm: a positive number.
    Returns:
        Type, shape and dtype of ``x``. A norm that is infinite or NaN makes all elements NaN.
    Source:
        R. Pascanu, T. Mikolov, Y. Bengio (2013), ICML, Algorithm 1.

    Example:
        >>> import polytape as pt
        >>> pt.optim.clip_by_norm(pt.asarray([3.0, 4.0]), 1.0).tolist()
        [0.6000000238418579, 0.800000011920929]
    """
    x = _summed(x)
    clipped: G = _scaled(x, _factor(global_norm([x]), norm))
    return clipped


def global_norm(tensors: Iterable[Tensor | IndexedSlices | None]) -> Tensor:
    """The L2 norm of all elements of all tensors: ``sqrt(sum of l2_norm(x)**2)``.

    Args:
        tensors: floating tensors and `polytape.IndexedSlices` (whose duplicates are summed); None is left out.
    Returns:
        floating[]: the widest dtype of the tensors, at least float32, on the first one's device. 0.0 without tensors.
    """
    sum_, square, sqrt = (tables.get_op(name) for name in ("sum", "square", "sqrt"))
    total: Any = None
    for x in tensors:
        if x is None:
            continue
        x = _summed(x)
        values = x.values if isinstance(x, IndexedSlices) else x
        if values.dtype.itemsize < 4:  # squares of 16-bit numbers overflow
            values = convert.cast(values, float32)
        part = sum_(square(values))
        total = part if total is None else total + convert.to_device(part, total.device)
    return convert.asarray(0.0, None, None, None) if total is None else sqrt(total)


def clip_by_global_norm(tensors: Iterable[Any], norm: Any, use_norm: Tensor | None = None) -> tuple[list[Any], Tensor]:
    """All tensors, scaled by one factor if their global norm is above ``norm``.

    Args:
        tensors: as for `global_norm`.
        norm: a positive number.
        use_norm: their global norm, if it has been computed already.
    Returns:
        The scaled tensors, None where None was passed, and the global norm. A norm that is infinite or NaN makes all
        elements NaN.
    Source:
        R. Pascanu, T. Mikolov, Y. Bengio (2013), ICML, Algorithm 1.

    Example:
        >>> import polytape as pt
        >>> clipped, norm = pt.optim.clip_by_global_norm([pt.asarray([3.0]), pt.asarray([4.0])], 2.5)
        >>> [x.tolist() for x in clipped], float(norm)
        ([[1.5], [2.0]], 5.0)
    """
    listed = [None if x is None else _summed(x) for x in tensors]
    total = global_norm(listed) if use_norm is None else use_norm
    factor = _factor(total, norm)
    return [None if x is None else _scaled(x, factor) for x in listed], total


def _factor(total: Tensor, norm: Any) -> Tensor:
    """What to multiply by: 1 below the norm; NaN if the norm is not finite, since 0 would hide that."""
    where, isfinite = tables.get_op("where"), tables.get_op("isfinite")
    factor: Tensor = norm / tables.get_op("maximum")(total, norm)
    result: Tensor = where(isfinite(total), factor, float("nan"))
    return result


def _scaled(x: Any, factor: Tensor) -> Any:
    return _mapped(x, lambda values: values * convert.cast(convert.to_device(factor, values.device), values.dtype))


def _summed(x: Any) -> Any:
    return x.coalesce() if isinstance(x, IndexedSlices) else x


def _mapped(x: Any, fn: Any) -> Any:
    if isinstance(x, IndexedSlices):
        x = x.coalesce()
        values = fn(x.values)
        if not x.unique:  # in a trace: zeros beside the sums stay zeros
            first, arange, where = (tables.get_op(name) for name in ("searchsorted", "arange", "where"))
            place = first(x.indices, x.indices)
            sums = place == arange(start=0, stop=place.shape[0], step=1, dtype=place.dtype, device=place.device)
            values = where(tables.get_op("reshape")(sums, (-1, *[1 for _ in x.dense_shape[1:]])), values, 0.0)
        mapped = IndexedSlices(values, x.indices, x.dense_shape, unique=x.unique)
        mapped.merged = True
        return mapped
    return fn(x)
