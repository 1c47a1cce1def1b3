"""TensorType: one interned object for a tensor's backend, device and dtype.

Two tensors with the same TensorType agree in all three, so one identity test determines where an op runs, in which
dtype and with which kernel.
"""

from __future__ import annotations

import math
from _thread import allocate_lock
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..device import Device
from ..dtypes import BOOL, COMPLEX, FLOATING, INTEGER, DType, category
from ..errors import DTypeError

if TYPE_CHECKING:
    from ..backend import Backend

__all__ = ["TensorType", "get_tensor_type"]

# A learning-rate schedule uses a new scalar at every step, so the cache is bounded; it is emptied when it is full.
SCALARS: Final = 512


class TensorType:
    """Backend, device and dtype of a tensor, and the cached 0-d arrays of Python numbers used as operands with it."""

    __slots__ = ("array_type", "backend", "category", "device", "dtype", "floats", "ints", "lift", "one", "zero")

    def __init__(self, backend: Backend, device: Device, dtype: DType) -> None:
        self.backend: Final[Backend] = backend
        self.device: Final[Device] = device
        self.dtype: Final[DType] = dtype
        self.category: Final[int] = category(dtype)
        self.array_type: Final[Any] = backend.array_type
        self.lift: Final[Any] = backend.lift  # what a kernel returned -> native array
        self.floats: Final[dict[object, Any]] = {}
        self.ints: Final[dict[object, Any]] = {}
        self.zero: Any = None
        self.one: Any = None  # the 0-d array of 1.0, after its first use; see BinaryOp.operate

    def __repr__(self) -> str:
        return f"TensorType({self.dtype}, {self.device})"

    def make_scalar(self, value: object) -> Any:
        """A new 0-d native array that holds ``value``."""
        return self.backend.from_host(self.host_scalar(value), self.device)

    def host_scalar(self, value: object) -> Any:
        """``value`` as a 0-d NumPy array of this dtype.

        Raises:
            DTypeError: ``value`` is out of the dtype's range, or of another category.
        """
        try:
            return np.asarray(value, dtype=self.dtype)
        except (OverflowError, TypeError):
            info: Any = np.iinfo(self.dtype) if self.dtype.kind in "iu" else None
            raise DTypeError(
                f"{describe_number(value)} does not fit {self.dtype}.",
                expected=f"an integer from {info.min} to {info.max}"
                if info
                else f"a number that {self.dtype} can hold",
                got=describe_number(value),
                fix="cast the tensor to a wider dtype first",
            ) from None

    def scalar(self, value: object) -> Any:
        """The cached 0-d native array of a Python int or float (never written, like every array a tensor holds)."""
        # 1, 1.0 and True are the same dict key, and so are 0.0 and -0.0: hence one cache per type, without zeros.
        if type(value) is float:
            array = self.floats.get(value)
            if array is not None:
                return array
            if value == 0.0:
                return self._zero(value)
            cache = self.floats
        else:
            array = self.ints.get(value)
            if array is not None:
                return array
            cache = self.ints
        if type(value) is float and value == 1.0 and self.one is not None:
            return self.one  # the same array even after the cache has been emptied
        array = self.make_scalar(value)
        if type(value) is float and value == 1.0:
            self.one = array
        if len(cache) >= SCALARS:
            cache.clear()
        if value == value:  # a lookup never finds NaN, which does not equal itself
            cache[value] = array
        return array

    def _zero(self, value: float) -> Any:
        if math.copysign(1.0, value) < 0.0:
            return self.make_scalar(value)
        if self.zero is None:
            self.zero = self.make_scalar(value)
        return self.zero

    def takes(self, value: object) -> bool:
        """Whether an op on this type and the Python number ``value`` keeps the dtype."""
        cls = type(value)
        if cls is float:
            return self.category >= FLOATING
        if cls is int:
            return self.category >= INTEGER
        if cls is bool:
            return self.category >= BOOL
        if cls is complex:
            return self.category == COMPLEX
        return False


def describe_number(value: object) -> str:
    """A number as text for an error; an integer above 256 bits is described by its size."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    return str(value)


_tensor_types: Final[dict[tuple[Backend, Device, DType], TensorType]] = {}
_lock: Final = allocate_lock()


def get_tensor_type(backend: Backend, device: Device, dtype: DType) -> TensorType:
    """The unique TensorType of this backend, device and dtype; created at its first use.

    Raises:
        DTypeError: the backend does not support ``dtype``.
    """
    key = (backend, device, dtype)
    tensor_type = _tensor_types.get(key)
    if tensor_type is not None:
        return tensor_type
    if dtype.name not in backend.dtypes:
        raise DTypeError(
            f"backend {backend.name!r} does not support {dtype}.",
            expected=f"one of {', '.join(backend.dtypes)}",
            got=str(dtype),
            fix="cast to one of these, or choose another backend",
        )
    with _lock:
        tensor_type = _tensor_types.get(key)
        if tensor_type is None:
            tensor_type = _tensor_types[key] = TensorType(backend, device, dtype)
    return tensor_type
