"""Widening: a primitive without a kernel for a narrow dtype runs in a wider one, between two casts.

So a backend needs kernels for 32-bit dtypes only. float16 and bfloat16 are computed in float32 and rounded once. For
+ - * / and sqrt that is the correctly rounded result, since float32 has more than twice their precision and two bits
(S. Figueroa, 1995, ACM SIGNUM Newsletter 30 (3), pp. 21-26). Integers are computed exactly, and the low bits of the
result are kept: those of sums, products and bitwise functions depend on the low bits of the operands only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from ..dtypes import lookup
from ..registry import tables
from ..registry.resolution import Resolution
from ..registry.tensor_type import TensorType, get_tensor_type

__all__ = ["widened"]

WIDER: Final = {
    "float16": "float32", "bfloat16": "float32",
    "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32",
}  # fmt: skip
# These work on the representation of an element, or are the casts themselves.
NEVER: Final = ("astype", "bitcast")


# `resolve`, which imports this module and is therefore passed to it.
Resolve: TypeAlias = Callable[..., Resolution]


class Widened:
    """A kernel for wider dtypes as one for narrow dtypes.

    Args:
        inner: the resolution for the wider dtypes.
        before: per operand, the resolution of its cast; None for an operand that stays as it is.
        after: the same per output.
    """

    __slots__ = ("after", "before", "inner")

    def __init__(self, inner: Resolution, before: list[Resolution | None], after: list[Resolution | None]) -> None:
        self.inner: Final = inner
        self.before: Final = before
        self.after: Final = after

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Cast the operands, call the kernel, and cast its outputs back."""
        wide = [cast_by(resolution, array) for resolution, array in zip(self.before, arrays, strict=True)]
        result = self.inner.fn(*wide, **attributes)
        if not isinstance(result, tuple):
            return cast_by(self.after[0], self.inner.lift(result))
        outputs = self.inner.lift_all(result)
        return tuple([cast_by(resolution, y) for resolution, y in zip(self.after, outputs, strict=True)])


def cast_by(resolution: Resolution | None, array: Any) -> Any:
    """The array, cast by a resolution of `astype`."""
    return array if resolution is None or array is None else resolution.lift(resolution.fn(array))


def widened(resolver: Any, resolve: Resolve) -> Resolution | None:
    """The resolution of a primitive by its kernel for wider dtypes; None if there is none.

    Args:
        resolver: the `Resolver` of the call with narrow dtypes.
    """
    op = resolver.op
    before = [
        None if operand is None or op.on_host(position) else wider(operand)
        for position, operand in enumerate(resolver.operand_types)
    ]
    attributes = dict(resolver.rule_attributes)
    dtype = attributes.get("dtype")
    wide_dtype = None if dtype is None else WIDER.get(dtype.name)
    if op.name in NEVER or not (wide_dtype or any(before)):
        return None
    if wide_dtype is not None:
        attributes["dtype"] = lookup(wide_dtype)
    types = tuple([wide or operand for wide, operand in zip(before, resolver.operand_types, strict=True)])
    if not type(resolver)(op, resolver.backend, resolver.device, types, attributes).candidates():
        return None
    resolution = resolve(op, resolver.backend, resolver.device, types, attributes)
    operands = zip(resolver.operand_types, before, strict=True)
    outputs = zip(resolution.result_types, resolver.result_types, strict=True)
    call = Widened(
        resolution,
        [cast(resolve, narrow, wide) for narrow, wide in operands],
        [cast(resolve, wide, narrow) for wide, narrow in outputs],
    )
    shared = resolver.operand_types[0] if resolver.operand_types else None
    if any(operand is not shared for operand in resolver.operand_types):
        shared = None
    return Resolution(call, shared, resolver.operand_types, resolver.result_types, (), "widened")


def wider(narrow: TensorType) -> TensorType | None:
    """The type that computes for a narrow one; None if that is not narrow, or its backend has no wider dtype."""
    name = WIDER.get(narrow.dtype.name)
    if name is None or name not in narrow.backend.dtypes:
        return None
    return get_tensor_type(narrow.backend, narrow.device, lookup(name))


def cast(resolve: Resolve, source: TensorType | None, target: TensorType | None) -> Resolution | None:
    """The resolution of the cast from one type to another; None if they are the same, or there is nothing to cast."""
    if source is None or target is None or source is target:
        return None
    return resolve(tables.get_op("astype"), source.backend, source.device, (source,), {"dtype": target.dtype})
