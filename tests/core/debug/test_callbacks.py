"""Callbacks after ops: what they are told, in which order, and what their exceptions do."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.debug.calls import Watched, everywhere, state
from polytape.dispatch.resolve import _observers
from polytape.errors import DTypeError, ShapeError


def wrapped_ops() -> list[str]:
    """The ops that something wraps at the moment."""
    from polytape.registry.tables import declared

    return [
        name
        for name, op in declared().items()
        if any(isinstance(resolution.fn, Watched) for resolution in (*op.table.values(), *op.memo.values()))
    ]


@pytest.fixture(autouse=True)
def nothing_remains() -> Any:
    yield
    assert not _observers.observers and not everywhere.watchers and not state.get().watchers
    assert wrapped_ops() == []


def test_a_callback_is_told_name_operands_results_attributes_device_and_line(backend: str) -> None:
    calls: list[pt.debug.Call] = []
    x = pt.asarray([[1.0, 2.0], [3.0, 4.0]], device=backend)
    with pt.debug.callback(calls.append):
        y = pt.sum(x, axis=0)
    (call,) = [call for call in calls if call.parent is None]
    assert call.op == "sum" and call.attributes["axis"] == 0 and str(call.device).startswith(backend)
    assert call.outputs[0].tolist() == y.tolist() == [4.0, 6.0] and call.seconds > 0
    (operand,) = call.inputs
    assert operand is not None and operand.tolist() == x.tolist()
    assert call.location is not None and call.location.file == __file__
    assert call.location.function == "test_a_callback_is_told_name_operands_results_attributes_device_and_line"
    assert repr(call).startswith(f"<call of sum on {call.device} at test_callbacks.py:")


def test_nested_callbacks_are_called_from_the_inside_out_and_end_with_their_block() -> None:
    order: list[str] = []
    x = pt.ones((2,))
    with pt.debug.callback(lambda call: order.append("outer")):
        with pt.debug.callback(lambda call: order.append("inner")):
            pt.exp(x)
        pt.exp(x)
    pt.exp(x)
    assert order == ["inner", "outer", "outer"]


def test_ops_of_graphs_backward_passes_and_optimizers_are_seen() -> None:
    f = pt.function(lambda x: pt.sum(pt.exp(x) * 2.0))
    w, seen = pt.Variable([0.0, 1.0]), []
    optimizer = pt.optim.SGD(0.1)
    f(w.read_value())  # traced before: the callback sees the ops all the same
    with pt.debug.callback(lambda call: seen.append((call.op, str(call.location)))):
        assert f(w.read_value()).item() == pytest.approx(2 + 2 * np.e, rel=1e-6)
        with pt.GradientTape() as tape:
            y = pt.sum(pt.square(w))
        optimizer.apply_gradients([(tape.gradient(y, w), w)])
    names = [name for name, _ in seen]
    assert {"exp", "multiply", "square", "sgd_update"} <= set(names)
    graph_line = test_ops_of_graphs_backward_passes_and_optimizers_are_seen.__code__.co_firstlineno + 1
    assert ("exp", f"test_callbacks.py:{graph_line}, in <lambda>") in seen
    seen.clear()
    f(w.read_value())
    assert seen == []


@pytest.mark.parametrize("kind", [IndexError, DTypeError, StopIteration, ZeroDivisionError])
def test_an_exception_is_raised_once_and_unchanged(kind: type[Exception]) -> None:
    raised: list[Exception] = []

    def fails(call: pt.debug.Call) -> None:
        raised.append(kind("mine"))
        raise raised[-1]

    x, w, seen = pt.asarray([1.0, 2.0]), pt.Variable([1.0]), []
    unary = [lambda: pt.exp(x), lambda: x + 1.0, lambda: x + x, lambda: pt.concat([x, x]), lambda: x[0]]
    with pt.debug.callback(lambda call: seen.append(call.op)), pt.debug.callback(fails):
        for run in unary:
            raised.clear()
            with pytest.raises(kind, match="mine") as caught:
                run()
            assert raised == [caught.value]
        with pytest.raises(kind):
            pt.optim.Adam(0.1).apply_gradients([(pt.ones((1,)), w)])
    assert len(seen) > len(unary)  # the outer callback is told even if the inner one has raised
    assert w.tolist() == [1.0] and (x + 1.0).tolist() == [2.0, 3.0]


def test_an_op_that_fails_is_not_reported() -> None:
    seen: list[str] = []
    with pt.debug.callback(lambda call: seen.append(call.op)), pytest.raises(ShapeError, match="add"):
        pt.ones((2,)) + pt.ones((3,))
    assert seen == ["full", "ones"] * 2 or "add" not in seen


def test_ops_that_a_callback_runs_are_neither_reported_nor_recorded() -> None:
    sums: list[float] = []
    x = pt.Variable([1.0, 2.0])
    with pt.debug.callback(lambda call: sums.append(pt.sum(call.outputs[0] * 1.5).item())), pt.GradientTape() as tape:
        y = pt.square(x)
    assert sums == [7.5] and tape.gradient(y, x).tolist() == [2.0, 4.0]


def test_results_of_a_graph_that_a_callback_keeps_are_not_overwritten() -> None:
    kept: list[pt.Tensor] = []
    f = pt.function(lambda x: ((x + 1.0) * 2.0 - 3.0) * 4.0)
    with pt.debug.callback(lambda call: kept.append(call.outputs[0])):
        f(pt.asarray([1.0, 2.0]))
    assert [x.tolist() for x in kept] == [[2.0, 3.0], [4.0, 6.0], [1.0, 3.0], [4.0, 12.0]]


def test_a_callback_sees_its_own_thread_or_all_threads() -> None:
    x = pt.ones((2,))
    for all_threads, expected in ((False, ["sum"]), (True, ["exp", "sum"])):
        seen: list[str] = []
        with pt.debug.callback(lambda call, seen=seen: seen.append(call.op), all_threads=all_threads):  # type: ignore[misc]  # mypy cannot type a lambda's default
            thread = threading.Thread(target=lambda: pt.exp(x))
            thread.start()
            thread.join()
            pt.sum(x)
        assert seen == expected


def test_tasks_that_take_turns_see_their_own_ops() -> None:
    async def work(op: Any, seen: list[str]) -> None:
        with pt.debug.callback(lambda call: seen.append(call.op)):
            for _ in range(3):
                op(x)
                await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(work(pt.exp, first), work(pt.sin, second))

    x, first, second = pt.ones((2,)), [], []  # type: ignore[var-annotated]
    asyncio.run(both())
    assert (first, second) == (["exp"] * 3, ["sin"] * 3)


def test_a_decorated_function_may_call_itself_and_each_op_is_reported_once() -> None:
    seen: list[str] = []

    @pt.debug.callback(lambda call: seen.append(call.op))
    def power(x: pt.Tensor, n: int) -> pt.Tensor:
        return x if n == 1 else x * power(x, n - 1)

    assert power(pt.asarray(2.0), 4).item() == 16.0 and seen == ["multiply"] * 3


def test_a_traced_function_may_be_watched_in_many_blocks() -> None:
    f = pt.function(lambda x: x * 2.0)
    for _ in range(70):  # each traces the function twice; a warning, that its arguments change too often, is an error
        with pt.debug.callback(lambda call: None):
            f(pt.ones((2,)))
        f(pt.ones((2,)))


def test_something_that_cannot_be_called_is_rejected() -> None:
    with pytest.raises(DTypeError, match=r"debug\.callback cannot call 3"):
        pt.debug.callback(3)  # type: ignore[arg-type]


def test_ops_that_would_be_fused_are_seen_one_by_one(backend: str) -> None:
    f = pt.function(lambda x: pt.exp(x) * 2.0 + x)
    x, seen = pt.ones((300, 300), device=backend), []  # large enough for numpy to compile a cluster
    expected = f(x).numpy()
    with pt.debug.callback(lambda call: seen.append(call.op)):
        watched = f(x).numpy()
    assert seen == ["exp", "multiply", "add"]
    np.testing.assert_array_equal(watched, expected)
    np.testing.assert_array_equal(f(x).numpy(), expected)
