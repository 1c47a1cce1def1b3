"""TensorType: one interned object for a tensor's backend, device and dtype.

Two tensors with the same TensorType agree in all three, so one identity test determines where an op runs, in which
dtype and with which kernel.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..device import Device
from ..dtypes import BOOL, COMPLEX, FLOATING, INTEGER, DType, category, lookup
from ..errors import DTypeError
from ..locks import process_lock

if TYPE_CHECKING:
    from ..backend import Backend

__all__ = ["TensorType", "get_tensor_type"]

# A learning-rate schedule uses a new scalar at every step, so the cache is bounded; it is emptied when it is full.
SCALARS: Final = 512

# The largest finite numbers; np.finfo takes 30 us at its first use for a dtype.
LARGEST: Final = {
    "bfloat16": (2.0 - 2.0**-7) * 2.0**127, "float16": 65504.0,
    "float32": (2.0 - 2.0**-23) * 2.0**127, "float64": (2.0 - 2.0**-52) * 2.0**1023,
    "complex64": (2.0 - 2.0**-23) * 2.0**127, "complex128": (2.0 - 2.0**-52) * 2.0**1023,
}  # fmt: skip


class TensorType:
    """Backend, device and dtype of a tensor, and the cached 0-d arrays of Python numbers used as operands with it.

    Attributes:
        low, high: the smallest and the largest finite number of the dtype.
    """

    __slots__ = (
        "array_type", "backend", "category", "device", "dtype", "floats", "high", "ints", "lift", "low", "one", "zero",
    )  # fmt: skip

    def __init__(self, backend: Backend, device: Device, dtype: DType) -> None:
        self.backend: Final[Backend] = backend
        self.device: Final[Device] = device
        self.dtype: Final[DType] = dtype
        self.category: Final[int] = category(dtype)
        low, high = limits(dtype)
        self.low: Final[Any] = low
        self.high: Final[Any] = high
        self.array_type: Final[Any] = backend.array_type
        self.lift: Final[Any] = backend.lift  # what a kernel returned -> native array
        self.floats: Final[dict[object, Any]] = {}
        self.ints: Final[dict[object, Any]] = {}
        self.zero: Any = None
        self.one: Any = None  # the 0-d array of 1.0, after its first use; see BinaryOp.operate

    def __repr__(self) -> str:
        return f"TensorType({self.dtype}, {self.device})"

    def __reduce__(self) -> tuple[object, ...]:
        return get_tensor_type, (self.backend, self.device, self.dtype)

    def make_scalar(self, value: object) -> Any:
        """A new 0-d native array that holds ``value``."""
        return self.backend.from_host(self.host_scalar(value), self.device)

    def make_constant(self, value: object) -> Any:
        """As `make_scalar`, for an array that is kept and used on every stream."""
        return self.backend.constant(self.host_scalar(value), self.device)

    def host_scalar(self, value: object) -> Any:
        """``value`` as a 0-d NumPy array of this dtype.

        Raises:
            DTypeError: ``value`` is out of the dtype's range, or of another category.
        """
        try:
            return np.asarray(value, dtype=self.dtype)
        except (OverflowError, TypeError):
            raise out_of_range(value, self) from None

    def number(self, value: object) -> Any:
        """The 0-d native array of any Python number, as an operand of arithmetic: a float out of range is infinite."""
        return self.scalar(value) if self.takes(value) and self.fits(value) else self.make_scalar(value)

    def fits(self, value: Any) -> bool:
        """Whether a number is within the dtype's range, infinite or NaN; a complex number always is."""
        if isinstance(value, complex):
            return True
        result = bool(self.low <= value <= self.high or value != value or value in (math.inf, -math.inf))
        return result

    def scalar(self, value: object) -> Any:
        """The cached 0-d native array of a Python int or float (never written, like every array a tensor holds).

        Raises:
            DTypeError: ``value`` is out of the dtype's range.
        """
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
        if self.category >= FLOATING and not self.fits(value):
            raise out_of_range(value, self)
        array = self.make_constant(value)
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
            self.zero = self.make_constant(value)
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


def limits(dtype: DType) -> tuple[Any, Any]:
    """The smallest and the largest finite number of a dtype."""
    if dtype.kind in "iu":
        bits = 8 * dtype.itemsize
        return (-(1 << bits - 1), (1 << bits - 1) - 1) if dtype.kind == "i" else (0, (1 << bits) - 1)
    high = LARGEST.get(dtype.name)
    return (False, True) if high is None else (-high, high)


def out_of_range(value: object, tensor_type: TensorType) -> DTypeError:
    """The error for a number that the dtype of ``tensor_type`` cannot hold."""
    dtype, low, high = tensor_type.dtype, tensor_type.low, tensor_type.high
    return DTypeError(
        f"{describe_number(value)} does not fit {dtype}.",
        expected=f"an integer from {low} to {high}" if dtype.kind in "iu" else f"a number that {dtype} can hold",
        got=describe_number(value),
        fix="cast the tensor to a wider dtype first",
    )


def describe_number(value: object) -> str:
    """A number as text for an error; an integer above 256 bits is described by its size."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    return str(value)


_tensor_types: Final[dict[tuple[Backend, Device, DType], TensorType]] = {}
_lock: Final = process_lock()


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
            # `lookup`, because the dtype of an unpickled array is an equal object, but not the same one.
            tensor_type = _tensor_types[key] = TensorType(backend, device, lookup(dtype))
    return tensor_type
