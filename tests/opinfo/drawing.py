"""Adapters for OpInfo's random functions: what can be compared is shape and dtype."""

from __future__ import annotations

from typing import Any

import polytape as pt

from .mapped import Mapped, NotOffered

__all__ = ["DRAWING"]

RANDOM = "random numbers"
Shape = tuple[int, ...]


def like(draw: Any) -> Any:
    """A draw of the shape and dtype of ``x``."""

    def adapted(x: Any, *args: Any, dtype: Any = None, **more: Any) -> Any:
        dtype = x.dtype if dtype is None else dtype
        if dtype.kind in "biuc":
            raise NotOffered("a continuous distribution of integers or complex numbers")
        return draw(tuple(x.shape), *args, dtype=dtype)

    return adapted


def normal(*shape: Any, dtype: Any = None, **more: Any) -> Any:
    shape = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    if dtype is not None and dtype.kind == "c":
        raise NotOffered("complex random numbers")
    return pt.random.normal(shape, dtype=dtype)


def integers(*args: Any, dtype: Any = "int64", **more: Any) -> Any:
    *bounds, shape = args
    if getattr(dtype, "kind", "i") not in "iu":
        raise NotOffered("floats that are whole numbers")
    return pt.random.integers(*(bounds if len(bounds) == 2 else (0, *bounds)), tuple(shape), dtype=dtype)


def integers_like(x: Any, *args: Any, dtype: Any = None, **more: Any) -> Any:
    return integers(*args, x.shape, dtype=dtype or x.dtype)


def geometric(x: Any, p: float) -> Any:
    return pt.random.geometric(p, tuple(x.shape), dtype=x.dtype if x.dtype.kind in "iu" else "int64")


def bernoulli(x: Any, *args: Any) -> Any:
    return pt.astype(pt.random.bernoulli(x, tuple(x.shape)), x.dtype)


def dropped(x: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    if p == 1:
        raise NotOffered("dropout of everything")
    return pt.nn.dropout(x, p, training=training)


def normal_at(mean: Any, std: Any = 1.0, *args: Any, **more: Any) -> Any:
    if args:
        raise NotOffered("a mean and a standard deviation with a shape")
    return pt.random.normal(None, mean, std, dtype=mean.dtype if hasattr(mean, "dtype") else std.dtype)


DRAWING: dict[str, Any] = {
    name: Mapped(ours, values=RANDOM, gradient=RANDOM, dtype=RANDOM if name == "geometric" else "")
    for name, ours in {
        "randn": normal,
        "randn_like": like(pt.random.normal),
        "rand_like": like(lambda shape, dtype: pt.random.uniform(shape, dtype=dtype)),
        "randint": integers,
        "randint_like": integers_like,
        "uniform": like(pt.random.uniform),
        "normal/in_place": like(pt.random.normal),
        "normal": normal_at,
        "cauchy": like(pt.random.cauchy),
        "exponential": like(lambda shape, rate=1.0, dtype=None: pt.random.exponential(shape, 1 / rate, dtype=dtype)),
        "log_normal": like(
            lambda shape, mean=1.0, std=2.0, dtype=None: pt.exp(pt.random.normal(shape, mean, std, dtype=dtype))
        ),
        "geometric": geometric,
        "bernoulli": bernoulli,
        "nn.functional.dropout": dropped,
    }.items()
}
