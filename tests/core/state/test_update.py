"""Updates of several variables: all or none, in place only where nothing else refers to a buffer."""

from __future__ import annotations

import copy
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape import buildinfo
from polytape.errors import DTypeError, ShapeError
from polytape.registry import tables
from polytape.state.update import Changes, read_all, replace_all

COMPILED = buildinfo.compiled()
OPS = ["sgd_update", "adam_update"]
DEFAULTS = np.asarray([0.9, 0.999, 1e-7, 0.0])


def variables_of(op: str, n: int = 3) -> list[pt.Variable]:
    values = (1.0,) if op == "sgd_update" else (1.0, 0.0, 0.0)
    return [pt.Variable(np.full(n, value, "float32")) for value in values]


def operands_of(op: str, n: int = 3) -> list[pt.Tensor]:
    return [pt.ones((n,)), pt.asarray(0.5), *([pt.asarray(1), pt.asarray(DEFAULTS)] if op == "adam_update" else [])]


def changes_of(op: str, variables: list[pt.Variable], operands: list[pt.Tensor]) -> Changes:
    changes = Changes(tables.get_op(op), {})
    changes.update(variables, operands)
    return changes


def update(op: str, variables: list[pt.Variable], operands: list[pt.Tensor]) -> None:
    assert changes_of(op, variables, operands).commit()


def address(variable: pt.Variable) -> int:
    location: int = variable.array.__array_interface__["data"][0]
    return location


# --- in place ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", OPS)
def test_a_compiled_update_writes_into_the_buffer_while_other_threads_run(op: str) -> None:
    variables = variables_of(op)
    update(op, variables, operands_of(op))  # the first call may compile the kernel, and gets a copy
    addresses = [address(variable) for variable in variables]
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    update(op, variables, operands_of(op))
    done.set()
    thread.join()
    assert [address(variable) == before for variable, before in zip(variables, addresses, strict=True)] == [
        COMPILED
    ] * len(variables)


def test_an_atomic_kernel_runs_no_python_code_while_it_writes(backend: str) -> None:
    called: list[str] = []

    def watch(frame: Any, event: str, argument: Any) -> None:
        # Numba's dispatcher reports a compiled loop as a call too.
        if event == "call" and not frame.f_code.co_filename.endswith("loops/optim.py"):
            called.append(frame.f_code.co_qualname)

    for op in OPS:
        for kernel in tables.kernels_of(backend, op):
            for dtype in {"float32", "float64", "float16"}.intersection(kernel.dtypes) or ["float32", "float16"]:
                for n in (3, 1000, 200_000):
                    arrays = [np.ones(n, dtype) for _ in (*variables_of(op), op)]
                    operands = [
                        *arrays,
                        np.asarray(0.5, dtype),
                        *([np.asarray(1), DEFAULTS] if op == "adam_update" else []),
                    ]
                    if not kernel.atomic or (kernel.when is not None and not kernel.when(*operands)):
                        continue
                    kernel.fn(*operands)
                    sys.setprofile(watch)
                    kernel.fn(*operands)
                    sys.setprofile(None)
    assert called == []


def recorded(v: pt.Variable) -> Any:
    with pt.GradientTape() as tape:
        y = pt.square(v)
    return tape, y


REFERENCES: dict[str, Callable[[pt.Variable], Any]] = {
    "a tensor": lambda v: v.read_value(),
    "another handle": lambda v: +v,
    "NumPy's view": lambda v: v.numpy(),
    "a memoryview": lambda v: memoryview(v.numpy()),
    "a reshaped view": lambda v: pt.reshape(v, (1, 3)),
    "a slice": lambda v: v[0:],
    "another variable": lambda v: pt.Variable(v.read_value()),
    "DLPack": np.from_dlpack,
    "a copy": copy.copy,
    "a value times one": lambda v: v * 1.0,
    "the native array": lambda v: v.array,
    "an iterator": lambda v: np.nditer(v.numpy()),
}


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("name", REFERENCES)
def test_a_buffer_with_other_references_is_never_written(op: str, name: str) -> None:
    variables = variables_of(op)
    update(op, variables, operands_of(op))
    variables[0].assign(np.ones(3, "float32"))
    reference = REFERENCES[name](variables[0])
    for _ in range(2):
        update(op, variables, operands_of(op))
    value = reference.operands[0] if isinstance(reference, np.nditer) else np.asarray(reference)
    assert np.all(value == 1.0)
    assert not np.any(variables[0].numpy() == 1.0)


@pytest.mark.parametrize("op", OPS)
def test_the_operands_of_a_record_are_never_written(op: str) -> None:
    variables = variables_of(op)
    update(op, variables, operands_of(op))
    variables[0].assign(np.ones(3, "float32"))
    tape, y = recorded(variables[0])
    update(op, variables, operands_of(op))
    assert tape.gradient(y, variables[0]).tolist() == [2.0] * 3


def test_a_variable_that_is_its_own_gradient_is_updated_correctly() -> None:
    for _ in range(2):
        v, m, s = variables_of("adam_update")
        update("adam_update", [v, m, s], [v.read_value(), pt.asarray(0.5), pt.asarray(1), pt.asarray(DEFAULTS)])
        np.testing.assert_allclose(m, [0.1] * 3, rtol=1e-6)
        np.testing.assert_allclose(s, [1e-3] * 3, rtol=1e-5)
        np.testing.assert_allclose(v, [0.5] * 3, rtol=1e-5)


def test_two_variables_on_one_buffer_are_independent() -> None:
    v = pt.Variable(np.ones(3, "float32"))
    w = pt.Variable(v.read_value())
    for _ in range(2):
        update("sgd_update", [v], operands_of("sgd_update"))
    assert (v.tolist(), w.tolist()) == ([0.0] * 3, [1.0] * 3)


def test_an_update_inside_a_tape_is_not_recorded() -> None:
    v = pt.Variable(np.ones(3, "float32"))
    with pt.GradientTape() as tape:
        y = v * v
        update("sgd_update", [v], [y, pt.asarray(0.5)])
    assert v.tolist() == [0.5] * 3 and v.node is not None
    assert tape.gradient(y, v).tolist() == [2.0] * 3


def test_floating_point_errors_do_not_interrupt_an_update() -> None:
    v = pt.Variable(np.full(3, 1e38, "float32"))
    optimizer = pt.optim.Adam(0.1)
    with np.errstate(all="raise"):
        for _ in range(3):
            optimizer.apply_gradients([(pt.asarray(np.full(3, 1e38, "float32")), v)])
    assert int(optimizer.step) == 3


# --- all or none ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", OPS)
def test_an_invalid_operand_leaves_every_variable_unchanged(op: str) -> None:
    variables = variables_of(op)
    update(op, variables, operands_of(op))
    before = [variable.tolist() for variable in variables]
    with pytest.raises(ShapeError):
        update(op, variables, [pt.ones((4,)), *operands_of(op)[1:]])
    with pytest.raises(DTypeError):
        update(op, variables, [pt.ones((3,), dtype="float64"), *operands_of(op)[1:]])
    assert [variable.tolist() for variable in variables] == before


@pytest.mark.parametrize("op", OPS)
def test_nothing_is_assigned_if_a_variable_was_assigned_in_the_meantime(op: str) -> None:
    first, second = variables_of(op), variables_of(op)
    for _ in range(3):  # the first time out of place, then in place
        changes = changes_of(op, first, operands_of(op))
        changes.update(second, operands_of(op))
        second[-1].assign([7.0, 8.0, 9.0])
        before = read_all([*first, *second])
        assert not changes.commit()
        assert all(a is b for a, b in zip(read_all([*first, *second]), before, strict=True))
        del before, changes
        update(op, first, operands_of(op))


def test_nothing_is_written_if_a_reference_was_taken_in_the_meantime() -> None:
    variables = variables_of("adam_update")
    update("adam_update", variables, operands_of("adam_update"))
    changes = changes_of("adam_update", variables, operands_of("adam_update"))
    view = variables[1].numpy()
    before = view.tolist()
    assert changes.commit() is not COMPILED  # only an update in place depends on it
    assert view.tolist() == before


def test_replace_all_assigns_all_or_none() -> None:
    a, b = pt.Variable(1.0), pt.Variable(2.0)
    one, two = read_all([a, b])
    new = read_all([pt.asarray(3.0), pt.asarray(4.0)])
    assert not replace_all([a, b], [one, one], new)
    assert (a.item(), b.item()) == (1.0, 2.0)
    assert replace_all([a, b], [one, two], new)
    assert (a.item(), b.item()) == (3.0, 4.0)
    assert replace_all([a, b], [None, None], [one, two])
    assert (a.item(), b.item()) == (1.0, 2.0)


# --- threads ----------------------------------------------------------------------------------------------------------


def test_readers_never_see_half_an_update() -> None:
    v, w = (pt.Variable(np.zeros(300_000, "float32")) for _ in range(2))
    gradient = pt.asarray(np.full(300_000, -1.0, "float32"))
    optimizer = pt.optim.SGD(1.0)
    done = threading.Event()
    failures: list[str] = []
    total = pt.function(lambda v: pt.max(v) - v[-1])

    def read() -> None:
        kept: list[tuple[Any, float]] = []
        while not done.is_set():
            view = v.numpy()
            kept = [*kept[-20:], (view, float(view[0]))]
            if view.max() != view.min():
                failures.append("numpy")
            if float(pt.max(v - v[0])) != 0.0:
                failures.append("ops")
            if float(total(v)) != 0.0:
                failures.append("function")
            if any(array.max() != value or array.min() != value for array, value in kept):
                failures.append("a view has changed")

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(150):
        optimizer.apply_gradients([(gradient, v), (gradient, w)])
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert v.numpy()[0] == w.numpy()[-1] == 150.0


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_threads_never_lose_a_step(name: str, switching: None) -> None:
    v = pt.Variable(np.zeros(10, "float32"))
    optimizer = getattr(pt.optim, name)(1.0)
    gradient = pt.asarray(np.full(10, -1.0, "float32"))

    def train() -> None:
        for _ in range(300):
            optimizer.apply_gradients([(gradient, v)])

    threads = [threading.Thread(target=train) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert int(optimizer.step) == 1200
    np.testing.assert_allclose(v.numpy(), 1200.0, rtol=1e-4)
