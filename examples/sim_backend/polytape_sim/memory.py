"""Device memory: an array that the host cannot read, and an allocator with counters and a limit.

Memory counts as used from the creation of a `SimArray` until its last reference is gone, even if queued work still uses
the bytes: the allocator of a real accelerator also reuses memory in the order of the queue.
"""

from __future__ import annotations

import os
import threading
from math import prod
from typing import Any, Final, NoReturn

import numpy as np

from polytape.errors import PolytapeError, SettingError

__all__ = [
    "DEVICES",
    "OutOfDeviceMemory",
    "Pool",
    "SimAccessError",
    "SimArray",
    "memory_of",
    "pools",
    "set_limit",
    "unsafe_peek",
]

HostArray = np.ndarray[Any, Any]

DEVICES: Final = 2
_DEFAULT_LIMIT: Final = 1 << 30  # bytes per device


class OutOfDeviceMemory(PolytapeError, MemoryError):
    """An allocation exceeds the device's memory limit."""


class SimAccessError(PolytapeError, TypeError):
    """The host accessed device memory, or one device accessed the memory of another."""


def _limit_from_environment() -> int:
    text = os.environ.get("POLYTAPE_SIM_LIMIT_NBYTES", "").strip()
    if not text:
        return _DEFAULT_LIMIT
    if not text.isdigit():
        raise SettingError(
            f"POLYTAPE_SIM_LIMIT_NBYTES={text!r} is not a valid size.",
            expected="a number of bytes per device, such as 1000000",
            got=repr(text),
            fix="set it to a whole number, or unset it for 1 GiB",
        )
    return int(text)


class Pool:
    """The memory of one device: bytes in use, their peak, and the limit."""

    def __init__(self, index: int, limit_nbytes: int) -> None:
        self.index: Final = index
        self.limit_nbytes = limit_nbytes
        self.allocated_nbytes = 0
        self.peak_nbytes = 0
        self._lock = threading.RLock()  # reentrant: a garbage collection inside take() may free other arrays

    def take(self, nbytes: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        """Count ``nbytes`` more as used.

        Raises:
            OutOfDeviceMemory: this would exceed the limit.
        """
        with self._lock:
            if self.allocated_nbytes + nbytes > self.limit_nbytes:
                raise OutOfDeviceMemory(
                    f"sim:{self.index} has no room for {dtype}{list(shape)}.",
                    expected=f"at most {self.limit_nbytes - self.allocated_nbytes} bytes, which are free",
                    got=f"{nbytes} bytes; {self.allocated_nbytes} of {self.limit_nbytes} are in use",
                    fix="drop references to tensors, use smaller batches, or raise polytape_sim.set_limit(nbytes)",
                )
            self.allocated_nbytes += nbytes
            self.peak_nbytes = max(self.peak_nbytes, self.allocated_nbytes)

    def give_back(self, nbytes: int) -> None:
        """Count ``nbytes`` as free again."""
        with self._lock:
            self.allocated_nbytes -= nbytes


pools: Final = tuple(Pool(index, _limit_from_environment()) for index in range(DEVICES))


def set_limit(nbytes: int | None = None) -> int:
    """Limit each device's memory.

    Args:
        nbytes: bytes per device; None for the value of the environment variable, or 1 GiB if it is not set. Existing
            arrays are kept.
    Returns:
        The previous limit, in bytes.
    """
    old = pools[0].limit_nbytes
    for pool in pools:
        pool.limit_nbytes = _limit_from_environment() if nbytes is None else nbytes
    return old


def _poison(shape: tuple[int, ...], dtype: np.dtype[Any]) -> HostArray:
    """Memory as it is before any work has run: bytes 0xFF, which are NaN in every floating format; 0xCD in integers."""
    memory = np.empty(shape, dtype)
    if dtype.kind == "b":
        memory.fill(True)
    elif memory.size:
        integer = dtype.kind in "iu"
        memory.reshape(-1).view(np.uint8).fill(0xCD if integer else 0xFF)
    return memory


class SimArray:
    """An array in a device's memory.

    Its ``shape`` and ``dtype`` are available immediately; its contents belong to the device, and only
    `Backend.to_host` can read them. Created by `from_host`, `copy`, `empty` and the kernels, never by a program.
    """

    __slots__ = ("__weakref__", "_memory", "_pool", "dtype", "index", "nbytes", "shape", "use")

    # NumPy would otherwise treat it as a Python object; with None, np.add(ndarray, simarray) raises TypeError.
    __array_ufunc__ = None

    def __init__(self, shape: tuple[int, ...], dtype: Any, index: int) -> None:
        self._pool: Pool | None = None  # __del__ also runs if take() raises
        self.use: Any = None  # what the streams know of it: polytape_sim.stream.Use
        self.dtype: Final = np.dtype(dtype)
        self.shape: Final = tuple(shape)
        self.index: Final = index
        self.nbytes: Final = prod(self.shape) * self.dtype.itemsize
        pools[index].take(self.nbytes, self.shape, self.dtype)
        self._pool = pools[index]
        self._memory = _poison(self.shape, self.dtype)

    def __del__(self) -> None:
        if self._pool is not None:
            self._pool.give_back(self.nbytes)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (12, self.index)

    def __repr__(self) -> str:
        return f"SimArray({self.dtype}{list(self.shape)} on sim:{self.index})"

    def _reject(self, *_: object, **__: object) -> NoReturn:
        raise SimAccessError(
            f"{self!r} is in a device's memory, where the host cannot read or write.",
            expected="an explicit copy to the host",
            got="an access from the host, by NumPy or plain Python",
            fix="use tensor.numpy(), or the backend's to_host(array)",
        )

    __array__ = __buffer__ = __dlpack__ = __iter__ = __getitem__ = __setitem__ = __len__ = __contains__ = _reject
    __bool__ = __int__ = __float__ = __complex__ = __index__ = __copy__ = __deepcopy__ = __reduce_ex__ = _reject
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _reject
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _reject
    __hash__ = object.__hash__


def unsafe_peek(array: SimArray) -> HostArray:
    """A host copy of the current contents of ``array``, without waiting: poison until the queued work has run.

    Only for tests of synchronisation.
    """
    return array._memory.copy()


def memory_of(array: SimArray) -> HostArray:
    """The memory of ``array``, for code that runs in the queue and therefore on the simulated device."""
    return array._memory
