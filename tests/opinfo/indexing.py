"""Adapters for the entries of OpInfo that index."""

from __future__ import annotations

from typing import Any

import numpy as np

import polytape as pt

from .mapped import NotOffered
from .shaping import along, placed

__all__ = ["INDEXING"]


def gathered(x: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    if x.ndim == 0 or index.ndim == 0:
        return pt.reshape(pt.take(pt.reshape(x, (-1,)), pt.reshape(index, (-1,)), axis=0), index.shape)
    if index.size == 0:
        return pt.zeros(index.shape, dtype=x.dtype)
    cut = tuple(slice(None) if k == dim % x.ndim else slice(n) for k, n in enumerate(index.shape))
    return pt.take_along_axis(x[cut], index, axis=dim)


def selected(x: Any, dim: int, index: Any) -> Any:
    if x.ndim == 0:
        return x
    return pt.take(x, pt.reshape(index, (-1,)), axis=dim)


def index_added(x: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    if x.ndim == 0 or index.ndim == 0:
        raise NotOffered("rows of a 0-d tensor")
    return pt.index_add(x, index, source if alpha == 1 else source * alpha, axis=dim)


def index_set(x: Any, dim: int, index: Any, source: Any) -> Any:
    if x.ndim == 0:
        raise NotOffered("rows of a 0-d tensor")
    return placed(x, dim, pt.reshape(index, (-1,)), source)


def index_put(x: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    if accumulate:
        raise NotOffered("x[indices] += values that adds repeated positions")
    y = pt.identity(x)
    y[tuple(indices)] = values
    return y


def taken(x: Any, index: Any) -> Any:
    flat = pt.take(pt.reshape(x, (-1,)), pt.reshape(index, (-1,)), axis=0)
    return pt.reshape(flat, index.shape)


def along_axis(x: Any, indices: Any, dim: int | None = None) -> Any:
    if dim is None:
        return pt.take_along_axis(pt.flatten(x), pt.flatten(indices), axis=0)
    return pt.take_along_axis(x, indices, axis=dim)


def getitem(x: Any, key: Any) -> Any:
    return x[tuple(key) if isinstance(key, list) and not all(isinstance(k, int) for k in key) else key]


def nonzeros(x: Any, *, as_tuple: bool = False) -> Any:
    if x.ndim == 0:
        raise NotOffered("nonzero of a 0-d tensor")
    return pt.nonzero(x) if as_tuple else pt.argwhere(x)


MODES = {None: "set", "add": "add", "sum": "add", "multiply": "multiply", "prod": "multiply", "amax": "max",
         "amin": "min"}  # fmt: skip


def scattered(x: Any, dim: int, index: Any, src: Any, reduce: str | None = None, *, include_self: bool = True) -> Any:
    if x.ndim == 0 or index.ndim == 0 or not index.size:
        raise NotOffered("values for no positions, or for a 0-d tensor")
    if not include_self:
        raise NotOffered("values combined without the element at their position")
    if isinstance(src, pt.Tensor):
        src = src[tuple(slice(n) for n in index.shape)]
    cut = tuple(slice(None) if k == dim % x.ndim else slice(n) for k, n in enumerate(index.shape))
    y = pt.identity(x)
    if reduce == "mean":
        if x.dtype.kind in "iu":
            raise NotOffered("means of integers are floating here")
        total = pt.put_along_axis(y[cut], index, src, axis=dim, mode="add")
        y[cut] = total / pt.put_along_axis(pt.ones_like(total), index, 1, axis=dim, mode="add")
    else:
        y[cut] = pt.put_along_axis(y[cut], index, src, axis=dim, mode=MODES[reduce])
    return y


def rows_combined(x: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
    if x.ndim == 0:
        raise NotOffered("rows of a 0-d tensor")
    shape = tuple(-1 if k == dim % x.ndim else 1 for k in range(x.ndim))
    positions = pt.broadcast_to(pt.reshape(index, shape), src.shape)
    return scattered(x, dim, positions, src, reduce, include_self=include_self)


def put(x: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    flat, places, values = (pt.reshape(part, (-1,)) for part in (x, index, source))
    return pt.reshape(pt.put_along_axis(flat, places, values, axis=0, mode="add" if accumulate else "set"), x.shape)


def windows(x: Any, dim: int, size: int, step: int) -> Any:
    if x.ndim == 0 or size == 0:
        raise NotOffered("windows of size 0, or of a 0-d tensor")
    return pt.nn.windows(x, size, stride=step, axes=dim)


def narrow(x: Any, dim: int, start: Any, length: int) -> Any:
    start = int(start) if isinstance(start, pt.Tensor) else start
    start = start % x.shape[dim] if start < 0 else start
    return along(x, dim, slice(start, start + length))


def slice_put(x: Any, src: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    return placed(x, dim, slice(start, end, step), src)


INDEXING: dict[str, Any] = {
    "narrow": narrow,
    "narrow_copy": narrow,
    "select": lambda x, dim, index: along(x, dim, index),
    "select_scatter": lambda x, src, dim, index: placed(x, dim, index, src),
    "slice": lambda x, dim=0, start=None, end=None, step=1: along(x, dim, slice(start, end, step)),
    "slice_scatter": slice_put,
    "gather": gathered,
    "take": taken,
    "take_along_dim": along_axis,
    "index_select": selected,
    "index_add": index_added,
    "index_copy": index_set,
    "index_fill": index_set,
    "index_put": index_put,
    "scatter": scattered,
    "scatter_add": lambda x, dim, index, src: scattered(x, dim, index, src, "sum"),
    **{f"scatter_reduce/{name}": scattered for name in ("sum", "prod", "mean", "amax", "amin")},
    **{f"index_reduce/{name}": rows_combined for name in ("prod", "mean", "amax", "amin")},
    "put": put,
    "masked_select": lambda x, mask: pt.broadcast_to(x, np.broadcast_shapes(x.shape, mask.shape))[
        pt.broadcast_to(mask, np.broadcast_shapes(x.shape, mask.shape))
    ],
    "__getitem__": getitem,
    "nonzero": nonzeros,
    "argwhere": pt.argwhere,
    "unfold": windows,
    "unfold_copy": windows,
}
