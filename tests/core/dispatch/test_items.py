"""Item access by basic keys equals that by the ops; an array is overwritten only if nothing else refers to it."""

from __future__ import annotations

import copy
import subprocess
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as arrays

import polytape as pt
from polytape.errors import DTypeError, OutOfRangeError, PolytapeError, RegistrationError, ShapeError
from polytape.registry import tables
from polytape.tensors.tensor import COMPILING

Child = Callable[..., "subprocess.CompletedProcess[str]"]
SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


def tensor(values: Any, dtype: str = "float32") -> pt.Tensor:
    """A tensor of host data whose type has been indexed before, so that the ops are not needed any more."""
    x = pt.asarray(np.asarray(values, dtype))
    first: Any = pt.ones((2,), dtype=dtype)
    first[0] = first[1]
    return x


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_basic_keys_select_what_numpy_selects(data: Any) -> None:
    shape = data.draw(SHAPES)
    host = np.arange(np.prod(shape, dtype=int), dtype="float32").reshape(shape)
    key = data.draw(arrays.basic_indices(shape, max_dims=5, allow_newaxis=True))
    x = tensor(host)
    y = x[key]
    np.testing.assert_array_equal(y.numpy(), host[key], strict=True)
    assert type(y.array) is np.ndarray


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_assignment_changes_what_numpy_changes_and_no_other_tensor(data: Any) -> None:
    shape = data.draw(SHAPES)
    host = np.arange(np.prod(shape, dtype=int), dtype="float32").reshape(shape)
    key = data.draw(arrays.basic_indices(shape, max_dims=4, allow_newaxis=True))
    x = tensor(host)
    shared = data.draw(st.booleans())
    others = [(x[key], host[key].copy()), (copy.copy(x), host.copy())] if shared else []
    value: Any = data.draw(st.sampled_from([7.0, -1, "tensor", "row"]))
    if value == "tensor":
        value = tensor(np.full(host[key].shape, 9.0))
    elif value == "row":
        value = tensor(3.5)
    expected = host.copy()
    expected[key] = value.numpy() if isinstance(value, pt.Tensor) else value
    x[key] = value
    np.testing.assert_array_equal(x.numpy(), expected, strict=True)
    for other, before in others:
        np.testing.assert_array_equal(other.numpy(), before)


OVERWRITTEN = """
import polytape as pt
first = pt.ones((2,))
first[0] = first[1]  # from here on, no op is needed
x = pt.asarray([1.0, 2.0, 3.0])
where = x.array.ctypes.data
x[1] = 5.0
print(x.array.ctypes.data == where)
x[:2] = pt.asarray([7.0, 8.0])
print(x.array.ctypes.data == where, x.tolist() == [7.0, 8.0, 3.0])
view = x[1:]
x[1] = 0.0
print(x.array.ctypes.data != where, view.tolist() == [8.0, 3.0])
"""


@pytest.mark.skipif(not COMPILING, reason="only compiled code overwrites arrays")
def test_an_array_that_nothing_else_sees_is_overwritten(child: Child) -> None:
    # In a process of its own: several elements are overwritten only if there is no other thread, and pytest has some.
    assert child(OVERWRITTEN).stdout.split() == ["True"] * 5


@pytest.mark.parametrize(
    "share", [np.asarray, memoryview, np.from_dlpack, copy.copy, pt.identity, lambda x: x.T, pt.Variable]
)
def test_what_was_handed_out_keeps_its_values(share: Any) -> None:
    x = tensor([[1.0, 2.0], [3.0, 4.0]])
    try:
        other = share(x)
    except TypeError:
        pytest.skip("not supported by Tensor")
    before = np.array(other.numpy() if isinstance(other, pt.Tensor) else other)
    x[0, 0] = 9.0
    x[1] = 8.0
    np.testing.assert_array_equal(np.array(other.numpy() if isinstance(other, pt.Tensor) else other), before)
    assert x.tolist() == [[9.0, 2.0], [8.0, 8.0]]


def test_an_assignment_from_itself_reads_before_it_writes() -> None:
    x = tensor([1.0, 2.0, 3.0, 4.0])
    x[1:] = x[:-1]
    assert x.tolist() == [1.0, 1.0, 2.0, 3.0]
    x[:] = x
    x[::-1] = x
    assert x.tolist() == [3.0, 2.0, 1.0, 1.0]


def test_a_saved_operand_of_a_tape_is_not_overwritten() -> None:
    x, w = tensor([1.0, 2.0]), tensor([3.0, 4.0])
    with pt.GradientTape() as tape:
        tape.watch(w)
        y = pt.sum(x * w)
        x[0] = 100.0
    assert tape.gradient(y, w).tolist() == [1.0, 2.0]


def test_tapes_follow_items_to_order_two() -> None:
    x = tensor([1.0, 2.0, 3.0])
    with pt.GradientTape() as outer:
        outer.watch(x)
        with pt.GradientTape() as inner:
            inner.watch(x)
            y = x[1] ** 3 + pt.sum(x[::2] ** 2) + pt.sum(x[None, ..., 0])
        first = inner.gradient(y, x)
        target = pt.sum(first[1:] * 2.0)
    assert first.tolist() == [3.0, 12.0, 6.0]
    assert outer.gradient(target, x).tolist() == [0.0, 24.0, 4.0]


def test_a_trace_records_items() -> None:
    f = pt.function(lambda x: x[1] * x[:2])
    tensor([1.0, 2.0])
    assert f(tensor([3.0, 4.0])).tolist() == [12.0, 16.0] and f(tensor([1.0, 2.0])).tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    ("key", "error"),
    [(5, OutOfRangeError), ((0, 0), OutOfRangeError), ((..., ...), ShapeError), ("a", DTypeError)],
)
def test_errors_are_those_of_the_ops(key: Any, error: type[Exception]) -> None:
    x = tensor([1.0, 2.0])
    with pytest.raises(error):
        x[key]
    with pytest.raises(error):
        x[key] = 1.0
    assert x.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("value", [[1.0, 2.0, 3.0], np.ones((1, 2)), 1j, "a", None])
def test_a_value_that_does_not_fit_changes_nothing(value: Any) -> None:
    x = tensor([1.0, 2.0])
    with pytest.raises(PolytapeError):
        x[:] = value
    small = tensor([1, 2], "int8")
    with pytest.raises(DTypeError):
        small[0] = 300
    assert x.tolist() == [1.0, 2.0] and small.tolist() == [1, 2]


def test_another_kernel_is_not_bypassed() -> None:
    with pt.kernel("getitem", backend="numpy", priority=5)(lambda x, *indices, key: np.zeros(())):
        assert tensor([1.0, 2.0])[1].item() == 0.0
    assert tensor([1.0, 2.0])[1].item() == 2.0


def test_only_the_kernels_of_item_access_may_declare_native_indexing() -> None:
    with pytest.raises(RegistrationError, match="declares native_indexing"):
        pt.kernel("exp", backend="numpy", native_indexing=True)(np.exp)
    assert tables.get_op("getitem").name == "getitem"


def test_threads_that_read_see_the_old_row_or_the_new_one() -> None:
    x = tensor(np.zeros((2, 5000)))
    torn = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            row = x[0].numpy()
            if row[0] != row[-1]:
                torn.append(row)

    thread = threading.Thread(target=read)
    thread.start()
    for number in range(300):
        x[0] = float(number)
    stop.set()
    thread.join()
    assert not torn and x[0, 0].item() == 299.0
