"""Ops that create tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..device import Device
from ..dispatch.convert import asarray
from ..dtypes import DType
from ..errors import DTypeError, ShapeError
from ..tensors.tensor import Tensor, TensorLike, describe
from . import shape_rules
from .declaration import op, primitive

__all__ = ["arange", "empty", "eye", "full", "geomspace", "linspace", "logspace", "ones", "zeros"]

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
    return dtypes.defaults.floating if dtype is None else dtype


@op(dtype=_fill_dtype, shape=shape_rules.given_shape)
def full_(shape: Shape, fill_value: complex, *, dtype: Any = None, device: Device | str | None = None) -> Tensor:
    """A tensor filled with one Python number.

    Args:
        fill_value: the number.
        dtype: default: the default dtype for the number (float32, int32, bool, complex64).
    Returns:
        ``shape``, ``dtype``.
    Raises:
        ShapeError: ``shape`` is not a valid shape. DTypeError: ``fill_value`` is not a number.
    """
    return primitive()


def full(shape: Shape, fill_value: TensorLike, *, dtype: Any = None, device: Device | str | None = None) -> Tensor:
    """A tensor filled with one number.

    Args:
        shape: size of each axis.
        fill_value: a Python number, or a tensor or NumPy value with one element and no axes; differentiable.
        dtype: default: that of a tensor, or the default dtype for the number (float32, int32, bool, complex64).
        device: default: that of a tensor, or where new tensors go.
    Returns:
        ``shape``, ``dtype``.
    Raises:
        ShapeError: ``shape`` is not a valid shape, or ``fill_value`` has axes.
        DTypeError: ``fill_value`` is not a number.
    Source:
        Array API standard 2025.12, ``full``.
    """
    if isinstance(fill_value, (Tensor, np.ndarray, np.generic)) and not isinstance(fill_value, (float, complex)):
        return _repeated(shape, fill_value, dtype, device)
    return full_(shape, fill_value, dtype=dtype, device=device)


def _repeated(shape: Shape, value: Any, dtype: Any, device: Any) -> Tensor:
    """A tensor filled with the value of another tensor, or of a NumPy scalar."""
    if value.ndim:
        raise ShapeError(
            f"full cannot fill with {describe(value)}.",
            expected="one number, or a tensor without axes",
            got=f"shape {tuple(value.shape)}",
            fix="use polytape.broadcast_to(x, shape) to repeat a tensor along axes",
        )
    from .manipulation import astype, broadcast_to

    x = asarray(value, device=device)
    return broadcast_to(x if dtype is None else astype(x, dtype), shape_rules.as_shape(shape))


@op(dtype=_default_float, shape=shape_rules.given_shape)
def zeros(shape: Shape, *, dtype: Any = None, device: Device | str | None = None) -> Tensor:
    """A tensor of zeros.

    Args:
        dtype: default float32.
    Returns:
        ``shape``, ``dtype``.
    """
    return full_(shape, 0, dtype=_default_float(dtype=dtype), device=device)


@op(dtype=_default_float, shape=shape_rules.given_shape)
def ones(shape: Shape, *, dtype: Any = None, device: Device | str | None = None) -> Tensor:
    """A tensor of ones.

    Args:
        dtype: default float32.
    Returns:
        ``shape``, ``dtype``.
    """
    return full_(shape, 1, dtype=_default_float(dtype=dtype), device=device)


def _range_dtype(*, start: Any, stop: Any, step: Any, dtype: DType | None) -> DType:
    if dtype is None:
        is_float = any(isinstance(number, float) for number in (start, stop, step))
        dtype = dtypes.defaults.floating if is_float else dtypes.defaults.integer
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
        Array API standard 2025.12, ``arange``.
    """
    first, last = (0, start) if stop is None else (start, stop)
    return arange_(first, last, step, dtype=dtype, device=device)


def empty(shape: Shape, *, dtype: Any = None, device: Device | str | None = None) -> Tensor:
    """A tensor whose elements have any value; here, zeros.

    Args:
        shape: size of each axis.
        dtype: default float32.
        device: default: where new tensors go.
    Returns:
        ``shape``, ``dtype``.
    Raises:
        ShapeError: ``shape`` is not a valid shape.
    Source:
        Array API standard 2025.12, ``empty``.
    """
    return zeros(shape, dtype=dtype, device=device)  # unused memory from the system is zeroed anyway


def _matrix_shape(*, n_rows: Any, n_cols: Any) -> tuple[int, ...]:
    return shape_rules.as_shape((n_rows, n_rows if n_cols is None else n_cols))


def at_diagonal(shape: tuple[int, ...], k: int, device: Any) -> tuple[Tensor, Tensor]:
    """For the last two axes, the number of each row, where the diagonal ``k`` starts at 0, and of each column."""
    from .manipulation import reshape  # this family is loaded only when it is used

    rows, columns = shape[-2:]
    dtype = dtypes.int32 if rows + columns + abs(k) < 2**31 else dtypes.int64
    row = reshape(arange_(k, k + rows, 1, dtype=dtype, device=device), (rows, 1))
    return row, arange_(0, columns, 1, dtype=dtype, device=device)


@op(dtype=_default_float, shape=_matrix_shape)
def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: Any = None,
    device: Device | str | None = None,
) -> Tensor:
    """A matrix with ones on a diagonal and zeros elsewhere.

    Args:
        n_rows: the number of rows.
        n_cols: the number of columns; default: as many.
        k: which diagonal: 0 the main one, above 0 one to the right of it, below 0 one to the left.
        dtype: default float32.
    Returns:
        [n_rows, n_cols], ``dtype``.
    Raises:
        ShapeError: a negative size.
    """
    from .logic import equal  # these families are loaded only when they are used
    from .manipulation import astype

    row, column = at_diagonal(_matrix_shape(n_rows=n_rows, n_cols=n_cols), k, device)
    return astype(equal(row, column), _default_float(dtype=dtype))


def _spaced_dtype(*, start: Any, stop: Any, dtype: DType | None) -> DType:
    if dtype is None:
        return dtypes.default_dtype(1j if isinstance(start, complex) or isinstance(stop, complex) else 1.0)
    if dtypes.category(dtype) < dtypes.FLOATING:
        raise DTypeError(
            "the numbers between two others are not integers.",
            expected="a floating dtype",
            got=str(dtype),
            fix="cast the result, or use polytape.arange",
        )
    return dtype


def _spaced_shape(*, num: Any) -> tuple[int, ...]:
    return shape_rules.as_shape((num,))


@op(dtype=_spaced_dtype, shape=_spaced_shape)
def linspace(
    start: complex,
    stop: complex,
    /,
    num: int,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    endpoint: bool = True,
) -> Tensor:
    """Evenly spaced numbers from ``start`` to ``stop``.

    Args:
        start: the first number.
        stop: the last number, or the end of the interval, which then is not included.
        num: how many numbers.
        dtype: default float32, or complex64 if a bound is complex.
        endpoint: whether ``stop`` is the last number.
    Returns:
        [num], ``dtype``.
    Raises:
        ShapeError: a negative ``num``. DTypeError: a dtype that is not floating.
    """
    from .logic import where  # these families are loaded only when they are used
    from .manipulation import astype

    dtype = _spaced_dtype(start=start, stop=stop, dtype=None if dtype is None else dtypes.lookup(dtype))
    wide = dtypes.float32 if dtype.itemsize == 2 else dtype
    steps = num - 1 if endpoint else num
    numbers = arange_(0, num, 1, dtype=dtypes.int64, device=device)
    y = start + astype(numbers, wide) * ((stop - start) / steps if steps > 0 else 0)
    if endpoint and num > 1:
        y = where(numbers < num - 1, y, stop)  # rounding would miss it
    return astype(y, dtype)


def logspace(
    start: float, stop: float, /, num: int = 50, *, base: float = 10.0, dtype: Any = None,
    device: Device | str | None = None, endpoint: bool = True,
) -> Tensor:  # fmt: skip
    """Numbers at equal ratios, from ``base ** start`` to ``base ** stop``.

    Args:
        start, stop: the exponents of the first and the last number.
        num: how many numbers.
        base: of the powers.
        dtype, device, endpoint: as for `linspace`.
    Returns:
        [num], ``dtype``.
    Source:
        NumPy, ``logspace``.
    """
    from .manipulation import astype

    exponents = linspace(start, stop, num, dtype="float64", device=device, endpoint=endpoint)
    return astype(base**exponents, dtypes.defaults.floating if dtype is None else dtype)


def geomspace(
    start: float, stop: float, /, num: int = 50, *, dtype: Any = None, device: Device | str | None = None,
    endpoint: bool = True,
) -> Tensor:  # fmt: skip
    """Numbers at equal ratios, from ``start`` to ``stop``, which have the same sign.

    Args:
        start, stop: the first and the last number, not 0.
        num: how many numbers.
        dtype, device, endpoint: as for `linspace`.
    Returns:
        [num], ``dtype``.
    Raises:
        ShapeError: numbers of different signs, or 0.
    Source:
        NumPy, ``geomspace``.
    """
    if not start * stop > 0:
        raise ShapeError(
            "geomspace needs two numbers of the same sign.",
            expected="start and stop above 0, or both below",
            got=f"{start} and {stop}",
            fix="use polytape.linspace for a range that contains 0",
        )
    sign = math.copysign(1.0, start)
    powers = logspace(
        math.log10(abs(start)), math.log10(abs(stop)), num, dtype="float64", device=device, endpoint=endpoint
    )
    from .manipulation import astype

    return astype(powers * sign, dtypes.defaults.floating if dtype is None else dtype)
