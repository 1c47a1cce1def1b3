"""The hook that returns the backend, and the backend's memory functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import polytape
from polytape.backend import Backend, MemoryInfo, Streams
from polytape.device import Device

from .kernels import compile_cluster, kernels
from .memory import DEVICES, SimArray, memory_of, pools
from .stream import Event, Stream, apply_faults, current, settle, synchronize, use

__all__ = ["polytape_backend"]

HostArray = np.ndarray[Any, Any]

_DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64", "complex128", "bfloat16",
)  # fmt: skip


@polytape.hookimpl
def polytape_backend() -> Backend:
    """The backend ``sim``: two devices, ``sim:0`` and ``sim:1``, never chosen automatically."""
    return Backend(
        name="sim",
        version="0.1.0",
        library=f"polytape-sim 0.1.0 on numpy {np.__version__}",
        devices=_devices,
        array_type=SimArray,
        from_host=_from_host,
        to_host=_to_host,
        copy=_copy,
        empty=_empty,
        synchronize=_synchronize,
        lift=_lift,
        dtypes=_DTYPES,
        kernels=kernels(),
        compile=compile_cluster,
        exclusive=_exclusive,
        dlpack_device=_dlpack_device,
        memory_info=_memory_info,
        streams=Streams(
            create=lambda device: Stream(device.index),
            use=lambda device, stream: use(device.index, stream),
            synchronize=Stream.synchronize,
            record=lambda device, stream: Event(_or_current(device, stream)),
            wait=lambda device, stream, event: _or_current(device, stream).wait(event),
            done=Event.done,
            finish=Event.synchronize,
        ),
        automatic=False,
    )


def _devices() -> Sequence[tuple[str, int]]:
    return [("sim", DEVICES)]


def _or_current(device: Device, stream: Stream | None) -> Stream:
    return current(device.index) if stream is None else stream


def _fill(op: str, array: SimArray, source: HostArray, read: Sequence[SimArray] = ()) -> SimArray:
    memory = memory_of(array)
    current(array.index).enqueue(op, lambda: np.copyto(memory, source), read, [array])
    return array


def _from_host(host: HostArray, device: Device) -> SimArray:
    # Copied now: the caller may write to the host array as soon as this returns.
    return _fill("from_host", SimArray(host.shape, host.dtype, device.index), host.copy())


def _to_host(array: SimArray) -> HostArray:
    apply_faults("to_host", "launch")
    settle(array)
    apply_faults("to_host", "run")
    return memory_of(array).copy()


def _copy(array: SimArray, device: Device) -> SimArray:
    if device.index != array.index:
        # The target's queue must not read the array before the source's queue has written it.
        settle(array)
        return _fill("copy", SimArray(array.shape, array.dtype, device.index), memory_of(array).copy())
    return _fill("copy", SimArray(array.shape, array.dtype, device.index), memory_of(array), [array])


def _empty(shape: tuple[int, ...], dtype: np.dtype[Any], device: Device) -> SimArray:
    return SimArray(shape, dtype, device.index)


def _synchronize(device: Device) -> None:
    synchronize(device.index)


def _dlpack_device(device: Device) -> tuple[int, int]:
    return (12, device.index)  # DLPack's type for devices that it does not know


def _lift(value: SimArray) -> SimArray:
    return value  # the kernels return only SimArrays


def _exclusive(array: SimArray) -> bool:
    return True  # there are no views; each array owns its memory


def _memory_info(device: Device) -> MemoryInfo:
    pool = pools[device.index]
    return MemoryInfo(pool.allocated_nbytes, pool.peak_nbytes, pool.limit_nbytes)
