"""The checks of a backend's memory: transfers keep every bit, and tensors do not share memory that others may write."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .. import dtypes, plugins
from ..dispatch import convert
from .calls import device_of
from .contract import check_exclusive
from .makers import Array

__all__ = ["TRANSFERS"]

_SHAPES: Final = ((), (1,), (0,), (2, 0, 3), (2, 3), (2, 1, 3, 1, 2))


def _values(shape: tuple[int, ...], dtype: str) -> Array:
    """Random bytes as an array; floats include NaNs with a payload, bools are 0 or 1."""
    numpy_dtype = dtypes.lookup(dtype)
    count = int(np.prod(shape)) * numpy_dtype.itemsize
    raw = np.random.default_rng(3).integers(0, 2 if dtype == "bool" else 256, count, dtype="uint8")
    return raw.view(numpy_dtype).reshape(shape)


def _require(condition: bool, what: str, expected: Any, got: Any) -> None:
    if not condition:
        raise AssertionError(f"{what}\n  expected: {expected}\n  got: {got}")


def _six(backend: str) -> Array:
    """0 to 5, in a dtype that the backend supports."""
    supported = plugins.get_backend(backend).dtypes
    names = [name for name in ("float64", "float32", "int32") if name in supported]
    return np.arange(6).astype(names[0] if names else dtypes.lookup(supported[0]))


def check_round_trip(backend: str) -> None:
    """Arrays of every dtype, shape and memory layout come back with the same bits, dtype and shape."""
    device = device_of(backend)
    for dtype in plugins.get_backend(backend).dtypes:
        for shape in _SHAPES:
            host = _values(shape, dtype)
            for layout in (host, host.T, host[..., ::-1] if shape else host):
                x = convert.asarray(layout, device=device)
                what = f"{dtype}{list(layout.shape)} to {backend} and back"
                _require(x.shape == layout.shape, what, layout.shape, x.shape)
                _require(x.dtype == layout.dtype and x.device is device, what, f"{dtype} on {device}", repr(x.type))
                back = x.numpy()
                _require(back.shape == layout.shape and back.dtype == layout.dtype, what, layout.dtype, back.dtype)
                _require(back.tobytes() == layout.tobytes(), what, layout.tolist(), back.tolist())


def check_host_data_is_copied(backend: str) -> None:
    """Writing to the array that a tensor was created from does not change the tensor, even if the copy is queued."""
    host = _six(backend)
    x = convert.asarray(host, device=device_of(backend))
    host[:] = 7
    _require(x.tolist() == list(range(6)), f"a tensor on {backend} after its source was written", "0 to 5", x.tolist())


def check_host_views_are_read_only(backend: str) -> None:
    """``.numpy()`` returns a read-only array, because writing to it could change the tensor."""
    x = convert.asarray(_six(backend), device=device_of(backend))
    _require(not x.numpy().flags.writeable, f".numpy() on {backend}", "a read-only array", "a writable one")


def check_copies_are_independent(backend: str) -> None:
    """The backend's ``copy`` returns the same values in new memory, on each of its devices."""
    tested = plugins.get_backend(backend)
    source = convert.asarray(_six(backend).reshape(2, 3), device=device_of(backend)).array
    for device in tested.device_list():
        array = tested.copy(source, device)
        what = f"copy to {device}"
        _require(array is not source, what, "another array", "the same array")
        _require(isinstance(array, tested.array_type), what, tested.array_type, type(array))
        _require(tested.to_host(array).tolist() == [[0, 1, 2], [3, 4, 5]], what, "the values", tested.to_host(array))
        shared = tested.host and np.shares_memory(array, source)
        _require(not shared, what, "separate memory", "memory shared with the source")


def check_empty(backend: str) -> None:
    """``empty`` returns arrays of the requested shape and dtype, which can be read immediately."""
    tested = plugins.get_backend(backend)
    for dtype in tested.dtypes:
        for shape in _SHAPES:
            array = tested.empty(shape, dtypes.lookup(dtype), device_of(backend))
            got = (tuple(array.shape), array.dtype.name)
            _require(got == (shape, dtype), f"empty on {backend}", (shape, dtype), got)
            _require(isinstance(array, tested.array_type), f"empty on {backend}", tested.array_type, type(array))


def check_moves_between_devices(backend: str) -> None:
    """Tensors keep their values when they move between the host and the backend's devices."""
    host = plugins.host_backend().device_list()[0]
    values = list(range(6))
    for device in plugins.get_backend(backend).device_list():
        x = convert.asarray(_six(backend), device=device)
        for y in (x.to_device(host), x.to_device(device_of(backend)), x.to_device(host).to_device(device)):
            _require(y.tolist() == values, f"{x.device} to {y.device}", values, y.tolist())
        plugins.get_backend(backend).synchronize(device)


TRANSFERS: Final = (
    check_exclusive,
    check_round_trip,
    check_host_data_is_copied,
    check_host_views_are_read_only,
    check_copies_are_independent,
    check_empty,
    check_moves_between_devices,
)
