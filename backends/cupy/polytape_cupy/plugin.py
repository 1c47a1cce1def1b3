"""The plugin hook that returns the CuPy backend. cupy is imported by the hook, not by this module."""

from __future__ import annotations

import importlib
import threading
from importlib.util import find_spec
from typing import Any, Final

import polytape
from polytape.backend import Backend, Probe

from .kernels import kernels
from .memory import Memory
from .streams import Queues

__all__ = ["polytape_backend"]

_INSTALL: Final = "pip install 'polytape[cupy]'"
# A driver that hangs must not hang a program that lists the backends.
_DRIVER_TIMEOUT_S: Final = 2.0
# cupy has linear algebra of its own; these factorizations have not been connected and tried on a GPU yet.
_ON_HOST: Final = ("cholesky", "eig", "eigh", "lu_factor", "qr", "solve_triangular", "svd")
_DTYPES: Final = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip


@polytape.hookimpl
def polytape_backend() -> Backend:
    """The backend ``cupy``: one device ``gpu`` per GPU; if CUDA reports none, the backend's probe gives the reason."""
    probe, xp, count = _probe_cupy()
    version = getattr(polytape, "__version__", "")
    if xp is None:
        return Backend(name="cupy", version=version, probe=lambda: probe)
    queues = Queues(xp)
    memory = Memory(xp, queues)
    return Backend(
        name="cupy",
        version=version,
        library=f"cupy {xp.__version__}",
        probe=lambda: probe,
        devices=lambda: [("gpu", count)],
        array_type=xp.ndarray,
        from_host=memory.from_host,
        to_host=memory.to_host,
        copy=memory.copy,
        empty=memory.empty,
        synchronize=memory.synchronize,
        lift=memory.lift,
        dtypes=(*_DTYPES, "bfloat16") if hasattr(xp, "bfloat16") else _DTYPES,
        kernels=kernels(xp, count, queues),
        streams=queues.protocol(),
        exclusive=memory.exclusive,
        to_dlpack=memory.to_dlpack,
        from_dlpack=memory.from_dlpack,
        dlpack_device=memory.dlpack_device,
        memory_info=memory.info,
        rank=20,
        host_ops=_ON_HOST,
    )


def _probe_cupy() -> tuple[Probe, Any, int]:
    """The result of the backend's probe; if cupy is usable, also the module and the number of devices."""
    if find_spec("cupy") is None:
        return Probe(False, "cupy is not installed", _INSTALL, "absent"), None, 0
    try:
        xp = importlib.import_module("cupy")
    except Exception as error:  # the libraries that cupy loads fail with many types of errors
        reason = f"importing cupy failed: {_first_line(error)}"
        return Probe(False, reason, f"{_INSTALL} in a fresh environment", "import-failed"), None, 0
    try:
        count = _device_count(xp)
    except Exception as error:
        return _no_driver(_first_line(error)), None, 0
    if count < 1:
        return _no_device(), None, 0
    return Probe(), xp, count


def _device_count(xp: Any) -> int:
    """The number of devices that the CUDA runtime reports.

    Raises:
        TimeoutError: the driver did not respond in time.
        Exception: the error of the CUDA runtime, if there is no driver or no device.
    """
    results: list[Any] = []

    def count_devices() -> None:
        try:
            results.append(int(xp.cuda.runtime.getDeviceCount()))
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=count_devices, name="polytape-cupy-probe", daemon=True)
    thread.start()
    thread.join(_DRIVER_TIMEOUT_S)
    if not results:
        raise TimeoutError(f"the CUDA driver did not respond within {_DRIVER_TIMEOUT_S:.0f} s")
    if isinstance(results[0], Exception):
        raise results[0]
    count: int = results[0]
    return count


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _no_driver(reason: str) -> Probe:
    if "NoDevice" in reason:
        return _no_device(reason)
    remedy = "install or update the NVIDIA driver; `nvidia-smi` shows whether it works and which CUDA it supports"
    return Probe(False, reason, remedy, "no-device")


def _no_device(reason: str = "CUDA reports no device") -> Probe:
    remedy = "`nvidia-smi -L` lists the GPUs of this machine; CUDA_VISIBLE_DEVICES may hide them"
    return Probe(False, reason, remedy, "no-device")
