"""Adapters for the entries of OpInfo that create tensors."""

from __future__ import annotations

from typing import Any

import polytape as pt

from .mapped import Mapped
from .shaping import shape_of

__all__ = ["CREATING"]

EMPTY = "empty memory has any values"


WHOLE = "the numbers between two others are no integers"


def triangle_indices(op: Any) -> Any:
    def adapted(row: int, col: int, offset: int = 0, dtype: Any = None) -> Any:
        inside = pt.not_equal(op(pt.ones((row, col), dtype="int32"), k=offset), 0)
        return pt.astype(pt.stack(pt.nonzero(inside)), dtype or "int64")

    return adapted


def created(op: Any, like: bool = False) -> Any:
    """zeros, ones, empty and the forms that take their dtype from a tensor."""

    def adapted(x: Any, *shape: Any, dtype: Any = None, **_: Any) -> Any:
        return op(x, dtype=dtype) if like else op(shape_of((x, *shape)), dtype=dtype)

    return adapted


def created_from(op: Any) -> Any:
    """new_zeros and the like: a shape, and the dtype of ``x``."""
    return lambda x, *args, dtype=None, **_: op(shape_of(args[:1]) if not isinstance(args[0], int) else shape_of(args),
                                                dtype=dtype or x.dtype)  # fmt: skip


def arange(*args: Any, dtype: Any = None, **more: Any) -> Any:
    args = (*args, *(more[name] for name in ("end", "step") if name in more))
    return pt.arange(*args, dtype=dtype or ("int64" if all(isinstance(a, int) for a in args) else "float32"))


def spaced(op: Any) -> Any:
    def adapted(start: Any, end: Any, steps: int, *base: Any, dtype: Any = None, **more: Any) -> Any:
        if isinstance(start, pt.Tensor) or isinstance(end, pt.Tensor):
            start, end = (v.item() if isinstance(v, pt.Tensor) else v for v in (start, end))
        if base:
            more["base"] = base[0]
        return op(start, end, steps, dtype=dtype or "float32", **more)

    return adapted


def eye(n: int, m: int | None = None, *, dtype: Any = None) -> Any:
    return pt.eye(n, m, dtype=dtype)


CREATING: dict[str, Any] = {
    "tril_indices": triangle_indices(pt.tril),
    "triu_indices": triangle_indices(pt.triu),
    "arange": Mapped(arange, leave={"int64": "torch rounds the bounds of an integer range before it counts"}),
    "linspace": Mapped(spaced(pt.linspace), leave={"int64": WHOLE}),
    "linspace/tensor_overload": Mapped(spaced(pt.linspace), leave={"int64": WHOLE}),
    "logspace": Mapped(spaced(pt.logspace), leave={"int64": WHOLE}),
    "logspace/tensor_overload": Mapped(spaced(pt.logspace), leave={"int64": WHOLE}),
    "eye": eye,
    "zeros": created(pt.zeros),
    "ones": created(pt.ones),
    "empty": Mapped(created(pt.empty), values=EMPTY),
    "full": lambda shape, value, dtype=None: pt.full(tuple(shape), value, dtype=dtype),
    "scalar_tensor": lambda value, dtype=None: pt.full((), value, dtype=dtype),
    "zeros_like": created(pt.zeros_like, like=True),
    "ones_like": created(pt.ones_like, like=True),
    "empty_like": Mapped(created(pt.empty_like, like=True), values=EMPTY),
    "full_like": lambda x, value, dtype=None: pt.full_like(x, value, dtype=dtype),
    "new_zeros": created_from(pt.zeros),
    "new_ones": created_from(pt.ones),
    "new_empty": Mapped(created_from(pt.empty), values=EMPTY),
    "new_full": lambda x, shape, value, dtype=None: pt.full(tuple(shape), value, dtype=dtype or x.dtype),
    "zero_": pt.zeros_like,
    "fill": lambda x, value: (
        pt.full_like(x, value) if not isinstance(value, pt.Tensor) else pt.add(pt.zeros_like(x), value)
    ),
}
