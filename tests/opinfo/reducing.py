"""Adapters for OpInfo's reductions, cumulative functions, statistics and sorting."""

from __future__ import annotations

from typing import Any

import torch

import polytape as pt

from .mapped import Mapped, NotOffered, axis_of

__all__ = ["REDUCING"]

FLOATS = "the sum of integers has the default dtype of its kind, int32 or int64, as in the array API standard"


def reduction(op: Any, **more: Any) -> Any:
    """The adapter of a function ``(x, dim, keepdim)``."""

    def adapted(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
        if dtype is not None:
            x = pt.astype(x, dtype)
        return op(x, axis_of(dim), keepdims=keepdim, **more)

    return adapted


def summed(op: Any) -> Any:
    """The adapter of a function that takes ``dtype``; torch sums bools and integers in int64."""

    def adapted(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
        if dtype is None and x.dtype.kind in "biu":
            dtype = "int64"
        return op(x, axis_of(dim), keepdims=keepdim, dtype=dtype)

    return adapted


def spread(op: Any, both: bool = False) -> Any:
    """The adapter of var and std, which divide by n - correction; torch's default correction is 1."""

    def adapted(x: Any, *args: Any, dim: Any = None, correction: Any = 1, keepdim: bool = False, **other: Any) -> Any:
        unbiased = other.get("unbiased")
        if args and isinstance(args[0], bool):
            unbiased, args = args[0], args[1:]
        if args:
            dim, *rest = args
            if rest:
                unbiased = rest[0]
                keepdim = rest[1] if len(rest) > 1 else keepdim
        correction = {None: 1 if correction is None else correction, True: 1, False: 0}[unbiased]
        axis = axis_of(dim)
        result = op(x, axis, correction=correction, keepdims=keepdim)
        return (result, pt.mean(x, axis, keepdims=keepdim)) if both else result

    return adapted


def extreme(values: Any, places: Any) -> Any:
    """max and min along an axis, with the first position."""

    def adapted(x: Any, dim: int, keepdim: bool = False) -> Any:
        if x.ndim == 0:
            return x, pt.zeros((), dtype="int64")
        return values(x, dim, keepdims=keepdim), places(x, dim, keepdims=keepdim)

    return adapted


def cumulative(op: Any) -> Any:
    def adapted(x: Any, dim: int, *, dtype: Any = None) -> Any:
        if dtype is None and x.dtype.kind in "biu":
            dtype = "int64"
        return op(x, axis=dim, dtype=dtype) if x.ndim else pt.astype(x, dtype or x.dtype)

    return adapted


def running(op: Any) -> Any:
    return lambda x, dim: op(x, axis=dim) if x.ndim else x


def alone(function: Any) -> Any:
    """torch's function without the positions that it also returns."""

    def adapted(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        return result if isinstance(result, torch.Tensor) else result[0]

    return adapted


def middle(op: Any) -> Any:
    """torch's median takes the lower of two middle elements."""

    def adapted(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
        if x.dtype.kind in "biu":
            raise NotOffered("a median of integers is a float here")
        return op(x, 0.5, dim, method="lower", keepdims=keepdim)

    return adapted


def quantiles(op: Any) -> Any:
    def adapted(x: Any, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear") -> Any:
        return op(x, q, dim, keepdims=keepdim, method=interpolation)

    return adapted


def ordered(x: Any, dim: int = -1, descending: bool = False, stable: bool | None = None) -> Any:
    if x.ndim == 0:
        return x, pt.zeros((), dtype="int64")
    order = pt.argsort(x, dim, descending=descending)
    return pt.sort(x, dim, descending=descending), order


def kth(x: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    if x.ndim == 0:
        return x
    values = pt.take(pt.partition(x, k - 1, axis=dim), pt.asarray([k - 1]), axis=dim)
    return values if keepdim else pt.squeeze(values, dim)


def cumulative_trapezoid(y: Any, x: Any = None, *, dx: float = 1.0, dim: int = -1) -> Any:
    return pt.cumulative_trapezoid(y, x, dx=dx, axis=dim)


def trapezoid(y: Any, x: Any = None, *, dx: float = 1.0, dim: int = -1) -> Any:
    return pt.trapezoid(y, x, dx=dx, axis=dim)


def covariance(x: Any, *, correction: float = 1, fweights: Any = None, aweights: Any = None) -> Any:
    return pt.cov(x, correction=correction, fweights=fweights, aweights=aweights)


def differences(x: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    return pt.diff(x, n=n, axis=dim, prepend=prepend, append=append)


def gradients(x: Any, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> Any:
    if spacing is None:
        spacing = ()
    elif isinstance(spacing, (tuple, list)):
        spacing = tuple(spacing)
    else:
        spacing = (spacing,)
    axis = tuple(dim) if isinstance(dim, (tuple, list)) else dim
    if axis is None and x.ndim > 1 and len(spacing) == 1 and not isinstance(spacing[0], (int, float)):
        axis = tuple(range(x.ndim))
    return pt.gradient(x, *spacing, axis=axis, edge_order=edge_order)


def topk(x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    if x.ndim == 0:
        return x
    return pt.top_k(x, k, dim, largest=largest).values


def searched(boundaries: Any, x: Any, *, right: bool = False, side: str | None = None, sorter: Any = None,
             out_int32: bool = False) -> Any:  # fmt: skip
    side = side or ("right" if right else "left")
    if boundaries.ndim != 1:
        raise NotOffered("searchsorted in rows")
    places = pt.searchsorted(boundaries, x, side=side, sorter=sorter)
    return pt.astype(places, "int32" if out_int32 else "int64")


def uniques(x: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
            dim: int | None = None) -> Any:  # fmt: skip
    if dim is not None and x.ndim == 0:
        raise NotOffered("unique rows of a 0-d tensor")
    return pt.unique(x, return_inverse=return_inverse, return_counts=return_counts, equal_nan=False, axis=dim)


def counted(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    return pt.bincount(x, weights, minlength=minlength)


def norm(x: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    if dtype is not None:
        x = pt.astype(x, dtype)
    axis = axis_of(dim)
    if p == "nuc":
        return pt.linalg.norm(x, "nuc", axis=axis, keepdims=keepdim)
    p = 2 if p in ("fro", None) else p
    return pt.linalg.vector_norm(x, ord=p, axis=axis, keepdims=keepdim)


def distance(x: Any, y: Any, p: float = 2) -> Any:
    return pt.linalg.vector_norm(x - y, ord=p)


def histogram(x: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False) -> Any:
    return tuple(pt.histogram(pt.flatten(x), bins, range=range, weights=None if weight is None else pt.flatten(weight),
                              density=density))  # fmt: skip


def histc(x: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    span = None if min == max else (min, max)
    return pt.astype(pt.histogram(pt.flatten(x), bins, range=span).counts, x.dtype)


def positions(op: Any) -> Any:
    def adapted(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
        return op(x, dim, keepdims=keepdim) if x.ndim else pt.zeros((), dtype="int64")

    return adapted


HALF_EDGES = "torch rounds the place of an element among the bins to half precision"
MIXED = "torch keeps the dtype of weights in half precision beside float32"

REDUCING: dict[str, Any] = {
    "sum": summed(pt.sum),
    "nansum": summed(pt.nansum),
    "prod": summed(pt.prod),
    "mean": reduction(pt.mean),
    "nanmean": reduction(pt.nanmean),
    "amax": reduction(pt.max),
    "amin": reduction(pt.min),
    "max/reduction_no_dim": pt.max,
    "min/reduction_no_dim": pt.min,
    "max/reduction_with_dim": extreme(pt.max, pt.argmax),
    "min/reduction_with_dim": extreme(pt.min, pt.argmin),
    "aminmax": lambda x, *, dim=None, keepdim=False: (
        pt.min(x, dim, keepdims=keepdim),
        pt.max(x, dim, keepdims=keepdim),
    ),
    "all": lambda x, dim=None, keepdim=False: pt.all(
        pt.not_equal(x, 0) if x.dtype.kind != "b" else x, axis_of(dim), keepdims=keepdim
    ),
    "any": lambda x, dim=None, keepdim=False: pt.any(
        pt.not_equal(x, 0) if x.dtype.kind != "b" else x, axis_of(dim), keepdims=keepdim
    ),
    "argmax": positions(pt.argmax),
    "argmin": positions(pt.argmin),
    "count_nonzero": lambda x, dim=None: pt.count_nonzero(x, axis_of(dim)),
    "var": spread(pt.var),
    "std": spread(pt.std),
    "var/unbiased": spread(pt.var),
    "std/unbiased": spread(pt.std),
    "var_mean": spread(pt.var, both=True),
    "std_mean": spread(pt.std, both=True),
    "var_mean/unbiased": spread(pt.var, both=True),
    "std_mean/unbiased": spread(pt.std, both=True),
    "cumsum": cumulative(pt.cumulative_sum),
    "cumprod": cumulative(pt.cumulative_prod),
    "cummax": Mapped(running(pt.cumulative_max), torch=alone(torch.cummax)),
    "cummin": Mapped(running(pt.cumulative_min), torch=alone(torch.cummin)),
    "logcumsumexp": running(pt.logcumsumexp),
    "logsumexp": lambda x, dim, keepdim=False: pt.special.logsumexp(x, axis_of(dim), keepdims=keepdim),
    "quantile": quantiles(pt.quantile),
    "nanquantile": quantiles(pt.nanquantile),
    "median": Mapped(middle(pt.quantile), torch=alone(torch.median)),
    "nanmedian": Mapped(middle(pt.nanquantile), torch=alone(torch.nanmedian)),
    "corrcoef": pt.corrcoef,
    "cov": Mapped(covariance, tolerance=1e5, dtype=MIXED),
    "diff": differences,
    "gradient": gradients,
    "trapz": trapezoid,
    "trapezoid": trapezoid,
    "cumulative_trapezoid": cumulative_trapezoid,
    "sort": Mapped(
        ordered,
        torch=lambda x, *a, **k: (
            torch.sort(x, *a, **{**k, "stable": True})
            if not a
            else torch.sort(x, dim=a[0], descending=a[1] if len(a) > 1 else False, stable=True)
        ),
    ),
    "msort": lambda x: pt.sort(x, 0) if x.ndim else x,
    "argsort": Mapped(
        torch=lambda x, *a, **k: torch.sort(
            x, **dict(zip(("dim", "descending"), a, strict=False)), **{**k, "stable": True}
        )[1],
        ours=lambda x, dim=-1, descending=False, stable=True: (
            pt.argsort(x, dim, descending=descending) if x.ndim else pt.zeros((), dtype="int64")
        ),
    ),
    "kthvalue": Mapped(kth, torch=alone(torch.kthvalue)),
    "topk": Mapped(topk, torch=alone(torch.topk)),
    "searchsorted": searched,
    "bucketize": lambda x, boundaries, *, right=False, out_int32=False: searched(
        boundaries, x, right=right, out_int32=out_int32
    ),
    "unique": uniques,
    "bincount": Mapped(counted, dtype="weights of integers are summed as integers here"),
    "histogram": Mapped(histogram, dtype="counts are int64 here, as in NumPy"),
    "histc": Mapped(histc, leave={"float16": HALF_EDGES, "bfloat16": HALF_EDGES}),
    "norm": norm,
    "norm/fro": norm,
    "norm/inf": norm,
    "norm/nuc": norm,
    "dist": distance,
}
