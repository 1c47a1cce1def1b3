"""Device memory: an array the host cannot read, and an allocator that counts and has a limit.

Memory is counted where a program sees it: from the making of a `SimArray` to its last reference, also while queued work
still holds the bytes (an accelerator's allocator hands memory on in the order of the queue, too).
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
    """An allocation beyond the device's memory."""


class SimAccessError(PolytapeError, TypeError):
    """The host touched device memory, or one device another's."""


def _limit_from_environment() -> int:
    text = os.environ.get("POLYTAPE_SIM_LIMIT_NBYTES", "").strip()
    if not text:
        return _DEFAULT_LIMIT
    if not text.isdigit():
        raise SettingError(
            f"POLYTAPE_SIM_LIMIT_NBYTES={text!r} is no size.",
            expected="a number of bytes per device, such as 1000000",
            got=repr(text),
            fix="set it to a whole number, or unset it for 1 GiB",
        )
    return int(text)


class Pool:
    """The memory of one device: bytes in use, the most there ever were, and the limit."""

    def __init__(self, index: int, limit_nbytes: int) -> None:
        self.index: Final = index
        self.limit_nbytes = limit_nbytes
        self.allocated_nbytes = 0
        self.peak_nbytes = 0
        self._lock = threading.RLock()  # a collection in the middle of take() may give other arrays back

    def take(self, nbytes: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        """Count ``nbytes`` more in use.

        Raises:
            OutOfDeviceMemory: the limit leaves no room for them.
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
        nbytes: bytes per device; None for what the environment says, else 1 GiB. Arrays that exist stay.
    Returns:
        The limit there was, in bytes.
    """
    old = pools[0].limit_nbytes
    for pool in pools:
        pool.limit_nbytes = _limit_from_environment() if nbytes is None else nbytes
    return old


def _poison(shape: tuple[int, ...], dtype: np.dtype[Any]) -> HostArray:
    """What memory holds before anything ran: bytes 0xFF are NaN in every floating format, 0xCD an odd integer."""
    memory = np.empty(shape, dtype)
    if dtype.kind == "b":
        memory.fill(True)
    elif memory.size:
        integer = dtype.kind in "iu"
        memory.reshape(-1).view(np.uint8).fill(0xCD if integer else 0xFF)
    return memory


class SimArray:
    """An array in a device's memory.

    Its ``shape`` and ``dtype`` are known at once; its contents belong to the device, and only `Backend.to_host` reads
    them. Made by `from_host`, `empty` and the kernels, never by a program.
    """

    __slots__ = ("__weakref__", "_memory", "_pool", "dtype", "index", "nbytes", "shape")

    # NumPy must not take it for an object of its own: np.add(ndarray, simarray) raises.
    __array_ufunc__ = None

    def __init__(self, shape: tuple[int, ...], dtype: Any, index: int) -> None:
        self._pool: Pool | None = None  # __del__ also runs where take() raised
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
        """How many axes it has."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"SimArray({self.dtype}{list(self.shape)} on sim:{self.index})"

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise SimAccessError(
            f"{self!r} is in a device's memory, where the host cannot read or write.",
            expected="an explicit copy to the host",
            got="an access from the host, as NumPy or plain Python makes it",
            fix="use tensor.numpy(), or the backend's to_host(array)",
        )

    __array__ = __buffer__ = __dlpack__ = __iter__ = __getitem__ = __setitem__ = __len__ = __contains__ = _refuse
    __bool__ = __int__ = __float__ = __complex__ = __index__ = __copy__ = __deepcopy__ = __reduce_ex__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __hash__ = object.__hash__


def unsafe_peek(array: SimArray) -> HostArray:
    """A host copy of what ``array`` holds this moment, without waiting: poison until queued work has run.

    For tests of synchronisation only.
    """
    return array._memory.copy()


def memory_of(array: SimArray) -> HostArray:
    """The bytes behind ``array``, for code that runs in the queue (and so on the pretend device)."""
    return array._memory
