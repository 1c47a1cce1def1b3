"""Readers of a variable whose buffer is being overwritten: they wait, or fail in the thread that overwrites it."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import BackendError
from polytape.tensors.in_place import is_placeholder, placeholder, settled, writing

traced = pt.function(lambda v: v * 1.0 + 0.0)


def recorded(v: pt.Variable) -> pt.Tensor:
    with pt.GradientTape() as tape:
        y = v * v * 0.5
    gradient: pt.Tensor = tape.gradient(y, v)
    return gradient


def saved(v: pt.Variable, folder: Path) -> pt.Tensor:
    path = pt.Checkpoint(v=v).save(folder)
    restored = pt.Variable(np.zeros(2, "float32"))
    pt.Checkpoint(v=restored).restore(path).assert_consumed()
    return restored.read_value()


READERS: dict[str, Callable[[pt.Variable], Any]] = {
    "numpy": lambda v: v.numpy(),
    "tolist": lambda v: v.tolist(),
    "array": np.asarray,
    "dlpack": np.from_dlpack,
    "unary": abs,
    "binary": lambda v: v + 0.0,
    "reversed": lambda v: 0.0 + v,
    "with itself": lambda v: pt.maximum(v, v),
    "attributes": lambda v: pt.sum(v, axis=-1, keepdims=True) * 0.0 + v,
    "several": lambda v: pt.concat([v])[0:2],
    "index": lambda v: pt.concat([v[0:1], v[1:2]]),
    "read_value": lambda v: v.read_value(),
    "asarray": pt.asarray,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda v: pickle.loads(pickle.dumps(v)),
    "variable": pt.Variable,
    "to_device": lambda v: v.to_device("numba"),
    "astype": lambda v: pt.astype(v, "float64"),
    "function": traced,
    "tape": recorded,
    "assign_add": lambda v: pt.Variable(v.assign_add(0.0)),
    "assign to": lambda v: pt.Variable(np.zeros(2, "float32")).assign(v),
    "augmented": lambda v: pt.asarray(v.__iadd__(0.0)),
}


class Overwriting:
    """A variable whose buffer is overwritten until `finish` is called."""

    def __init__(self) -> None:
        self.variable = pt.Variable([1.0, 2.0])
        self.buffer = self.variable.array
        writing.acquire()
        self.variable.array = placeholder(self.buffer)

    def finish(self) -> None:
        self.variable.array = self.buffer
        writing.release()


@pytest.fixture
def overwriting() -> Iterator[Overwriting]:
    update = Overwriting()
    yield update
    if is_placeholder(update.variable.array):
        update.finish()


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_in_another_thread_waits_for_the_value(reader: str, overwriting: Overwriting) -> None:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(READERS[reader](overwriting.variable)), daemon=True)
    thread.start()
    thread.join(0.02)
    assert thread.is_alive() and not results
    overwriting.finish()
    thread.join(30.0)
    assert np.asarray(results[0]).tolist() == [1.0, 2.0]
    assert overwriting.variable.tolist() == [1.0, 2.0]


def test_a_checkpoint_waits_for_the_value(overwriting: Overwriting, tmp_path: Path) -> None:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(saved(overwriting.variable, tmp_path)), daemon=True)
    thread.start()
    thread.join(0.02)
    assert thread.is_alive()
    overwriting.finish()
    thread.join(30.0)
    assert results[0].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_in_the_same_thread_gets_an_error_instead_of_a_hang(reader: str, overwriting: Overwriting) -> None:
    with pytest.raises(BackendError, match="read while a kernel of the same thread overwrites it"):
        READERS[reader](overwriting.variable)


def test_shape_dtype_and_assignment_do_not_wait(overwriting: Overwriting) -> None:
    v = overwriting.variable
    assert (v.shape, v.dtype, v.ndim, len(v), v.size) == ((2,), "float32", 1, 2, 2)
    v.assign([5.0, 6.0])
    assert v.tolist() == [5.0, 6.0]
    writing.release()


def test_a_native_array_and_a_symbol_of_a_trace_are_not_placeholders() -> None:
    kinds: list[bool] = []
    pt.function(lambda x: kinds.append(is_placeholder(x.array)))(pt.asarray(1.0))
    x = pt.asarray([1.0])
    assert kinds == [False] and not is_placeholder(x.array) and settled(x) is x.array
