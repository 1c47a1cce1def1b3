"""Variable: assignment with exact shape and dtype, augmented assignment, and use as a tensor."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, ShapeError, TapeError

# --- assignment -------------------------------------------------------------------------------------------------------


def test_assignment_replaces_the_value_and_returns_the_variable() -> None:
    v = pt.Variable([1.0, 2.0])
    assert v.assign([3.0, 4.0]) is v and v.tolist() == [3.0, 4.0]
    assert v.assign_add([1.0, 1.0]) is v and v.tolist() == [4.0, 5.0]
    assert v.assign_sub(pt.asarray([4.0, 4.0])) is v and v.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("value", [2, 2.0, True, np.float64(2.0)])
def test_a_number_is_converted_to_the_dtype_of_the_variable(value: Any) -> None:
    v = pt.Variable(1.0, dtype="float64")
    assert v.assign(value).dtype == "float64" and v.item() == float(value)
    w = pt.Variable([1.0, 2.0])
    assert w.assign_add(value).dtype == "float32" and w.tolist() == [1.0 + value, 2.0 + value]


@pytest.mark.parametrize("value", [[1, 2], (1.0, 2), [True, False]])
def test_lists_of_numbers_are_converted_to_the_dtype_of_the_variable(value: Any) -> None:
    v = pt.Variable([0.0, 0.0], dtype="float64")
    assert v.assign(value).array.dtype == "float64"
    assert v.tolist() == [float(value[0]), float(value[1])]


WRONG: list[tuple[Any, type[Exception]]] = [
    (1.0, ShapeError),
    ([1.0], ShapeError),
    ([[1.0, 2.0]], ShapeError),
    (np.ones(2), DTypeError),
    (np.ones(2, "int32"), DTypeError),
    (1j, DTypeError),
    ([1j, 2.0], DTypeError),
    ([[1.0], [1.0, 2.0]], DTypeError),
    ("ab", DTypeError),
    (None, DTypeError),
]


@pytest.mark.parametrize(("value", "exception_type"), WRONG, ids=repr)
@pytest.mark.parametrize("method", ["assign", "assign_add", "assign_sub"])
def test_a_different_shape_or_dtype_is_rejected_and_the_value_unchanged(
    method: str, value: Any, exception_type: type[Exception]
) -> None:
    if isinstance(value, float) and method != "assign":
        value = [value]  # a number may be added to every element
    v = pt.Variable([1.0, 2.0], name="weights")
    before = v.array
    with pytest.raises(exception_type):
        getattr(v, method)(value)
    if isinstance(value, np.ndarray):
        with pytest.raises(exception_type):
            getattr(v, method)(pt.asarray(value))
    assert v.array is before and v.tolist() == [1.0, 2.0] and v.dtype == "float32"


@pytest.mark.parametrize("method", ["assign", "assign_add", "assign_sub"])
@pytest.mark.parametrize("value", [2.5, np.float64(2.5), 1j])
def test_an_integer_variable_rejects_other_numbers(method: str, value: Any) -> None:
    v = pt.Variable(7)
    with pytest.raises(DTypeError, match="does not fit the variable int32"):
        getattr(v, method)(value)
    assert v.array.dtype == "int32" and v.item() == 7
    with pytest.raises(DTypeError):
        pt.Variable([1, 2]).assign([1.5, 2.0])


def test_a_number_out_of_range_is_rejected() -> None:
    v = pt.Variable(pt.asarray(1, dtype="int8"))
    with pytest.raises(DTypeError, match="1000 does not fit int8"):
        v.assign(1000)
    assert v.item() == 1


def test_the_error_names_the_variable_and_both_shapes() -> None:
    with pytest.raises(ShapeError) as caught:
        pt.Variable([1.0, 2.0], name="bias").assign([1.0, 2.0, 3.0])
    text = str(caught.value)
    assert "the variable bias" in text and "expected: shape (2,)" in text and "got: shape (3,)" in text


def test_item_assignment_is_rejected() -> None:
    v = pt.Variable([1.0, 2.0])
    with pytest.raises(DTypeError, match=r"variable.assign\(x\)"):
        v[0] = 5.0


AUGMENTED: list[tuple[Callable[[Any], Any], list[float]]] = [
    (lambda v: v.__iadd__(1.0), [2.0, 3.0]),
    (lambda v: v.__isub__([1.0, 1.0]), [0.0, 1.0]),
    (lambda v: v.__imul__(pt.asarray([2.0, 3.0])), [2.0, 6.0]),
    (lambda v: v.__itruediv__(np.asarray([2.0, 4.0], "float32")), [0.5, 0.5]),
    (lambda v: v.__ipow__(2), [1.0, 4.0]),
    (lambda v: v.__imatmul__([[0.0, 1.0], [1.0, 0.0]]), [2.0, 1.0]),
]


@pytest.mark.parametrize(("change", "expected"), AUGMENTED)
def test_augmented_assignment_assigns_to_the_variable(change: Callable[[Any], Any], expected: list[float]) -> None:
    v = pt.Variable([1.0, 2.0])
    assert change(v) is v and v.tolist() == expected


def test_augmented_assignment_to_a_boolean_variable() -> None:
    v = w = pt.Variable([True, False])
    v &= pt.asarray([True, True])
    v |= [False, True]
    assert v is w and v.tolist() == [True, True]


def test_a_training_loop_by_hand_assigns() -> None:
    weights = [pt.Variable([2.0]), pt.Variable([-1.0])]
    for _ in range(3):
        with pt.GradientTape() as tape:
            loss = pt.sum(weights[0] * weights[0] + weights[1] * weights[1])
        for w, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            w -= 0.25 * gradient  # it is the same variable
    assert [w.tolist() for w in weights] == [[0.25], [-0.125]]


def test_augmented_assignment_under_a_tape_is_rejected_because_gradients_do_not_pass_it() -> None:
    v = pt.Variable([1.0, 2.0], name="h")
    with pt.GradientTape(), pytest.raises(TapeError, match=r"h \+= 1\.0: a tape follows the variable") as caught:
        v += 1.0
    assert "y = variable + value" in caught.value.fix
    assert v.tolist() == [1.0, 2.0]
    counter = pt.Variable(0)
    with pt.GradientTape():
        counter += 1
    assert counter.item() == 1


@pytest.mark.parametrize(("value", "error"), [([1.0, 2.0, 3.0], ShapeError), (pt.asarray([[1.0, 2.0]]), ShapeError)])
def test_augmented_assignment_keeps_shape_and_dtype(value: Any, error: type[Exception]) -> None:
    v = pt.Variable([1.0, 2.0])
    with pytest.raises(error):
        v += value
    n = pt.Variable([1, 2])
    with pytest.raises(DTypeError):
        n /= 2
    assert v.tolist() == [1.0, 2.0] and n.tolist() == [1, 2]


def test_a_traced_augmented_assignment_is_part_of_the_graph() -> None:
    w = pt.Variable([1.0])

    @pt.function
    def step(g: pt.Tensor) -> None:
        nonlocal w
        w -= 0.5 * g

    for _ in range(3):
        step(pt.asarray([1.0]))
    assert w.tolist() == [-0.5]


@pytest.mark.parametrize("method", ["assign_add", "assign_sub", "__iadd__"])
@pytest.mark.parametrize(
    "value", [pt.asarray(1.0), 1.0, pt.asarray(1.0, dtype="float32")], ids=["tensor", "number", "x"]
)
def test_threads_never_lose_an_addition(method: str, value: Any, switching: None) -> None:
    v = pt.Variable(0.0)

    def add() -> None:
        for _ in range(2000):
            getattr(v, method)(value)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert abs(v.item()) == 8000.0


def test_assignment_is_not_recorded() -> None:
    v = pt.Variable(2.0)
    with pt.GradientTape() as tape:
        y = v * 3.0
        v.assign_add(y)
        z = v * v
    assert (v.item(), tape.gradient(z, v).item()) == (8.0, 16.0)


# --- as a tensor ------------------------------------------------------------------------------------------------------


def test_a_variable_can_be_used_in_place_of_a_tensor() -> None:
    v, i = pt.Variable([1.0, 2.0]), pt.Variable(1)
    results = [
        v + v, 2.0 * v, v @ v, -v, v[i], pt.where(v > 1.5, v, 0.0), pt.concat([v, v]), pt.sum(v), pt.asarray(v),
        pt.reshape(v, (2, 1)), v.T if v.ndim == 2 else v.read_value(), pt.full((int(i),), float(v[0])),
    ]  # fmt: skip
    assert all(type(result) is pt.Tensor for result in results)
    assert (v + v).tolist() == [2.0, 4.0] and (v @ v).item() == 5.0 and v[i].item() == 2.0
    assert [1, 2, 3][i] == 2 and len(v) == 2 and np.asarray(v).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("read", [lambda v: v.read_value(), lambda v: +v, pt.asarray, lambda v: v.to_device("numpy")])
def test_assignment_does_not_change_a_value_read_before(read: Any) -> None:
    v = pt.Variable([1.0, 2.0])
    before = read(v)
    v.assign([5.0, 6.0])
    assert type(before) is pt.Tensor and before.tolist() == [1.0, 2.0]


def test_the_numpy_view_is_read_only_and_keeps_its_values() -> None:
    v = pt.Variable([1.0, 2.0])
    view = v.numpy()
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 9.0
    v.assign_add(1.0)
    assert view.tolist() == [1.0, 2.0]


def test_the_initial_array_is_copied() -> None:
    array = np.ones(2, "float32")
    v = pt.Variable(array)
    array[:] = 7.0
    assert v.tolist() == [1.0, 1.0]


def test_copies_and_pickles() -> None:
    v = pt.Variable([1.0, 2.0], trainable=False, name="w")
    shallow = copy.copy(v)
    assert (type(shallow), shallow.name, shallow.trainable) == (pt.Variable, "w", False)
    deep = copy.deepcopy([v, v])
    assert deep[0] is deep[1] and type(deep[0]) is pt.Variable and not deep[0].trainable
    restored = pickle.loads(pickle.dumps(v))
    assert (type(restored), restored.name, restored.trainable) == (pt.Variable, "w", False)
    assert restored.tolist() == [1.0, 2.0]
    restored.assign([0.0, 0.0])
    deep[0].assign([9.0, 9.0])
    assert v.tolist() == [1.0, 2.0]
    v.assign([3.0, 3.0])
    assert shallow.tolist() == [1.0, 2.0]
    shallow.assign([4.0, 4.0])
    assert v.tolist() == [3.0, 3.0]


def test_a_variable_prints_its_name_and_value() -> None:
    assert repr(pt.Variable([1.0], name="w")) == "Variable('w', float32[1], backend='numpy', [1.])"


# --- trainable --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "trainable"),
    [("float32", True), ("bfloat16", True), ("int64", False), ("bool", False), ("complex64", True)],
)
def test_only_floating_variables_are_trainable(dtype: str, trainable: bool) -> None:
    assert pt.Variable([1], dtype=dtype).trainable is trainable
    assert not pt.Variable([1], dtype=dtype, trainable=False).trainable
    if trainable:
        assert pt.Variable([1], dtype=dtype, trainable=True).trainable
    else:
        with pytest.raises(DTypeError, match=f"expected: a real floating dtype\n  got: {dtype}"):
            pt.Variable([1], dtype=dtype, trainable=True)


def test_a_copy_of_a_variable_is_watched_like_the_original() -> None:
    v = copy.copy(pt.Variable([2.0]))
    with pt.GradientTape() as tape:
        y = v * v
    assert tape.gradient(y, v).tolist() == [4.0]
