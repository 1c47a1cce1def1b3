"""Nested lists, objects of other libraries and odd arrays as tensors: values, dtypes, and what is refused."""

from __future__ import annotations

import array
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DeviceError, DTypeError

MASKED = np.ma.array([1.0, 1e20], mask=[False, True], dtype="float32")
CUBE = np.arange(125.0).reshape(5, 5, 5)


def nested(depth: int) -> Any:
    """A number in so many lists."""
    value: Any = 1.0
    for _ in range(depth):
        value = [value]
    return value


def of_itself() -> Any:
    """A list that is its own item."""
    items: list[Any] = []
    items.append(items)
    return items


# --- dtypes of lists ---

WEAK: list[tuple[Callable[[], Any], str]] = [
    (lambda: [pt.asarray(1.0), 2.0], "float32"),
    (lambda: [pt.asarray(1.0, dtype="float16"), 2.0], "float16"),
    (lambda: [pt.asarray(1.0, dtype="float64"), 2], "float64"),
    (lambda: [pt.asarray(1, dtype="int8"), 2], "int8"),
    (lambda: [pt.asarray(1, dtype="int64"), True], "int64"),
    (lambda: [pt.asarray(1), 2.5], "float32"),
    (lambda: [pt.asarray(1.0, dtype="float16"), np.float32(2.0), 3.0], "float32"),
    (lambda: [[pt.asarray(1.0, dtype="float64"), 1], [2, 3.0]], "float64"),
    (lambda: [np.float32(1.0), 2.0], "float32"),
    (lambda: [np.int8(1), 2], "int8"),
    (lambda: [np.ones(2, "float16"), [1, 2.0]], "float16"),
    (lambda: [pt.asarray(1.0), 2j], "complex64"),
    (lambda: [1, 2.0], "float32"),
    (lambda: [True, 2], "int32"),
    (lambda: [], "float32"),
]


@pytest.mark.parametrize("followed", [False, True])
@pytest.mark.parametrize(("make", "dtype"), WEAK, ids=range(len(WEAK)))
def test_python_numbers_in_a_list_are_weak_whether_or_not_a_tape_is_open(
    make: Callable[[], Any], dtype: str, followed: bool, backend: str
) -> None:
    with pt.device(backend):
        items = make()
        with pt.GradientTape() as tape:
            if followed:
                tape.watch([x for x in items if isinstance(x, pt.Tensor) and x.dtype.kind == "f"])
            for convert in (pt.asarray, pt.Variable):
                result = convert(items)
                assert result.dtype == dtype and len(result) == len(items)
        assert pt.asarray(items).dtype == dtype


def test_a_variable_has_the_same_dtype_under_a_tape_and_outside() -> None:
    x = pt.asarray(1.0, dtype="float16")
    with pt.GradientTape() as tape:
        tape.watch(x)
        inside = pt.Variable([x, 2.0])
    assert inside.dtype == pt.Variable([x, 2.0]).dtype == "float16"


def test_ranges_arrays_and_tensors_can_be_rows_of_one_tensor() -> None:
    x = pt.asarray([1.0, 2.0, 3.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.asarray([range(3), x, [x[0], 2, np.float32(3)], np.ones(3, "float32")])
        loss = pt.sum(y * y)
    assert y.tolist() == [[0.0, 1.0, 2.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 1.0, 1.0]]
    assert tape.gradient(loss, x).tolist() == [4.0, 4.0, 6.0]


# --- values that do not fit ---


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (np.array([2**40 + 5]), int),
        (np.array([2**40 + 5]), "int32"),
        ([np.int64(2**40)], "int32"),
        (np.int64(2**40), "int32"),
        ([np.array([300])], "uint8"),
        (np.array([-1]), "uint64"),
        (np.array([2**63], "uint64"), "int64"),
        ([pt.asarray(300)], "uint8"),
        (np.array([1.0, np.nan]), "int32"),
        (np.array([np.inf], "float16"), "int64"),
        ([float("nan")], "int8"),
        (float("inf"), "int32"),
        (np.array([2.0**31]), "int32"),
        (np.array([2.0**64]), "uint64"),
        (np.array([-1.0], "float32"), "uint8"),
        (np.array([1j]), "float32"),
        ([1.0, 1j], "float64"),
        ([np.complex64(1)], "int32"),
    ],
    ids=str,
)
def test_a_value_that_the_dtype_cannot_hold_is_refused(value: Any, dtype: Any) -> None:
    if dtype is int:  # int64, or int32 where that is the platform's
        dtype = "int32"
    for convert in (pt.asarray, pt.Variable):
        with pytest.raises(DTypeError, match=f"does not fit {dtype}") as caught:
            convert(value, dtype=dtype)
        assert "wider dtype" in caught.value.fix


def test_values_that_fit_are_converted() -> None:
    for value, dtype, expected in (
        (np.array([2**31 - 1, -(2**31)]), "int32", [2**31 - 1, -(2**31)]),
        (np.array([1.9, -1.9]), "int8", [1, -1]),
        (np.array([-0.5]), "uint8", [0]),
        (np.array([2**53]), "float64", [2.0**53]),
        (np.array([0, 3]), "bool", [False, True]),
        ([np.int64(7)], "int8", [7]),
        (np.zeros(0), "uint8", []),
        (np.array([2.0**63]), "uint64", [2**63]),
    ):
        x = pt.asarray(value, dtype=dtype)
        assert x.dtype == dtype and x.tolist() == expected


# --- lists that cannot be tensors ---


@pytest.mark.parametrize(
    "make", [of_itself, lambda: nested(66), lambda: nested(100_000)], ids=["itself", "66", "100,000"]
)
def test_lists_that_are_too_deep_are_a_typed_error(make: Callable[[], Any]) -> None:
    items, x = make(), pt.asarray([1.0])
    for call in (
        lambda: pt.asarray(items),
        lambda: pt.Variable(items),
        lambda: pt.Variable([1.0]).assign(items),
        lambda: x + items,
        lambda: pt.concat(items),
        lambda: x[items],
        lambda: pt.where(items, x, x),
    ):
        with pytest.raises(DTypeError, match="nested more than 64 deep"):
            call()
    while type(items) is list and items and items[0] is not items:
        items = items.pop()  # Python itself would free 100,000 lists recursively


def test_64_levels_are_allowed() -> None:
    assert pt.asarray(nested(64)).shape == (1,) * 64


def test_a_ragged_index_is_a_typed_error() -> None:
    with pytest.raises(DTypeError, match="ragged list"):
        pt.asarray([1.0, 2.0])[[[0], [0, 1]]]


# --- arrays and objects ---


@pytest.mark.parametrize(
    "use",
    [
        pt.asarray, pt.Variable, lambda m: pt.asarray([m, m]), lambda m: pt.ones(2) * m, lambda m: m * pt.ones(2),
        lambda m: pt.Variable([1.0, 1.0]).assign(m), lambda m: pt.function(lambda x: x)(m),
        lambda m: pt.asarray([1.0, m[1]]), lambda m: pt.zeros(2).__setitem__(0, m[1]),
    ],
)  # fmt: skip
def test_a_masked_array_is_refused(use: Callable[[Any], Any]) -> None:
    with pytest.raises(DTypeError, match=r"masked array(.|\n)*fix: array\.filled\(value\)"):
        use(MASKED)
    assert pt.asarray(MASKED.filled(0.0)).tolist() == [1.0, 0.0]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("copied", [None, False, True])
def test_a_matrix_becomes_an_array_like_any_other(copied: bool | None) -> None:
    matrix = np.asmatrix([[1.0, 2.0], [3.0, 4.0]])
    x = pt.asarray(matrix, copy=copied)
    assert type(x.native()) is np.ndarray and x[0].shape == (2,) and pt.sum(x, axis=0).shape == (2,)
    assert np.shares_memory(x.native(), matrix) == (copied is False)
    assert (pt.asarray([[2.0, 2.0], [2.0, 2.0]], dtype="float64") * matrix).tolist() == [[2.0, 4.0], [6.0, 8.0]]
    assert (matrix * pt.asarray([[2.0, 2.0], [2.0, 2.0]], dtype="float64")).tolist() == [[2.0, 4.0], [6.0, 8.0]]


@pytest.mark.parametrize(
    "values",
    [np.flip(CUBE), CUBE[:, 1], CUBE[::2, ::-3], np.asfortranarray(CUBE), CUBE.astype(">f4"), CUBE.astype(">i8").T],
    ids=["flipped", "row", "strided", "Fortran", "big-endian", "big-endian transposed"],
)
def test_arrays_with_any_strides_and_byte_order_keep_their_values(values: Any, backend: str) -> None:
    values = values.astype("float32" if values.dtype.isnative else values.dtype)
    with pt.device(backend):
        assert pt.asarray(values).tolist() == values.tolist()
        assert (pt.asarray(values) + 0).tolist() == values.tolist()
        if values.dtype.isnative and pt.asarray(0.0).type.backend.host:
            assert (pt.asarray(values, copy=False) + 0).tolist() == values.tolist()


def test_buffers_are_shared_or_copied_as_asked() -> None:
    for buffer in (array.array("d", [1.0, 2.0]), memoryview(np.asarray([1.0, 2.0]))):
        shared, own = pt.asarray(buffer, copy=False), pt.asarray(buffer)
        buffer[0] = 5.0
        assert shared.tolist() == [5.0, 2.0] and own.tolist() == [1.0, 2.0]


def test_copy_false_is_passed_on_to_objects() -> None:
    class Series:
        values = np.asarray([1.0, 2.0])

        def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
            if copy is False and not self.values.flags.writeable:
                raise ValueError("a copy is needed")
            return self.values

    series = Series()
    assert np.shares_memory(pt.asarray(series, copy=False).native(), series.values)
    series.values.flags.writeable = False
    with pytest.raises(DeviceError, match=r"asarray\(copy=False\) of a Series would have to copy"):
        pt.asarray(series, copy=False)
    assert pt.asarray(series).tolist() == [1.0, 2.0]


class Elsewhere:
    """An array of another library, on its device."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError("implicit conversion is not allowed, use .get()")


class Bfloat16:
    """As an array of another library in a dtype that DLPack consumers do not know."""

    def __dlpack__(self, **options: Any) -> Any:
        raise BufferError("bfloat16 is not supported")

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (Elsewhere(), r"use \.get\(\)"),
        (Bfloat16(), "bfloat16 is not supported"),
        ({1, 2}, "set of dtype object"),
        ((x for x in [1.0]), "generator of dtype object"),
        ("text", "str of dtype <U4"),
        (["text"], "an item of type str"),
        (None, "NoneType of dtype object"),
        ([None], "an item of type NoneType"),
        (np.array(["2020-01-01"], "datetime64[D]"), "datetime64"),
        ([[1.0], [1.0, 2.0]], "inhomogeneous shape"),
        ([pt.ones(2), pt.ones(3)], "inhomogeneous shape"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_objects_are_refused_with_the_reason(value: Any, reason: str) -> None:
    with pytest.raises(DTypeError, match=rf"cannot make a tensor from(.|\n)*got: .*{reason}") as caught:
        pt.asarray(value)
    assert ("pad the rows" in caught.value.fix) == ("inhomogeneous" in reason)
