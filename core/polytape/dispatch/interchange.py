"""Tensors from arrays of other libraries that need not pass through the host: native arrays, and DLPack.

Source:
    DLPack 1.1; Python array API standard 2025.12, ``from_dlpack``.
"""

from __future__ import annotations

from typing import Any

from ..device import Device
from ..dtypes import DType
from ..errors import DTypeError, InterchangeError, PolytapeError
from ..placement import selection
from ..registry import tables
from ..registry.tensor_type import get_tensor_type
from ..settings import trimmed
from ..tensors.interchange import CPU
from ..tensors.tensor import Tensor, describe, operators

__all__ = ["from_dlpack", "from_native", "is_elsewhere", "is_native"]


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor with the values of another library's array, by DLPack; without a copy to the host.

    Args:
        x: an object with ``__dlpack__`` and ``__dlpack_device__``.
        device: the result's device; by default the one that ``x`` is on.
        copy: None and True copy, since the owner of ``x`` may write to it. False shares its memory, or raises.
    Raises:
        InterchangeError: ``x`` cannot be exported, no ready backend has its device, or ``copy=False`` and a copy cannot
            be avoided.
        DTypeError: ``x`` does not support DLPack, or tensors on that device cannot have its dtype.
    Source:
        Array API standard 2025.12, ``from_dlpack``.
    """
    try:
        if isinstance(x, Tensor):
            tensor: Tensor = operators.asarray(x, None, device, copy)
            return tensor
        if not hasattr(x, "__dlpack__") or not hasattr(x, "__dlpack_device__"):
            raise DTypeError(
                f"from_dlpack cannot read {describe(x)}.",
                expected="an array of a library that supports DLPack",
                got=f"{type(x).__name__} without __dlpack__ and __dlpack_device__",
                fix="polytape.asarray takes lists, numbers and objects with __array__",
            )
        return _imported(x, None, device, copy)
    except PolytapeError as error:
        raise trimmed(error) from None


def is_native(obj: Any) -> bool:
    """Whether this is a native array of a ready backend, other than a NumPy array."""
    return _backend_of(obj) is not None


def is_elsewhere(obj: Any) -> bool:
    """Whether this is another library's array that is not in the host's memory."""
    try:
        return hasattr(obj, "__dlpack_device__") and _dlpack_device(obj) != CPU
    except InterchangeError:
        return False


def from_native(obj: Any, dtype: DType | None, device: Any, copy: bool | None) -> Tensor:
    """A tensor with the values of a native array, or of an array on a device; see `polytape.asarray`."""
    backend = _backend_of(obj)
    if backend is None:
        return _imported(obj, dtype, device, copy)
    devices = backend.device_list()
    own = devices[0]
    if backend.dlpack_device is not None and hasattr(obj, "__dlpack_device__"):
        place = _dlpack_device(obj)
        own = next((one for one in devices if tuple(backend.dlpack_device(one)) == place), own)
    return _tensor(obj, own, dtype, device, copy)


def _backend_of(obj: Any) -> Any:
    return next((backend for backend in tables.ready().values() if isinstance(obj, backend.array_type)), None)


def _dlpack_device(x: Any) -> tuple[int, int]:
    try:
        kind, number = x.__dlpack_device__()
    except Exception as error:  # another library's code may raise anything
        raise _unreadable(x, error) from None
    return int(kind), int(number)


def _imported(x: Any, dtype: DType | None, device: Any, copy: bool | None) -> Tensor:
    place = _dlpack_device(x)
    target = None if device is None else selection.resolve_device(device)
    own = target if target is not None and _serves(target, place) else _device_at(place, x)
    if copy is False and target is not None and own is not target:
        raise InterchangeError(
            f"from_dlpack(copy=False) of {describe(x)} for {target} would have to copy.",
            expected=f"an array on {target}",
            got=f"an array on {own}",
            fix="leave copy out",
        )
    try:
        array = selection.backend_of(own).from_dlpack(x, own)
    except PolytapeError:
        raise
    except Exception as error:
        raise _unreadable(x, error) from None
    return _tensor(array, own, dtype, target, copy)


def _unreadable(x: Any, error: Exception) -> InterchangeError:
    reason = [*str(error).splitlines(), ""][0]
    return InterchangeError(
        f"{describe(x)} cannot be read by DLPack.",
        expected="an array that exports itself by DLPack",
        got=f"{type(error).__name__}: {reason}",
        fix="convert it with its own library first, for example to another dtype, or copy it to the host",
    )


def _tensor(array: Any, own: Device, dtype: DType | None, device: Any, copy: bool | None) -> Tensor:
    """A tensor on a native array of the device ``own``, which is copied unless ``copy`` is False."""
    shared = Tensor(array, get_tensor_type(selection.backend_of(own), own, array.dtype), None)
    tensor: Tensor = operators.asarray(shared, dtype, device, copy is not False)
    return tensor


def _serves(device: Device, place: tuple[int, int]) -> bool:
    """Whether arrays at this place of DLPack's are on ``device``."""
    backend = selection.backend_of(device)
    if backend.from_dlpack is None or backend.dlpack_device is None:
        return False
    return tuple(backend.dlpack_device(device)) == place


def _device_at(place: tuple[int, int], x: Any) -> Device:
    """The device at a place of DLPack's: the default device if it is there, else the first one of a ready backend."""
    host = [selection.host_device()] if place == CPU else []
    for load in (False, True):
        if load and not host:
            selection.loader().backends()  # loads those that are not loaded yet
        ready = [device for backend in tables.ready().values() for device in backend.device_list()]
        for device in (selection.default_device(), *host, *ready):
            if _serves(device, place):
                return device
    raise InterchangeError(
        f"no ready backend can read {type(x).__module__}.{type(x).__qualname__} on the DLPack device {place}.",
        expected="an array on a device of a ready backend that supports DLPack",
        got=f"DLPack device type {place[0]}, number {place[1]}",
        fix="copy it to the host with its own library first; `polytape backends` lists the devices of this machine",
    )
