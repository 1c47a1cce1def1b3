"""asarray: the data it accepts, the dtype of the result, and whether it copies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DeviceError, DTypeError


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, "int32"),
        (1.0, "float32"),
        (True, "bool"),
        (1j, "complex64"),
        ([1, 2.0], "float32"),
        ([], "float32"),
        ([[1], [2]], "int32"),
        ((True, False), "bool"),
        (range(3), "int32"),
        (np.float64(1.0), "float64"),
        (np.ones(2, "int8"), "int8"),
        (np.ones(2, ">f4"), "float32"),
        ([np.float32(1.0), 2], "float32"),
        (np.bool_(True), "bool"),
    ],
    ids=repr,
)
def test_the_dtype_follows_from_the_data(value: Any, dtype: str) -> None:
    x = pt.asarray(value)
    assert x.dtype == dtype and x.dtype.isnative
    np.testing.assert_array_equal(x, np.asarray(value))


def test_a_given_dtype_is_used() -> None:
    assert pt.asarray([1, 2], dtype="float64").dtype == "float64"
    assert pt.asarray(np.ones(2), dtype=np.float32).dtype == "float32"
    assert pt.asarray([1.7], dtype=int).tolist() == [1]
    assert pt.asarray(1, dtype="bfloat16").dtype.name == "bfloat16"


def test_tensors_may_be_among_the_data() -> None:
    a, b = pt.asarray(1.0), pt.asarray(2.0)
    assert pt.asarray((a, b)).tolist() == [1.0, 2.0] and pt.asarray([[a, b], [b, a]]).shape == (2, 2)


BAD: list[tuple[Any, dict[str, Any], str]] = [
    ([[1.0], [1.0, 2.0]], {}, "cannot make a tensor from a ragged list"),
    ([object()], {}, "cannot make a tensor from"),
    ("text", {}, "cannot make a tensor from 'text'"),
    (["a"], {}, "cannot make a tensor from"),
    (None, {}, "cannot make a tensor from None"),
    ({"a": 1}, {}, "cannot make a tensor from"),
    (np.array(["2020-01-01"], "M8[D]"), {}, "datetime64"),
    (2**40, {}, f"{2**40} does not fit int32"),
    ([2**40], {}, "does not fit int32"),
    (300, {"dtype": "uint8"}, "300 does not fit uint8"),
    ([300], {"dtype": "uint8"}, "does not fit uint8"),
    ([-1], {"dtype": "uint8"}, "does not fit uint8"),
    (2**70, {"dtype": "int64"}, "does not fit int64"),
    ([2**70], {}, "does not fit int32"),
    (1j, {"dtype": "float32"}, "does not fit float32"),
    (1.0, {"dtype": "float31"}, "'float31' is not a tensor dtype"),
    (1.0, {"dtype": object}, "is not a tensor dtype"),
]


@pytest.mark.parametrize(("value", "options", "text"), BAD, ids=range(len(BAD)))
def test_data_that_cannot_become_a_tensor_raises_a_dtype_error(value: Any, options: Any, text: str) -> None:
    with pytest.raises(DTypeError, match=text) as caught:
        pt.asarray(value, **options)
    assert caught.value.expected and caught.value.fix


def test_host_data_is_copied_by_default() -> None:
    array = np.ones(2, "float32")
    own, shared = pt.asarray(array), pt.asarray(array, copy=False)
    array[0] = 5.0
    assert own.tolist() == [1.0, 1.0] and shared.tolist() == [5.0, 1.0]
    assert array.flags.writeable


def test_copy_false_is_an_error_if_a_copy_cannot_be_avoided() -> None:
    for value, options in (([1.0], {}), (np.ones(2), {"dtype": "float32"}), (1.0, {}), (np.float32(1), {})):
        with pytest.raises(DeviceError, match=r"asarray\(copy=False\)"):
            pt.asarray(value, copy=False, **options)
    x = pt.asarray([1.0])
    with pytest.raises(DeviceError, match=r"asarray\(copy=False\)"):
        pt.asarray(x, dtype="float64", copy=False)


def test_asarray_returns_a_tensor_unchanged() -> None:
    x = pt.asarray([1.0])
    assert pt.asarray(x) is x and pt.asarray(x, copy=False) is x and pt.asarray(x, dtype="float32") is x
    copied = pt.asarray(x, copy=True)
    assert copied is not x and not np.shares_memory(copied.array, x.array)


def test_a_cast_is_recorded() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.asarray(x, dtype="float64") * 3.0 + pt.asarray(x, copy=True)
    gradient = tape.gradient(y, x)
    assert gradient.dtype == "float32" and gradient.tolist() == [4.0, 4.0]


def test_objects_that_provide_arrays_are_accepted() -> None:
    class HasArray:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.arange(3)

    class HasDlpack:
        def __dlpack__(self, **options: Any) -> Any:
            return np.arange(3.0).__dlpack__(**options)

        def __dlpack_device__(self) -> Any:
            return (1, 0)

    assert pt.asarray(HasArray()).tolist() == [0, 1, 2] and pt.asarray(HasDlpack()).tolist() == [0.0, 1.0, 2.0]


def test_unknown_devices_are_rejected() -> None:
    for name in ("nunpy", "numpy:gpu", "numpy:cpu:7", "a:b:c:d", 3):
        with pytest.raises(pt.PolytapeError):
            pt.asarray([1.0], device=name)


def test_a_list_of_followed_tensors_keeps_their_gradients() -> None:
    x, w = pt.asarray(2.0), pt.Variable(3.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.asarray([[x * x, w], [1.0, x]])
        loss = pt.sum(y * y)
    np.testing.assert_array_equal(y.numpy(), [[4.0, 3.0], [1.0, 2.0]])
    assert [float(g) for g in tape.gradient(loss, [x, w])] == [36.0, 6.0]


def test_numbers_in_a_list_go_to_the_device_of_its_variables(backend: str) -> None:
    w = pt.Variable(3.0, device=backend)
    with pt.GradientTape() as tape:
        y = pt.asarray([w, 1.0])
    assert y.device is w.device and y.numpy().tolist() == [3.0, 1.0]
    assert float(tape.gradient(y, w)) == 1.0


def test_a_list_of_variables_cannot_be_shared() -> None:
    with pytest.raises(DeviceError, match="would have to copy"):
        pt.asarray([pt.Variable(3.0)], copy=False)
