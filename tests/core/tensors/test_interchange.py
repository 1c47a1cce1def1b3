"""Tensors as arrays of other libraries: NumPy's protocol, and DLPack."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DeviceError, InterchangeError, TraceError


class Consumer:
    """Imports a tensor's capsule with the options of some library."""

    def __init__(self, x: pt.Tensor, **options: Any) -> None:
        self.x = x
        self.options = options

    def __dlpack__(self, **_: Any) -> Any:
        return self.x.__dlpack__(**self.options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.x.__dlpack_device__()


# --- NumPy's protocol ---


def test_a_conversion_that_must_not_copy_and_would_is_refused(backend: str) -> None:
    x = pt.asarray([1.0, 2.0], device=backend)
    with pytest.raises(ValueError, match=r"float32\[2\] as a NumPy array with copy=False") as caught:
        np.asarray(x, dtype="float64", copy=False)
    assert isinstance(caught.value, DeviceError)
    if x.type.backend.host:
        assert np.shares_memory(np.asarray(x, copy=False), x.numpy())
        assert np.shares_memory(np.asarray(x, dtype="float32", copy=False), x.numpy())
    else:
        with pytest.raises(DeviceError, match="a tensor in the host's memory"):
            np.asarray(x, copy=False)


def test_conversions_that_may_copy_have_the_values(backend: str) -> None:
    x = pt.asarray([1.5, 2.5], device=backend)
    assert np.asarray(x, dtype="float64").dtype == "float64"
    assert np.asarray(x, dtype=int).tolist() == [1, 2]
    copied = np.array(x)
    copied[0] = 9.0
    assert copied.flags.writeable and x.tolist() == [1.5, 2.5]


# --- DLPack ---


@pytest.mark.parametrize(
    "key", [slice(None, None, -1), (slice(None), slice(None, None, -1)), (slice(None, None, -1), 1)]
)
def test_a_reversed_tensor_is_exported_with_positive_strides(key: Any) -> None:
    x = pt.asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])[key]
    seen = np.from_dlpack(x)
    assert seen.tolist() == x.tolist() and all(stride >= 0 for stride in seen.strides)
    shared = pt.asarray(np.arange(3.0)[::-1], copy=False)
    assert np.from_dlpack(shared).tolist() == [2.0, 1.0, 0.0]
    with pytest.raises(InterchangeError, match=r"expected: positive strides(.|\n)*got: strides \(-8,\)"):
        shared.__dlpack__(copy=False)


@pytest.mark.parametrize("options", [{}, {"max_version": (1, 0)}, {"copy": True}, {"copy": None}])
def test_a_consumer_gets_a_copy_that_it_may_write(options: dict[str, Any], backend: str) -> None:
    x = pt.asarray([1.0, 2.0], device=backend)
    imported = np.from_dlpack(Consumer(x, dl_device=(1, 0), **options))
    assert imported.tolist() == [1.0, 2.0]
    np.lib.stride_tricks.as_strided(imported, writeable=True)  # as consumers do that do not know of read-only memory
    address = imported.ctypes.data
    assert address not in (x.numpy().ctypes.data, getattr(getattr(x.native(), "ctypes", None), "data", None))


def test_a_consumer_that_asks_for_no_copy_shares_read_only_memory() -> None:
    x = pt.asarray([1.0, 2.0])
    shared = np.from_dlpack(x, copy=False)
    assert np.shares_memory(shared, x.native()) and not shared.flags.writeable


def test_the_device_is_the_backend_s(backend: str) -> None:
    x = pt.asarray([1.0, 2.0], device=backend)
    owner = x.type.backend
    if owner.dlpack_device is None or owner.to_dlpack is None:
        assert x.__dlpack_device__() == (1, 0)  # exported through the host
    else:
        assert x.__dlpack_device__() == tuple(owner.dlpack_device(x.device))
    assert pt.Variable(x).__dlpack_device__() == x.__dlpack_device__()


def test_a_request_that_cannot_be_met_is_an_error() -> None:
    x = pt.asarray([1.0, 2.0])
    with pytest.raises(InterchangeError, match=r"expected: DLPack device \(1, 0\)(.|\n)*got: \(2, 0\)"):
        x.__dlpack__(dl_device=(2, 0))
    with pytest.raises(
        InterchangeError, match=r"bfloat16\[2\] cannot be exported(.|\n)*polytape.astype\(x, 'float32'\)"
    ):
        np.from_dlpack(pt.astype(x, "bfloat16"))
    with pytest.raises(BufferError):
        np.from_dlpack(pt.astype(x, "bfloat16"))
    with pytest.raises(TraceError, match="inside a traced function"):
        pt.function(np.from_dlpack)(x)


def test_native_is_the_array_itself(backend: str) -> None:
    x = pt.asarray([1.0, 2.0], device=backend)
    assert x.native() is x.array and isinstance(x.native(), x.type.backend.array_type)
    assert pt.Variable(x).native().shape == (2,)
    with pytest.raises(TraceError, match=r"native\(\) of float32\[2\]"):
        pt.function(lambda x: x.native())(x)
