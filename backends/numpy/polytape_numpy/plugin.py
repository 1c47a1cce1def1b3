"""The plugin hook that returns the NumPy backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import polytape
from polytape.backend import Backend, Cluster, Compiled
from polytape.device import Device

from .kernels import late

__all__ = ["polytape_backend"]

Array = np.ndarray[Any, Any]

_DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64", "complex128", "bfloat16",
)  # fmt: skip


@polytape.hookimpl
def polytape_backend() -> Backend:
    """The backend ``numpy``: one device, ``cpu``, whose arrays are ndarrays."""
    return Backend(
        name="numpy",
        version=getattr(polytape, "__version__", ""),
        library=f"numpy {np.__version__}",
        devices=_devices,
        array_type=np.ndarray,
        from_host=_from_host,
        to_host=_to_host,
        copy=_from_host,
        empty=_empty,
        synchronize=_synchronize,
        lift=np.asarray,
        compile=_compile,
        dtypes=_DTYPES,
        late_kernels=late(np),
        exclusive=_exclusive,
        to_dlpack=_to_dlpack,
        from_dlpack=_from_dlpack,
        dlpack_device=_dlpack_device,
        host=True,
        rank=0,
    )


def _devices() -> Sequence[tuple[str, int]]:
    return [("cpu", 1)]


def _from_host(array: Array, device: Device) -> Array:
    # Every array owns its memory and is in C order, so that kernels can flatten it without a copy.
    return np.array(array, order="C", copy=True, subok=False)


def _to_host(array: Array) -> Array:
    return array


def _empty(shape: tuple[int, ...], dtype: np.dtype[Any], device: Device) -> Array:
    return np.empty(shape, dtype)


def _synchronize(device: Device) -> None:
    """Do nothing: NumPy queues no work."""


def _compile(cluster: Cluster) -> Compiled | None:
    from .compiling import compile_cluster  # on first use: most programs trace nothing

    return compile_cluster(cluster)


def _exclusive(array: Array) -> bool:
    return array.base is None and array.flags.owndata


def _to_dlpack(array: Array, *, stream: Any, max_version: Any) -> Any:
    # NumPy 2.0 has no max_version.
    options: dict[str, Any] = {} if max_version is None else {"max_version": max_version}
    return array.__dlpack__(stream=stream, **options)


def _from_dlpack(x: Any, device: Device) -> Array:
    array: Array = np.from_dlpack(x)
    return array


def _dlpack_device(device: Device) -> tuple[int, int]:
    return (1, 0)
