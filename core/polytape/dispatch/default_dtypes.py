"""The dtypes that numbers and new tensors have if a program names none."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..dtypes import DType
from ..errors import DTypeError, SettingError
from ..registry import tables

__all__ = ["read_environment", "set_default_dtype"]

ALLOWED = (dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64)


def set_default_dtype(dtype: Any) -> DType:
    """Set the floating or the integer dtype that Python numbers and new tensors have by default.

    It holds for the whole process: for lists and numbers that become tensors, creation functions, random draws, sums of
    small integers, and integers in ops that need floating-point numbers. The complex default follows the floating one.
    Call it before the first tensor: resolutions and traces are found again afterwards.

    Args:
        dtype: float32 (the default) or float64; or int32 (the default) or int64.
    Returns:
        The previous default of the same kind.
    Raises:
        DTypeError: another dtype.

    >>> before = pt.set_default_dtype("float64")
    >>> pt.asarray([0.1]).dtype, pt.zeros(2).dtype, pt.asarray([1]).dtype
    (dtype('float64'), dtype('float64'), dtype('int32'))
    >>> pt.set_default_dtype(before)
    dtype('float64')
    """
    new = dtypes.lookup(dtype)
    if new not in ALLOWED:
        raise DTypeError(
            f"{new} cannot be a default dtype.",
            expected="float32 or float64, or int32 or int64",
            got=str(new),
            fix="pass dtype=... where a tensor is created",
        )
    defaults = dtypes.defaults
    if dtypes.category(new) == dtypes.FLOATING:
        old, defaults.floating = defaults.floating, new
    else:
        old, defaults.integer = defaults.integer, new
    if new is not old:
        tables.forget_all()
    return old


def read_environment(value: str) -> None:
    """Set the dtypes that the environment variable POLYTAPE_DEFAULT_DTYPE lists.

    Raises:
        SettingError: the list has something else than these dtypes.
    """
    for name in filter(None, (part.strip().lower() for part in value.split(","))):
        if name not in {dtype.name for dtype in ALLOWED}:
            raise SettingError(
                f"POLYTAPE_DEFAULT_DTYPE={value!r} is not understood.",
                expected="float32 or float64, int32 or int64, or one of each, such as float64,int64",
                got=repr(name),
                fix="set POLYTAPE_DEFAULT_DTYPE to one of these, or unset it",
            )
        set_default_dtype(name)
