"""Tensor: Python's protocols, item assignment, copies, interchange."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, ShapeError


def test_the_properties_of_a_tensor() -> None:
    x = pt.asarray([[1.0, 2.0, 3.0]])
    assert (x.shape, x.ndim, x.size, x.nbytes, str(x.dtype)) == ((1, 3), 2, 3, 12, "float32")
    assert str(x.device) == "numpy:cpu:0" and x.T.shape == (3, 1) and pt.zeros((4, 2, 3)).mT.shape == (4, 3, 2)
    assert x.__array_namespace__() is pt and x.__array_namespace__(api_version="2024.12").add is pt.add


def test_transposes_check_the_number_of_axes() -> None:
    for x, text in ((pt.asarray(1.0), "T is not defined"), (pt.zeros((2, 2, 2)), "T is not defined")):
        with pytest.raises(ShapeError, match=text):
            _ = x.T
    with pytest.raises(ShapeError, match="mT is not defined"):
        _ = pt.asarray([1.0]).mT


def test_a_single_element_converts_to_a_number() -> None:
    x = pt.asarray([[2.5]])
    assert (float(x), int(x), complex(x), bool(x), x.item()) == (2.5, 2, 2.5 + 0j, True, 2.5)
    assert type(pt.asarray(3).item()) is int and type(x.item()) is float and bool(pt.asarray(0)) is False
    assert [10, 20, 30][pt.asarray(1)] == 20 and list(range(pt.asarray(3))) == [0, 1, 2]


@pytest.mark.parametrize("convert", [float, int, bool, complex, lambda x: x.item()])
def test_several_elements_do_not_convert_to_a_number(convert: Any) -> None:
    with pytest.raises(ShapeError, match=r"of (float32|bool)\[2\] is not defined") as caught:
        convert(pt.asarray([1.0, 2.0]))
    assert isinstance(caught.value, ValueError) and "reduce it first" in caught.value.fix
    with pytest.raises(ShapeError):
        convert(pt.zeros((0,)))


def test_only_an_integer_scalar_tensor_is_an_index() -> None:
    for x in (pt.asarray(1.0), pt.asarray([1]), pt.asarray(True)):
        with pytest.raises(DTypeError, match="cannot be used as an index") as caught:
            [1, 2][x]
        assert isinstance(caught.value, TypeError)


def test_length_and_iteration() -> None:
    x = pt.asarray([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2 and [row.tolist() for row in x] == [[1.0, 2.0], [3.0, 4.0]]
    a, b = x
    assert type(a) is pt.Tensor and b.tolist() == [3.0, 4.0] and list(pt.zeros((0, 2))) == []
    for call in (len, list):
        with pytest.raises(TypeError, match=r"len\(\) of float32\[\] is not defined"):
            call(pt.asarray(1.0))


def test_iteration_is_differentiable() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        a, b = x
        y = a * b * b
    assert tape.gradient(y, x).tolist() == [4.0, 4.0]


def test_formatting() -> None:
    x = pt.asarray(3.14159)
    assert f"{x:.2f}" == "3.14" and f"{pt.asarray(7):03d}" == "007" and f"{x}" == str(x)
    assert f"{pt.asarray([1.0, 2.0]):>10}" == "   [1. 2.]"
    with pytest.raises(ValueError, match="format"):
        f"{pt.asarray([1.0, 2.0]):.2f}"


def test_equality_is_elementwise_and_the_hash_is_identity() -> None:
    x, y = pt.asarray([1.0, 2.0]), pt.asarray([1.0, 3.0])
    assert (x == y).tolist() == [True, False] and (x != y).tolist() == [False, True]
    assert {x: 1, y: 2}[x] == 1 and hash(x) == hash(x) and len({x, y, x}) == 2


def test_operators_on_truth_values() -> None:
    a, b = pt.asarray([True, True, False]), pt.asarray([True, False, False])
    assert (a & b).tolist() == [True, False, False] and (a | b).tolist() == [True, True, False]
    assert (~a).tolist() == [False, False, True] and (True & a).tolist() == [True, True, False]
    with pytest.raises(DTypeError, match="is defined only for integers and bool"):
        ~pt.asarray([1.0])


def test_powers_and_reversed_operands() -> None:
    x = pt.asarray([1.0, 2.0])
    assert (2.0**x).tolist() == [2.0, 4.0] and (x**2).tolist() == [1.0, 4.0]
    assert (1 - x).tolist() == [0.0, -1.0] and (2 / x).tolist() == [2.0, 1.0]
    assert (np.eye(2, dtype="float32") @ x).tolist() == [1.0, 2.0] and abs(-x).tolist() == [1.0, 2.0]
    three = 3  # the linter would swap the operands of a comparison with a literal on the left
    assert (three > x).tolist() == [True, True] and (three != x).tolist() == [True, True]
    assert [(three <= x).tolist(), (three == x).tolist(), (x >= 2).tolist()] == [[False, False]] * 2 + [[False, True]]


# --- items ------------------------------------------------------------------------------------------------------------

KEYS: list[Any] = [
    0, -1, slice(None), slice(None, None, -1), slice(0, 2), (1, 2), (slice(None), 1), (..., 0), None, (None, 1), [0, 2],
    (slice(None), [1, 0, 1]), np.array([1, 1]), ([0, 1], [2, 3]), (0, slice(1, 3)), (..., None), (), np.int64(1),
    np.array([True, False, True]),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_keys_select_the_same_elements_as_in_numpy(key: Any) -> None:
    array = np.arange(12, dtype="float64").reshape(3, 4)
    x = pt.asarray(array)
    np.testing.assert_array_equal(x[key], array[key])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.square(x[key])
    expected = np.zeros((3, 4))
    np.add.at(expected, key, 2 * array[key])
    np.testing.assert_allclose(tape.gradient(y, x), expected)


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_item_assignment_points_the_handle_at_an_updated_copy(key: Any) -> None:
    array = np.arange(12, dtype="float32").reshape(3, 4)
    x = pt.asarray(array)
    duplicate, view, native = x.__copy__(), x.numpy(), x.array
    x[key] = 50.0
    updated = array.copy()
    updated[key] = 50.0
    np.testing.assert_array_equal(x, updated)
    for before in (duplicate, view, native):
        np.testing.assert_array_equal(before, array)


def test_item_assignment_keeps_the_dtype_and_accepts_tensors_and_lists() -> None:
    x = pt.asarray([1, 2, 3])
    x[0] = 7.0
    x[1:] = pt.asarray([8, 9], dtype="int64")
    assert x.dtype == "int32" and x.tolist() == [7, 8, 9]
    x[:2] = [1, 2]
    assert x.tolist() == [1, 2, 9]
    x[x > 5] = 0
    assert x.tolist() == [1, 2, 0]


def test_an_invalid_key_or_value_raises_and_changes_nothing() -> None:
    x = pt.asarray([[1.0, 2.0]])
    with pytest.raises(ShapeError, match="index 5 is out of range"):
        x[0, 5]
    with pytest.raises(ShapeError, match="too many indices"):
        x[0, 0, 0]
    with pytest.raises(DTypeError, match="cannot be indexed by 'a'"):
        x["a"]
    with pytest.raises(DTypeError, match="indices must be integers"):
        x[pt.asarray(0.5)]
    with pytest.raises(ShapeError, match="setitem"):
        x[0] = pt.zeros((3,))
    assert x.tolist() == [[1.0, 2.0]]


# --- copies and interchange -------------------------------------------------------------------------------------------


def test_a_copy_is_a_separate_handle_on_the_same_record() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = copy.copy(x)
        z = y * y
    assert y is not x and y.array is x.array
    assert tape.gradient(z, x).tolist() == [2.0, 4.0]
    y[0] = 9.0
    assert x.tolist() == [1.0, 2.0]


def test_a_deep_copy_is_not_recorded() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = copy.deepcopy({"a": x, "b": [x]})
        assert y["a"] is y["b"][0]
        z = y["a"] * 2.0
    assert tape.gradient(z, x) is None


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "float32", "complex128", "bfloat16"])
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_preserves_values_dtype_and_device(dtype: str, protocol: int) -> None:
    x = pt.asarray([[1, 0]], dtype=dtype)
    restored = pickle.loads(pickle.dumps(x, protocol))
    assert (restored.tolist(), restored.dtype, restored.device) == (x.tolist(), x.dtype, x.device)
    assert type(restored) is pt.Tensor


def test_numpy_reads_a_tensor_without_a_copy_and_cannot_write_it() -> None:
    x = pt.asarray([1.0, 2.0])
    for view in (x.numpy(), np.asarray(x), np.from_dlpack(x, copy=False)):
        assert np.shares_memory(view, x.array)
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 5.0
    duplicate = np.array(x)
    duplicate[0] = 5.0
    assert x.tolist() == [1.0, 2.0] and np.asarray(x, dtype="float64").dtype == "float64"


def test_a_dlpack_consumer_without_read_only_support_gets_a_copy() -> None:
    x = pt.asarray([1.0, 2.0])
    assert "dltensor" in repr(x.__dlpack__()) and x.__dlpack_device__() == (1, 0)

    class OldConsumer:
        def __dlpack__(self, stream: Any = None) -> Any:
            return x.__dlpack__()

        def __dlpack_device__(self) -> Any:
            return x.__dlpack_device__()

    imported = np.from_dlpack(OldConsumer())
    assert imported.tolist() == [1.0, 2.0] and not np.shares_memory(imported, x.array)


def test_in_place_operators_bind_new_tensors() -> None:
    x = y = pt.asarray([1.0, 2.0])
    x += 1.0
    x *= y
    x -= [1.0, 1.0]
    x /= 2.0
    assert y.tolist() == [1.0, 2.0] and x.tolist() == [0.5, 2.5]


# --- handles ----------------------------------------------------------------------------------------------------------


def test_plus_and_copy_return_new_handles() -> None:
    x, w = pt.asarray([1.0, 2.0]), pt.Variable([1.0, 2.0])
    for duplicate in (+x, copy.copy(x), copy.deepcopy(x)):
        duplicate[0] = 9.0
        assert duplicate.tolist() == [9.0, 2.0] and x.tolist() == [1.0, 2.0]
    value = +w
    assert type(value) is pt.Tensor
    w.assign_add([1.0, 1.0])
    assert value.tolist() == [1.0, 2.0]


def test_plus_and_copy_are_recorded() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = +x * copy.copy(x)
    assert tape.gradient(y, x).tolist() == [2.0, 4.0]


def test_a_copy_of_a_variable_is_a_variable_of_its_own() -> None:
    w = pt.Variable([1.0, 2.0], name="w", trainable=False)
    for duplicate in (copy.copy(w), copy.deepcopy(w)):
        assert type(duplicate) is pt.Variable and (duplicate.name, duplicate.trainable) == ("w", False)
        duplicate.assign_add([1.0, 1.0])
        assert w.tolist() == [1.0, 2.0] and duplicate.tolist() == [2.0, 3.0]


@pytest.mark.parametrize(
    "make", [lambda: pt.asarray([1.0]), lambda: pt.Variable([1.0]), lambda: pt.asarray([1.0]) * 2.0]
)
def test_weak_references_and_their_dicts_hold_until_the_last_handle_goes(make: Callable[[], pt.Tensor]) -> None:
    x, gone = make(), []
    reference = weakref.ref(x, gone.append)
    by_key = weakref.WeakKeyDictionary({x: "key"})
    by_name = weakref.WeakValueDictionary({"x": x})
    assert reference() is x and by_key[x] == "key" and by_name["x"] is x
    del x
    gc.collect()
    assert reference() is None and gone == [reference] and not by_key and not by_name
