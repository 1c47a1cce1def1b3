"""Tensors as arrays of other libraries: NumPy's array protocol, and DLPack.

Tensor imports this module when it needs it, so nothing here imports Tensor.

Source:
    DLPack 1.1; Python array API standard 2025.12, "Data interchange mechanisms".
"""

from __future__ import annotations

import importlib
from typing import Any, Final

import numpy as np

from ..errors import DeviceError, InterchangeError, PolytapeError
from .rejections import described

__all__ = ["CPU", "as_array", "dlpack_device", "export", "namespace"]

CPU: Final = (1, 0)  # DLPack's number of the host's memory
VERSIONS: Final = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")  # of the standard; each includes the earlier


def namespace(api_version: str | None) -> Any:
    """The namespace of the array API standard.

    Args:
        api_version: a version of the standard; default: the newest.
    Raises:
        InterchangeError: a version that polytape does not follow.
    """
    if api_version is not None and api_version not in VERSIONS:
        raise InterchangeError(
            f"__array_namespace__: polytape does not follow version {api_version!r} of the array API standard.",
            expected=f"one of {', '.join(VERSIONS)}",
            got=repr(api_version),
            fix="leave api_version out",
        )
    return importlib.import_module("polytape")


def as_array(x: Any, host: Any, dtype: Any, copy: bool | None) -> Any:
    """The result of ``numpy.asarray(x, dtype=dtype, copy=copy)``.

    Args:
        x: the tensor.
        host: its values, read-only.
        dtype, copy: as NumPy passes them to ``__array__``.
    Raises:
        DeviceError: ``copy=False``, but a copy cannot be avoided.
    """
    wanted = host.dtype if dtype is None else np.dtype(dtype)
    shared = wanted == host.dtype and x.type.backend.host
    if copy is False and not shared:
        raise DeviceError(
            f"{described(x)} as a NumPy array with copy=False would have to be copied.",
            expected=f"dtype {x.dtype}, and a tensor in the host's memory",
            got=f"dtype {wanted}, and a tensor on {x.device}",
            fix="leave copy out",
        )
    return host if wanted == host.dtype and not copy else host.astype(wanted)


def dlpack_device(x: Any) -> tuple[int, int]:
    """DLPack's type and number of the device that ``x.__dlpack__()`` exports from."""
    backend = x.type.backend
    if backend.to_dlpack is None or backend.dlpack_device is None:
        return CPU  # exported through the host
    device: tuple[int, int] = backend.dlpack_device(x.device)
    return device


def export(x: Any, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None) -> Any:
    """A DLPack capsule with the values of ``x``: a copy, unless the consumer asks for ``copy=False``.

    Old consumers cannot be told that memory is read-only, and newer ones ignore it. A copy also has positive strides;
    some consumers abort on others.

    Args:
        x: the tensor.
        stream, max_version, dl_device, copy: as the standard defines them for ``__dlpack__``.
    Raises:
        InterchangeError: the values cannot be exported as requested.
    """
    own = dlpack_device(x)
    target = own if dl_device is None else tuple(dl_device)
    backend = x.type.backend
    if target == own and backend.to_dlpack is not None:
        if copy is False:
            array = x.numpy() if backend.host else x.native()
            if any(stride < 0 for stride in getattr(array, "strides", ())):
                raise _impossible(x, "positive strides", f"strides {array.strides}", "leave copy out")
        else:
            array = backend.copy(x.native(), x.device)
        return _exported(x, backend.to_dlpack, array, stream=stream, max_version=max_version)
    if target != CPU:
        places = " or ".join(map(str, dict.fromkeys([own, CPU])))
        raise _impossible(x, f"DLPack device {places}", str(target), "move the tensor with to_device first")
    if copy is False:
        raise _impossible(x, "a tensor in the host's memory", f"a tensor on {x.device}", "leave copy out")
    options = {} if max_version is None else {"max_version": max_version}
    return _exported(x, x.numpy().copy().__dlpack__, **options)


def _exported(x: Any, function: Any, *args: Any, **options: Any) -> Any:
    """The capsule that ``function`` makes; what the backend's library raises becomes an InterchangeError."""
    try:
        return function(*args, **options)
    except PolytapeError:
        raise
    except Exception as error:
        reason = [*str(error).splitlines(), type(error).__name__][0]
        fix = "polytape.astype(x, 'float32') for bfloat16; other dtypes of DLPack depend on the backend's library"
        raise _impossible(x, "a dtype and options that its library can export", reason, fix) from None


def _impossible(x: Any, expected: str, got: str, fix: str) -> InterchangeError:
    return InterchangeError(
        f"{described(x)} cannot be exported by DLPack as requested.", expected=expected, got=got, fix=fix
    )
