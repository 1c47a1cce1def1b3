"""Arrays of other libraries as tensors, without a detour through the host: native arrays, and DLPack."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, InterchangeError


class Exporter:
    """An array of another library that exports NumPy memory, and says on which device it is."""

    def __init__(self, values: Any, place: tuple[int, int] = (1, 0)) -> None:
        self.values = np.asarray(values)
        self.place = place

    def __dlpack__(self, **options: Any) -> Any:
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.place


def test_a_native_array_becomes_a_tensor_on_its_own_backend(backend: str) -> None:
    x = pt.asarray([1.0, 2.0], device=backend)
    y = pt.asarray(x.native())
    if isinstance(x.native(), np.ndarray):
        assert y.device == pt.asarray(0.0).device  # a NumPy array has no backend of its own
    else:
        assert y.device is x.device and isinstance(y.native(), type(x.native()))
    assert y.dtype == "float32" and y.tolist() == [1.0, 2.0]


def test_a_native_array_is_copied_unless_it_is_to_be_shared(backend: str) -> None:
    x = pt.asarray([1.0, 2.0], device=backend)
    with pt.device(backend):
        own, shared = pt.asarray(x.native()), pt.asarray(x.native(), copy=False)
    assert own.native() is not x.native()
    if isinstance(x.native(), np.ndarray):
        assert np.shares_memory(shared.native(), x.native()) and not np.shares_memory(own.native(), x.native())
    else:
        assert shared.native() is x.native()


def test_native_arrays_in_lists_and_with_a_dtype(backend: str) -> None:
    x = pt.asarray([1.0, 2.0], device=backend)
    with pt.device(backend):
        rows = pt.asarray([x.native(), x, [3, 4.0]])
        cast = pt.asarray(x.native(), dtype="int32")
    assert rows.device is x.device and rows.dtype == "float32" and rows.tolist() == [[1.0, 2.0], [1.0, 2.0], [3.0, 4.0]]
    assert cast.dtype == "int32" and cast.tolist() == [1, 2]


def test_from_dlpack_copies_unless_it_must_not() -> None:
    values = np.asarray([1.0, 2.0])
    own, shared = pt.from_dlpack(Exporter(values)), pt.from_dlpack(Exporter(values), copy=False)
    values[0] = 5.0
    assert own.tolist() == [1.0, 2.0] and shared.tolist() == [5.0, 2.0]
    assert own.dtype == shared.dtype == "float64"


def test_from_dlpack_goes_to_the_requested_device(backend: str) -> None:
    x = pt.from_dlpack(Exporter(np.asarray([1.0, 2.0], "float32")), device=backend)
    assert x.device is pt.asarray(0.0, device=backend).device and x.tolist() == [1.0, 2.0]


def test_from_dlpack_of_a_tensor_is_asarray_of_it(backend: str) -> None:
    x = pt.asarray([1.0, 2.0], device=backend)
    assert pt.from_dlpack(x) is x
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.from_dlpack(x) * 2.0
    assert tape.gradient(y, x).tolist() == [2.0, 2.0]


def test_objects_without_dlpack_are_refused() -> None:
    with pytest.raises(DTypeError, match=r"from_dlpack cannot read \[1\.0\](.|\n)*polytape.asarray takes lists"):
        pt.from_dlpack([1.0])


@pytest.mark.parametrize("convert", [pt.from_dlpack, pt.asarray])
def test_an_array_on_a_device_that_no_backend_serves_is_refused(convert: Any) -> None:
    with pytest.raises(InterchangeError, match=r"no ready backend can read .*Exporter on the DLPack device \(12, 3\)"):
        convert(Exporter([1.0], place=(12, 3)))


def test_an_export_that_fails_is_named_with_its_reason() -> None:
    class Failing(Exporter):
        def __dlpack__(self, **options: Any) -> Any:
            raise RuntimeError("the stream is gone")

    with pytest.raises(InterchangeError, match=r"cannot be read by DLPack(.|\n)*RuntimeError: the stream is gone"):
        pt.from_dlpack(Failing([1.0]))
    with pytest.raises(BufferError):  # as the standard says
        pt.from_dlpack(Failing([1.0]))


def test_bfloat16_passes_between_tensors_but_not_through_numpy_s_dlpack() -> None:
    x = pt.asarray([1.0], dtype="bfloat16")
    assert pt.from_dlpack(x).dtype == "bfloat16" and pt.asarray(x.native()).dtype == "bfloat16"
    with pytest.raises(InterchangeError):
        np.from_dlpack(x)
