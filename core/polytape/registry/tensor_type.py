"""TensorType: one interned object for a tensor's backend, device and dtype.

Two tensors with the same TensorType agree in all three, so one comparison settles where an op runs, at which dtype
and by which kernel.
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

# A schedule of learning rates makes a new scalar every step: the cache is bounded and starts afresh when full.
SCALARS: Final = 512


class TensorType:
    """Backend, device and dtype of a tensor, and the 0-d arrays of the Python numbers met beside it."""

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
        self.one: Any = None  # the array of 1.0, once it was met: see BinaryOp.operate

    def __repr__(self) -> str:
        return f"TensorType({self.dtype}, {self.device})"

    def make_scalar(self, value: object) -> Any:
        """A fresh 0-d native array of ``value``."""
        return self.backend.from_host(self.host_scalar(value), self.device)

    def host_scalar(self, value: object) -> Any:
        """``value`` as a 0-d NumPy array of this dtype.

        Raises:
            DTypeError: a number out of the dtype's range, or of another category.
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
        # 1, 1.0 and True are one dict key, and so are 0.0 and -0.0: a cache per type, and zero apart.
        if type(value) is float:
            found = self.floats.get(value)
            if found is not None:
                return found
            if value == 0.0:
                return self._zero(value)
            cache = self.floats
        else:
            found = self.ints.get(value)
            if found is not None:
                return found
            cache = self.ints
        if type(value) is float and value == 1.0 and self.one is not None:
            return self.one  # the same one, also after the cache was emptied
        found = self.make_scalar(value)
        if type(value) is float and value == 1.0:
            self.one = found
        if len(cache) >= SCALARS:
            cache.clear()
        if value == value:  # NaN would never be found again
            cache[value] = found
        return found

    def _zero(self, value: float) -> Any:
        if math.copysign(1.0, value) < 0.0:
            return self.make_scalar(value)
        if self.zero is None:
            self.zero = self.make_scalar(value)
        return self.zero

    def takes(self, value: object) -> bool:
        """Whether the Python number ``value`` beside this type leaves the result's dtype as it is."""
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
    """A number for an error's text; an integer of hundreds of digits by its size."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    return str(value)


_kinds: Final[dict[tuple[Backend, Device, DType], TensorType]] = {}
_lock: Final = allocate_lock()


def get_tensor_type(backend: Backend, device: Device, dtype: DType) -> TensorType:
    """The one TensorType of these three.

    Raises:
        DTypeError: the backend holds no arrays of ``dtype``.
    """
    key = (backend, device, dtype)
    found = _kinds.get(key)
    if found is not None:
        return found
    if dtype.name not in backend.dtypes:
        raise DTypeError(
            f"backend {backend.name!r} has no arrays of {dtype}.",
            expected=f"one of {', '.join(backend.dtypes)}",
            got=str(dtype),
            fix="cast to one of these, or choose another backend",
        )
    with _lock:
        found = _kinds.get(key)
        if found is None:
            found = _kinds[key] = TensorType(backend, device, dtype)
    return found
