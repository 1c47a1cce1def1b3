"""What the array API standard lets programs ask, such as limits of dtypes and devices; and its constants."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np

from . import dtypes
from .device import Device
from .dtypes import DType
from .errors import DTypeError
from .tensors.tensor import Tensor

__all__ = [
    "NamespaceInfo",
    "can_cast",
    "e",
    "finfo",
    "iinfo",
    "inf",
    "namespace_info",
    "nan",
    "newaxis",
    "pi",
    "result_type",
]

e: Final = math.e
inf: Final = math.inf
nan: Final = math.nan
newaxis: Final = None
pi: Final = math.pi


class FloatInfo(NamedTuple):
    """The limits of a floating dtype; for a complex dtype those of its parts.

    Attributes:
        bits: of one number.
        eps: the distance from 1.0 to the next number.
        max, min: the largest and the smallest finite number.
        smallest_normal: the smallest positive number with full precision.
        dtype: the real floating dtype.
    """

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


class IntegerInfo(NamedTuple):
    """The limits of an integer dtype.

    Attributes:
        bits: of one number.
        max, min: the largest and the smallest number.
        dtype: the dtype.
    """

    bits: int
    max: int
    min: int
    dtype: DType


def _dtype_of(x: Any) -> DType:
    return x.dtype if isinstance(x, Tensor) else dtypes.lookup(x)


def finfo(type: Any, /) -> FloatInfo:
    """The limits of a floating dtype.

    Args:
        type: a floating dtype or a tensor.
    Raises:
        DTypeError: the dtype is not floating.
    Source:
        Array API standard 2025.12, ``finfo``.
    """
    dtype = _dtype_of(type)
    if dtypes.category(dtype) < dtypes.FLOATING:
        raise DTypeError(
            f"finfo: {dtype} is not a floating dtype.", expected="a floating dtype", got=str(dtype), fix="use iinfo"
        )
    if dtype.name == "bfloat16":
        import ml_dtypes

        information: Any = ml_dtypes.finfo  # it has no type annotations
        limits: Any = information(dtype)
    else:
        limits = np.finfo(dtype)
    real = {"complex64": dtypes.float32, "complex128": dtypes.float64}.get(dtype.name, dtype)
    return FloatInfo(
        int(limits.bits), float(limits.eps), float(limits.max), float(limits.min), float(limits.smallest_normal), real
    )


def iinfo(type: Any, /) -> IntegerInfo:
    """The limits of an integer dtype.

    Args:
        type: an integer dtype or a tensor.
    Raises:
        DTypeError: the dtype is not an integer dtype.
    Source:
        Array API standard 2025.12, ``iinfo``.
    """
    dtype = _dtype_of(type)
    if dtypes.category(dtype) != dtypes.INTEGER:
        raise DTypeError(
            f"iinfo: {dtype} is not an integer dtype.", expected="an integer dtype", got=str(dtype), fix="use finfo"
        )
    limits = np.iinfo(dtype)
    return IntegerInfo(int(limits.bits), int(limits.max), int(limits.min), dtype)


def can_cast(from_: Any, to: Any, /) -> bool:
    """Whether the promotion rules allow to convert ``from_`` to ``to``.

    Args:
        from_: a dtype or a tensor.
        to: a dtype.
    Returns:
        True if the two promote to ``to``: no wider or more general dtype is needed.
    Source:
        Array API standard 2025.12, ``can_cast``.
    """
    target = dtypes.lookup(to)
    try:
        return bool(dtypes.promote(_dtype_of(from_), target) == target)
    except DTypeError:  # uint64 and a signed integer dtype
        return False


def result_type(*arrays_and_dtypes: Any) -> DType:
    """The dtype that operands promote to.

    Args:
        arrays_and_dtypes: tensors, dtypes and Python numbers; the latter are weak.
    Raises:
        DTypeError: nothing to promote, or uint64 and a signed integer dtype.
    Source:
        Array API standard 2025.12, ``result_type``.
    """
    numbers = [x for x in arrays_and_dtypes if isinstance(x, (bool, int, float, complex))]
    others = [_dtype_of(x) for x in arrays_and_dtypes if not isinstance(x, (bool, int, float, complex))]
    if not others:
        if not numbers:
            raise DTypeError(
                "result_type() got nothing to promote.",
                expected="at least one tensor, dtype or number",
                got="none",
                fix="pass the operands",
            )
        others = [dtypes.default_dtype(numbers[0])]
    result = others[0]
    for dtype in others[1:]:
        result = dtypes.promote(result, dtype)
    for number in numbers:
        result = dtypes.weak_promote(result, number)
    return result


_EXAMPLES: Final = {"real floating": 1.0, "complex floating": 1j, "integral": 1}


class NamespaceInfo:
    """The capabilities, devices and dtypes of this process.

    Source:
        Array API standard 2025.12, "Inspection".
    """

    def capabilities(self) -> dict[str, Any]:
        """Whether masks can index, whether shapes may depend on data, and the largest rank (None: by the backend)."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Device:
        """The device where new tensors go."""
        from .placement.selection import default_device

        return default_device()

    def default_dtypes(self, *, device: Device | str | None = None) -> dict[str, DType]:
        """The default dtype of each kind of numbers; the same on every device."""
        of_numbers = {kind: dtypes.default_dtype(number) for kind, number in _EXAMPLES.items()}
        return {**of_numbers, "indexing": dtypes.int64}

    def dtypes(self, *, device: Device | str | None = None, kind: Any = None) -> dict[str, DType]:
        """The dtypes of a device by name.

        Args:
            device: default: where new tensors go.
            kind: as for `polytape.isdtype`; default: all of the standard's dtypes.
        """
        from . import plugins
        from .placement.selection import resolve_device

        held = plugins.get_backend(resolve_device(device).backend).dtypes
        names = [name for name in held if name not in ("bfloat16", "float16")]  # the standard does not have them
        return {name: dtypes.lookup(name) for name in names if kind is None or dtypes.isdtype(name, kind)}

    def devices(self) -> tuple[Device, ...]:
        """The devices of all backends that can be used: a tuple since 2025.12, a list before."""
        from . import plugins

        ready = [status.name for status in plugins.backends() if status.status == "ready"]
        return tuple(device for name in ready for device in plugins.get_backend(name).device_list())


def namespace_info() -> NamespaceInfo:
    """The object with which programs inspect the namespace; the standard's name is ``__array_namespace_info__``."""
    return NamespaceInfo()
