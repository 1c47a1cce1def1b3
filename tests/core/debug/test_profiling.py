"""Profiles: what was called, how long it took, what its results hold, and ranges."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

import polytape as pt
from polytape.autodiff.backward import hooks
from polytape.debug import calls as call_module
from polytape.errors import SettingError
from polytape.optim.base import Optimizer


def named(rows: list[Any]) -> dict[str, Any]:
    return {row.name: row for row in rows}


def test_rows_count_calls_and_bytes_on_each_backend(backend: str) -> None:
    x = pt.ones((8, 4), device=backend)
    with pt.debug.profile(wait=True) as p:
        for _ in range(3):
            y = pt.tanh(x)
        pt.matmul(x, y.T)
    rows = named(p.rows())
    assert rows["tanh"].calls == 3 and rows["tanh"].nbytes == 3 * 8 * 4 * 4
    assert rows["matmul"].calls == 1 and rows["matmul"].nbytes == 8 * 8 * 4
    assert all(row.device.startswith(backend) and 0 < row.self_s <= row.total_s for row in rows.values())


def test_self_time_leaves_out_the_ops_of_the_body_and_adds_up_to_the_time_that_passed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_ns = 0

    def clock() -> int:  # a reading takes a microsecond, a callback ten milliseconds, whatever else the machine does
        nonlocal now_ns
        now_ns += 1_000
        return now_ns

    monkeypatch.setattr(call_module, "perf_counter_ns", clock)

    @pt.op(dtype=lambda x: x, shape=lambda x: x)
    def composed(x: pt.Tensor, /) -> pt.Tensor:
        """A body of two slow ops."""
        return pt.exp(pt.exp(x))

    def slow(call: Any) -> None:
        nonlocal now_ns
        now_ns += 10_000_000

    x = pt.zeros((2,))
    with pt.debug.profile() as p, pt.debug.profile() as other, pt.debug.callback(slow):
        composed(x)
    rows = named(p.rows())
    assert rows["exp"].calls == 2 and rows["composed"].calls == 1
    # Each callback for a call inside runs within the outer call, but in none of the inner ones.
    assert rows["composed"].total_s > 0.02 > rows["exp"].total_s
    # What the callbacks take for the ops in the body is not the op's own time.
    assert rows["composed"].self_s < rows["composed"].total_s - 0.02
    assert sum(row.self_s for row in p.rows()) <= now_ns * 1e-9
    assert named(other.rows())["composed"].self_s == pytest.approx(rows["composed"].self_s)
    (device,) = p.rows(by="device")
    assert device.calls == 3 and device.total_s == pytest.approx(rows["composed"].total_s)


def test_functions_backward_passes_steps_and_annotations_are_ranges() -> None:
    w = pt.Variable([1.0, 2.0])
    optimizer = pt.optim.Adam(0.1)
    original = Optimizer.apply_gradients
    run = hooks.run

    @pt.function
    def loss_of(x: Any) -> Any:
        return pt.sum(pt.square(x))

    with pt.debug.profile() as p, pt.debug.profile() as inner:
        for _ in range(2):
            with pt.debug.annotate("step"):
                optimizer.minimize(lambda: pt.sum(pt.square(w)), var_list=[w])
        assert loss_of(w.read_value()).item() == pytest.approx(pt.sum(pt.square(w)).item())
    rows = named(p.rows(by="range"))
    assert {name: row.calls for name, row in rows.items()} == {
        "step": 2, "backward pass": 2, "Adam step": 2, "loss_of": 1
    }  # fmt: skip
    assert rows["step"].total_s > rows["backward pass"].total_s + rows["Adam step"].total_s
    assert rows["step"].self_s == pytest.approx(
        rows["step"].total_s - rows["backward pass"].total_s - rows["Adam step"].total_s
    )
    assert len(inner.rows(by="range")) == 4
    assert Optimizer.apply_gradients is original and hooks.run is run
    loss_of(w.read_value())
    assert named(p.rows(by="range"))["loss_of"].calls == 1


def test_threads_and_recursion_may_share_a_range() -> None:
    shared = pt.debug.annotate("shared")
    inside = threading.Barrier(2)

    @shared
    def work(depth: int) -> None:
        inside.wait()
        if depth:
            work(depth - 1)

    with pt.debug.profile() as p:
        threads = [threading.Thread(target=work, args=(1,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    events = p._recorder.events
    assert len(events) == 4 and len({event.thread for event in events}) == 2
    for ident in {event.thread for event in events}:
        outer, inner = sorted((x for x in events if x.thread == ident), key=lambda x: (x.start_ns, -x.end_ns))
        assert outer.start_ns <= inner.start_ns <= inner.end_ns <= outer.end_ns


def test_lines_are_shown_if_they_were_recorded() -> None:
    x = pt.ones((3,))

    def work() -> None:
        pt.exp(x)
        pt.exp(x)

    with pt.debug.record_lines(), pt.debug.profile() as p:
        work()
    first = work.__code__.co_firstlineno + 1
    assert [row.name for row in p.rows(by="line", sort="name")] == [
        f"test_profiling.py:{first}, in work", f"test_profiling.py:{first + 1}, in work"
    ]  # fmt: skip
    with pt.debug.profile() as without:
        work()
    with pytest.raises(SettingError, match="this profile has no lines"):
        without.rows(by="line")


def test_rows_are_sorted_and_the_table_shows_as_many_as_are_asked_for() -> None:
    x, big = pt.ones((2,)), pt.ones((1000,))
    with pt.debug.profile() as p:
        pt.exp(big)
        for _ in range(3):
            pt.sin(x)
    assert [row.name for row in p.rows(sort="calls")] == ["sin", "exp"]
    assert [row.name for row in p.rows(sort="bytes")] == ["exp", "sin"]
    assert [row.name for row in p.rows(sort="name")] == ["exp", "sin"]
    for key in ("self", "total", "average"):
        seconds = [getattr(row, f"{key}_s") for row in p.rows(sort=key)]
        assert seconds == sorted(seconds, reverse=True)
    lines = p.table(sort="calls", limit=1).splitlines()
    assert lines[0].split()[:2] == ["op", "calls"] and lines[2].split()[:2] == ["sin", "3"]
    assert lines[3] == "... and 1 more" and lines[4].startswith("total: 4 calls")
    with pytest.raises(SettingError, match="sort='time' is not a way to show a profile"):
        p.rows(sort="time")
    with pytest.raises(SettingError, match="by='kernel'"):
        p.table(by="kernel")
    assert repr(p) == "<profile: 4 events>"


def test_memory_rises_with_results_and_falls_when_they_are_freed() -> None:
    x = pt.ones((1000,))
    with pt.debug.profile() as p:
        y = pt.exp(x)
        view = pt.reshape(y, (10, 100))
        z = pt.exp(view)
        del y, view, z
        gc.collect()
    changes = [nbytes for _, _, nbytes in sorted(p._recorder.changes)]
    assert sum(changes) == 0 and changes.count(4000) == 2, changes
    with pt.debug.profile(memory=False) as without:
        pt.exp(x)
    assert without._recorder.changes == []


def test_a_profile_is_of_all_threads_or_of_one() -> None:
    x = pt.ones((2,))
    for all_threads, calls in ((True, 2), (False, 1)):
        with pt.debug.profile(all_threads=all_threads) as p:
            thread = threading.Thread(target=lambda: pt.exp(x))
            thread.start()
            thread.join()
            pt.exp(x)
        assert named(p.rows())["exp"].calls == calls


def test_threads_that_run_one_after_another_are_told_apart() -> None:
    with pt.debug.profile() as p:
        for name in ("first", "second"):
            thread = threading.Thread(target=lambda: pt.ones((2,)), name=name)
            thread.start()
            thread.join()
    assert [thread.name for thread in p._recorder.threads] == ["first", "second"]
    assert {event.thread for event in p._recorder.events} == {0, 1}


def test_an_error_ends_the_profile_and_keeps_what_was_measured() -> None:
    x = pt.ones((2,))
    p = pt.debug.profile()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), p:
            pt.exp(x)
            raise ZeroDivisionError
    assert named(p.rows())["exp"].calls == 2
