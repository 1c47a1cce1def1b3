"""The hook that hands the CuPy backend over; cupy is imported when the hook is called, never by this module."""

from __future__ import annotations

import importlib
import threading
from importlib.util import find_spec
from typing import Any, Final

import polytape
from polytape.backend import Backend, Probe

from .kernels import kernels
from .memory import Memory

__all__ = ["polytape_backend"]

_INSTALL: Final = "pip install 'polytape[cupy]'"
# A driver that hangs must not hang the program that asks for the list of backends.
_ANSWER_S: Final = 2.0
_DTYPES: Final = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip


@polytape.hookimpl
def polytape_backend() -> Backend:
    """The backend ``cupy``: one device ``gpu`` per GPU that CUDA shows; without any, its probe says why."""
    probe, xp, count = _look()
    version = getattr(polytape, "__version__", "")
    if xp is None:
        return Backend(name="cupy", version=version, probe=lambda: probe)
    memory = Memory(xp)
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
        kernels=kernels(xp, count),
        exclusive=memory.exclusive,
        memory_info=memory.info,
        rank=20,
    )


def _look() -> tuple[Probe, Any, int]:
    """What `probe` says, and where it is ready the module and how many devices there are."""
    if find_spec("cupy") is None:
        return Probe(False, "cupy is not installed", _INSTALL, "absent"), None, 0
    try:
        xp = importlib.import_module("cupy")
    except Exception as error:  # its libraries fail in many ways
        reason = f"importing cupy failed: {_in_a_line(error)}"
        return Probe(False, reason, f"{_INSTALL} in a fresh environment", "import-failed"), None, 0
    try:
        count = _count(xp)
    except Exception as error:
        return _no_driver(_in_a_line(error)), None, 0
    if count < 1:
        return _no_device(), None, 0
    return Probe(), xp, count


def _count(xp: Any) -> int:
    """How many devices the CUDA runtime shows.

    Raises:
        TimeoutError: it has not answered in time.
        Exception: as the runtime, where there is no driver or no device.
    """
    answers: list[Any] = []

    def ask() -> None:
        try:
            answers.append(int(xp.cuda.runtime.getDeviceCount()))
        except Exception as error:
            answers.append(error)

    thread = threading.Thread(target=ask, name="polytape-cupy-probe", daemon=True)
    thread.start()
    thread.join(_ANSWER_S)
    if not answers:
        raise TimeoutError(f"the CUDA driver has not answered within {_ANSWER_S:.0f} s")
    if isinstance(answers[0], Exception):
        raise answers[0]
    count: int = answers[0]
    return count


def _in_a_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _no_driver(reason: str) -> Probe:
    if "NoDevice" in reason:
        return _no_device(reason)
    remedy = "install or update the NVIDIA driver; `nvidia-smi` shows whether it works and which CUDA it serves"
    return Probe(False, reason, remedy, "no-device")


def _no_device(reason: str = "CUDA shows no device") -> Probe:
    remedy = "`nvidia-smi -L` lists the GPUs of this machine; CUDA_VISIBLE_DEVICES may hide them"
    return Probe(False, reason, remedy, "no-device")
