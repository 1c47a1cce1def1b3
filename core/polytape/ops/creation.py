"""Ops that create tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..device import Device
from ..dtypes import DType
from ..errors import DTypeError, ShapeError
from ..tensors.tensor import Tensor
from . import shape_rules
from .declaration import op, primitive

__all__ = ["arange", "full", "ones", "zeros"]

Shape = int | tuple[int, ...] | list[int]


def _fill_dtype(*, fill_value: Any, dtype: DType | None) -> DType:
    if not isinstance(fill_value, (bool, int, float, complex)):
        raise DTypeError(
            "the fill value is not a Python number.",
            expected="a bool, int, float or complex",
            got=type(fill_value).__name__,
            fix="use polytape.broadcast_to to repeat a tensor",
        )
    return dtypes.default_dtype(fill_value) if dtype is None else dtype


def _default_float(*, dtype: DType | None) -> DType:
    return dtypes.float32 if dtype is None else dtype


@op(dtype=_fill_dtype, shape=shape_rules.given_shape)
def full(shape: Shape, fill_value: complex, *, dtype: Any = None, device: Device | str | None = None) -> Tensor:
    """A tensor filled with one number.

    Args:
        fill_value: the number.
        dtype: default: the default dtype for the number (float32, int32, bool, complex64).
    Returns:
        ``shape``, ``dtype``.
    Raises:
        ShapeError: ``shape`` is not a valid shape. DTypeError: ``fill_value`` is not a number.
    """
    return primitive()


@op(dtype=_default_float, shape=shape_rules.given_shape)
def zeros(shape: Shape, *, dtype: Any = None, device: Device | str | None = None) -> Tensor:
    """A tensor of zeros.

    Args:
        dtype: default float32.
    Returns:
        ``shape``, ``dtype``.
    """
    return full(shape, 0, dtype=_default_float(dtype=dtype), device=device)


@op(dtype=_default_float, shape=shape_rules.given_shape)
def ones(shape: Shape, *, dtype: Any = None, device: Device | str | None = None) -> Tensor:
    """A tensor of ones.

    Args:
        dtype: default float32.
    Returns:
        ``shape``, ``dtype``.
    """
    return full(shape, 1, dtype=_default_float(dtype=dtype), device=device)


def _range_dtype(*, start: Any, stop: Any, step: Any, dtype: DType | None) -> DType:
    if dtype is None:
        is_float = any(isinstance(number, float) for number in (start, stop, step))
        dtype = dtypes.float32 if is_float else dtypes.int32
    if dtypes.category(dtype) == dtypes.INTEGER and step != 0:
        (count,) = _range_shape(start=start, stop=stop, step=step)
        last = start + (count - 1) * step
        info = np.iinfo(dtype)
        if count and not (info.min <= min(start, last) and max(start, last) <= info.max):
            raise DTypeError(
                f"the range from {start} to {last} does not fit {dtype}.",
                expected=f"numbers from {info.min} to {info.max}",
                got=f"start={start}, stop={stop}, step={step}",
                fix="pass dtype='int64'" if dtype is dtypes.int32 else "pass a wider dtype",
            )
    return dtype


def _range_shape(*, start: Any, stop: Any, step: Any) -> tuple[int, ...]:
    if step == 0:
        raise ShapeError(
            "a step of 0 never ends.", expected="a step other than 0", got="step=0", fix="pass a nonzero step"
        )
    if not all(isinstance(number, int) or math.isfinite(number) for number in (start, stop, step)):
        raise ShapeError(
            "a range needs finite numbers.",
            expected="a finite start, stop and step",
            got=f"start={start}, stop={stop}, step={step}",
            fix="pass the actual bounds",
        )
    # Integer arithmetic is exact for integers of any size; floats are counted as NumPy counts them.
    if all(isinstance(number, int) for number in (start, stop, step)):
        return (max(0, -((start - stop) // step)),)
    return (max(0, -int(-(stop - start) // step)),)


@op(dtype=_range_dtype, shape=_range_shape)
def arange_(start: float, stop: float, step: float, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Evenly spaced numbers, ``start + i * step`` below ``stop``; users call `arange`.

    Args:
        start, stop, step: as for `arange`, all required.
        dtype, device: of the result.
    Returns:
        [ceil((stop - start) / step)], ``dtype``.
    Raises:
        ShapeError: a step of 0, or numbers that are not finite. DTypeError: an integer dtype that does not hold the
            numbers.
    """
    return primitive()


def arange(
    start: float,
    /,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
) -> Tensor:
    """Evenly spaced numbers, ``start + i * step`` below ``stop``.

    Args:
        start: the first number. If ``stop`` is None, this is ``stop`` instead and the first number is 0.
        stop: the end of the range, not included.
        step: the distance between numbers, not 0.
        dtype: default int32, or float32 if any argument is a float.
        device: default: where new tensors go.
    Returns:
        [ceil((stop - start) / step)], ``dtype``.
    Raises:
        ShapeError: a step of 0, or numbers that are not finite. DTypeError: an integer dtype that does not hold the
            numbers: those of a range beyond int32 need ``dtype="int64"``.
    Source:
        Array API standard 2024.12, ``arange``.
    """
    first, last = (0, start) if stop is None else (start, stop)
    return arange_(first, last, step, dtype=dtype, device=device)
