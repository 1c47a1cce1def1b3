"""An update of some rows overwrites these rows alone, unless something else refers to the table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape import buildinfo
from polytape.optim import rows

COMPILED = buildinfo.compiled()
N = 50


def address(x: pt.Variable) -> int:
    return int(x.numpy().ctypes.data)


def gradient(indices: list[int], value: float = 1.0) -> pt.IndexedSlices:
    return pt.IndexedSlices(pt.full((len(indices), 2), value), pt.asarray(indices, "int64"), (N, 2))


def table() -> pt.Variable:
    return pt.Variable(np.arange(2.0 * N, dtype="f4").reshape(N, 2))


@pytest.mark.skipif(not COMPILED, reason="only compiled code overwrites arrays")
@pytest.mark.parametrize("make", [lambda: pt.optim.SGD(0.5), lambda: pt.optim.Adam(0.5), lambda: pt.optim.Nadam(0.5)])
def test_rows_are_set_in_place(make: Any) -> None:
    x, ours = table(), make()
    for _ in range(2):  # the first step calls the kernel on a copy, and so does the first on the copy's slots
        ours.apply_gradients([(gradient([3, 7]), x)])
    variables = [x, *(slot for slot in ours.variables if slot.shape == x.shape)]
    before = [address(each) for each in variables]
    ours.apply_gradients([(gradient([7, 3, -1]), x)])
    assert [address(each) for each in variables] == before


def test_a_snapshot_keeps_its_rows() -> None:
    x, adam = table(), pt.optim.Adam(0.5)
    kept = []
    for step in range(4):
        kept += [(x.read_value(), x.numpy().copy()), (x[3:], x.numpy()[3:].copy())]
        view = x.numpy()
        kept.append((view, view.copy()))
        adam.apply_gradients([(gradient([step, 7]), x)])
        adam.apply_gradients([(gradient([step]), x)])  # with nothing that refers to the new array
    for seen, expected in kept:
        np.testing.assert_array_equal(np.asarray(seen), expected)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(-N, N - 1), max_size=6), min_size=1, max_size=4))
def test_rows_of_momentum_agree_with_a_loop(steps: list[list[int]]) -> None:
    x, sgd = table(), pt.optim.SGD(0.25, momentum=0.5)
    expected, velocity = x.numpy().astype("f8"), np.zeros((N, 2))
    for indices in steps:
        sgd.apply_gradients([(gradient(indices, 2.0), x)])
        positions, counts = np.unique(np.asarray(indices, int) % N, return_counts=True)
        velocity[positions] = 0.5 * velocity[positions] + 2.0 * counts[:, None]
        expected[positions] -= 0.25 * velocity[positions]
    np.testing.assert_array_equal(x.numpy(), expected.astype("f4"))


def test_an_assignment_while_the_rows_are_computed_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    x, sgd = table(), pt.optim.SGD(1.0)
    sgd.apply_gradients([(gradient([0]), x)])
    new_rows, calls = rows._new_rows, []

    def interrupted(*arguments: Any) -> Any:
        result = new_rows(*arguments)
        calls.append(len(calls))
        if len(calls) == 1:
            x.assign(np.full((N, 2), 10.0, "f4"))  # as a signal handler would, before the commit
        return result

    monkeypatch.setattr(rows, "_new_rows", interrupted)
    sgd.apply_gradients([(gradient([4]), x)])
    assert calls == [0, 1]
    assert x[4].tolist() == [9.0, 9.0] and float(x[5, 0]) == 10.0


def test_a_position_that_does_not_exist_changes_nothing() -> None:
    x, adam = table(), pt.optim.Adam(0.5)
    adam.apply_gradients([(gradient([0]), x)])
    before = [each.numpy().tobytes() for each in (x, *adam.variables)]
    for bad in (N, -N - 1):
        with pytest.raises(IndexError):
            adam.apply_gradients([(gradient([1, bad]), x)])
    assert [each.numpy().tobytes() for each in (x, *adam.variables)] == before


CLIPPING: list[dict[str, float]] = [{}, {"clip_value": 0.01}]


@pytest.mark.parametrize("clipping", CLIPPING, ids=str)
@pytest.mark.parametrize("make", [pt.optim.SGD, pt.optim.Adam, pt.optim.Nadam, pt.optim.Ftrl], ids=lambda x: x.__name__)
def test_a_traced_step_changes_the_same_rows_as_an_eager_one(make: Any, clipping: Any, backend: str) -> None:
    def trained(wrap: Any) -> list[Any]:
        with pt.device(backend):
            x, ours = table(), make(0.1, **clipping)

        def step(indices: pt.Tensor) -> None:
            with pt.GradientTape() as tape:
                loss = pt.mean((pt.take(x, indices, axis=0) - 1.0) ** 2)
            ours.apply_gradients([(tape.gradient(loss, [x], sparse=True)[0], x)])

        run = wrap(step)
        for indices in ([3, 7, 3], [-1, 7, 49], [4, 4, 4]):
            run(pt.asarray(indices, device=backend))
        return [variable.numpy() for variable in (x, *ours.variables)]

    for traced, eager in zip(trained(pt.function), trained(lambda step: step), strict=True):
        np.testing.assert_array_equal(traced, eager)


@pytest.mark.parametrize("clipping", [{}, {"global_clip_norm": 1.0}], ids=str)
def test_a_traced_step_computes_nothing_of_the_size_of_the_table(clipping: Any) -> None:
    x, adam = table(), pt.optim.Adam(0.1, **clipping)

    @pt.function
    def step(indices: pt.Tensor) -> None:
        adam.apply_gradients([(pt.IndexedSlices(pt.ones((3, 2)), indices, (N, 2)), x)])

    whole = [line for line in str(step.graph(pt.asarray([3, 7, 3]))).splitlines() if ": float32[50,2] =" in line]
    assert len(whole) == 3 and all("= set_rows(" in line for line in whole)


def test_a_traced_update_of_a_row_that_does_not_exist_raises() -> None:
    x, sgd = table(), pt.optim.SGD(0.1)
    before = x.numpy().copy()

    @pt.function
    def step(indices: pt.Tensor) -> None:
        sgd.apply_gradients([(pt.IndexedSlices(pt.ones((2, 2)), indices, (N, 2)), x)])

    for indices in ([0, N], [0, -N - 1]):
        with pytest.raises(IndexError, match="out of bounds"):
            step(pt.asarray(indices))
    np.testing.assert_array_equal(x.numpy(), before)
