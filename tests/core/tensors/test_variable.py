"""Variable: assignment with exact shape and dtype, use as a tensor, updates in place if the buffer is not shared."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, ShapeError
from polytape.registry import tables
from polytape.state.update import update

Child = Callable[..., "CompletedProcess[str]"]


def sgd() -> Any:
    return tables.ops()["sgd_update"]


def adam() -> Any:
    return tables.ops()["adam_update"]


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


def test_in_place_addition_binds_a_new_tensor_and_does_not_change_the_variable() -> None:
    v = w = pt.Variable([1.0, 2.0])
    v += 1.0  # type: ignore[misc]
    assert type(v) is pt.Tensor and w.tolist() == [1.0, 2.0]


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
    deep = copy.deepcopy([v, v])
    assert deep[0] is deep[1] and type(deep[0]) is pt.Variable and not deep[0].trainable
    restored = pickle.loads(pickle.dumps(v))
    assert (type(restored), restored.name, restored.trainable) == (pt.Variable, "w", False)
    assert restored.tolist() == [1.0, 2.0]
    restored.assign([0.0, 0.0])
    deep[0].assign([9.0, 9.0])
    assert v.tolist() == [1.0, 2.0]
    shallow = copy.copy(v)
    v.assign([3.0, 3.0])
    assert shallow.tolist() == [1.0, 2.0]


def test_a_variable_prints_its_name_and_value() -> None:
    assert repr(pt.Variable([1.0], name="w")) == "Variable('w', float32[1], backend='numpy', [1.])"


# --- updates in place -------------------------------------------------------------------------------------------------


# These tests run in child processes: no buffer is owned while another thread runs, such as the test runner's.
START = """
import threading
import numpy as np, polytape as pt
from polytape.registry import tables
from polytape.state.update import owned, update
v, m, s = (pt.Variable(np.full(3, value, "float32")) for value in (1.0, 0.0, 0.0))
def address():
    return v.array.__array_interface__["data"][0]
def step(op):
    variables = [v] if op == "sgd_update" else [v, m, s]
    rest = [pt.ones((3,)), pt.asarray(0.5)] + ([pt.asarray(1)] if op == "adam_update" else [])
    update(tables.ops()[op], variables, rest, {})
"""


def test_a_buffer_without_other_references_is_owned(child: Child) -> None:
    code = "print(owned(v)); array = v.array; print(owned(v)); del array; print(owned(v))"
    assert child(START + code).stdout.split() == ["True", "False", "True"]


@pytest.mark.parametrize("op", ["sgd_update", "adam_update"])
def test_an_owned_buffer_is_updated_in_place(op: str, child: Child) -> None:
    code = f"first = address()\nfor _ in range(3): step({op!r})\n"
    code += (
        f"writes = tables.kernels_of('numpy', {op!r})[0].writes\nprint(address() == first, bool(writes), v.tolist())"
    )
    same_buffer, writes, *values = child(START + code).stdout.split()
    assert same_buffer == writes and "1.0" not in values


def test_nothing_is_owned_while_another_thread_runs(child: Child) -> None:
    code = """
done = threading.Event()
thread = threading.Thread(target=done.wait, daemon=True)
thread.start()
print(owned(v))
before = v.array
step("adam_update")
print(before.tolist() == [1.0] * 3)
done.set()
thread.join()
"""
    assert child(START + code).stdout.split() == ["False", "True"]


REFERENCES = {
    "a tensor": "v.read_value()",
    "NumPy's view": "v.numpy()",
    "a memoryview": "memoryview(v.numpy())",
    "a reshaped view": "pt.reshape(v, (1, 3))",
    "a slice": "v[0:]",
    "another variable": "pt.Variable(v.read_value())",
    "DLPack": "np.from_dlpack(v)",
    "a copy": "copy.copy(v)",
    "a value times one": "v * 1.0",
    "a record": "recorded()",
}
WATCHED = """
import copy
def recorded():
    with pt.GradientTape() as tape:
        y = pt.square(v)
    return tape, y
"""


@pytest.mark.parametrize("op", ["sgd_update", "adam_update"])
def test_a_buffer_with_other_references_is_never_written(op: str, child: Child) -> None:
    code = START + WATCHED
    for name, expression in REFERENCES.items():
        code += f"""
v.assign(np.ones(3, "float32")); ref = {expression}
step({op!r})
unchanged = ref[0].gradient(ref[1], v).tolist() == [2.0] * 3 if {name == "a record"} else np.all(np.asarray(ref) == 1.0)
print({name!r}, bool(unchanged), v.tolist() != [1.0] * 3, sep=",")
del ref
"""
    rows = [line.split(",") for line in child(code).stdout.splitlines()]
    assert rows == [[name, "True", "True"] for name in REFERENCES]


def test_an_invalid_gradient_leaves_every_buffer_unchanged() -> None:
    v, m, s = (pt.Variable(np.full(3, value, "float32")) for value in (1.0, 2.0, 3.0))
    with pytest.raises(ShapeError):
        update(adam(), [v, m, s], [pt.ones((4,)), pt.asarray(0.5), pt.asarray(1)], {})
    with pytest.raises(DTypeError):
        update(sgd(), [v], [pt.ones((3,), dtype="float64"), pt.asarray(0.5)], {})
    assert [variable.tolist() for variable in (v, m, s)] == [[1.0] * 3, [2.0] * 3, [3.0] * 3]


def test_a_variable_that_is_its_own_gradient_is_updated_correctly() -> None:
    v, m, s = (pt.Variable(np.full(3, value, "float32")) for value in (1.0, 0.0, 0.0))
    update(adam(), [v, m, s], [v, pt.asarray(0.5), pt.asarray(1)], {})
    np.testing.assert_allclose(m, [0.1] * 3, rtol=1e-6)
    np.testing.assert_allclose(s, [1e-3] * 3, rtol=1e-5)
    np.testing.assert_allclose(v, [0.5] * 3, rtol=1e-5)


def test_an_update_does_not_affect_another_variable_on_the_same_buffer() -> None:
    v = pt.Variable(np.ones(3, "float32"))
    w = pt.Variable(v.read_value())
    update(sgd(), [v], [pt.ones((3,)), pt.asarray(0.5)], {})
    assert (v.tolist(), w.tolist()) == ([0.5] * 3, [1.0] * 3)


def test_an_update_inside_a_tape_is_not_recorded() -> None:
    v = pt.Variable(np.ones(3, "float32"))
    with pt.GradientTape() as tape:
        y = v * v
        update(sgd(), [v], [y, pt.asarray(0.5)], {})
    assert v.tolist() == [0.5] * 3 and v.node is not None
    assert tape.gradient(y, v).tolist() == [2.0] * 3
