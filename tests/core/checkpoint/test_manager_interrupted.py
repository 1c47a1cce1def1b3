"""Ctrl-C and signal handlers at every place of a save or restore where Python may run a handler.

As in tests/core/test_interrupts.py, a profile function stands for the signal. It sees the same places: the start of a
function, except `__exit__`, and the return from a function written in C.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.checkpoint import directory
from polytape.checkpoint.state import kept_checkpoints, read_state
from polytape.tensors.in_place import writing

# An interrupt between the opening of a file and the assignment of its object leaves closing to the collector; one in
# `__del__` is reported there.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


class Signal:
    """Calls a handler at the n-th place where Python would run it."""

    def __init__(self, n: int, handler: Callable[[], None]) -> None:
        self.left = n
        self.handler = handler

    def __call__(self, frame: Any, event: str, argument: Any) -> None:
        if event == "c_return" or (event == "call" and frame.f_code.co_name != "__exit__"):
            self.left -= 1
            if self.left == 0:
                sys.setprofile(None)
                self.handler()

    def during(self, operation: Callable[[], Any]) -> bool:
        """Run the operation; whether the handler was called."""
        sys.setprofile(self)
        try:
            operation()
        finally:
            sys.setprofile(None)
        return self.left <= 0


def interrupt() -> None:
    raise KeyboardInterrupt


def interrupted(operation: Callable[[], Any], n: int) -> bool:
    """Run the operation; whether Ctrl-C came, which it does not if there are fewer than ``n`` places."""
    signal = Signal(n, interrupt)
    with contextlib.suppress(KeyboardInterrupt):
        signal.during(operation)
    return signal.left <= 0  # in a destructor, Python reports the interrupt and goes on


def set_all(model: list[pt.Variable], value: float) -> None:
    for x in model:
        x.assign(np.full(3, value, "float32"))


def values(model: list[pt.Variable]) -> set[float]:
    return {value for x in model for value in x.tolist()}


@pytest.fixture
def model() -> list[pt.Variable]:
    return [pt.Variable(np.zeros(3, "float32")) for _ in range(3)]


# Every place in CI; in the quick suite one in 17, which is prime to the length of the loops.
@pytest.mark.parametrize("stride", [17, pytest.param(1, marks=pytest.mark.slow)])
def test_ctrl_c_during_a_save_leaves_whole_checkpoints_and_what_the_next_save_cleans(
    tmp_path: Path, model: list[pt.Variable], stride: int
) -> None:
    checkpoint = pt.Checkpoint(model=model)
    folder, value, n = str(tmp_path), 0, 1
    while True:
        value += 1
        set_all(model, value)
        came = interrupted(lambda: checkpoint.save(folder, keep=2), n)
        assert not directory._held and not writing._is_owned(), n  # type: ignore[attr-defined]  # not in typeshed
        for path in kept_checkpoints(folder):
            checkpoint.restore(path).assert_consumed()
            assert len(values(model)) == 1, n
        value += 1
        set_all(model, value)
        latest = checkpoint.save(folder, keep=2)
        assert pt.latest_checkpoint(folder) == latest
        state = read_state(folder)
        assert state is not None and sorted(os.listdir(folder)) == sorted(["checkpoint", *state.kept]), n
        if not came:
            break
        n += stride
    assert n > 300


@pytest.mark.parametrize("stride", [17, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("same_prefix", [True, False])
def test_a_signal_handler_may_save_while_it_interrupts_a_save(
    tmp_path: Path, model: list[pt.Variable], stride: int, same_prefix: bool
) -> None:
    checkpoint = pt.Checkpoint(model=model)
    outer, inner = tmp_path / "ckpt", tmp_path / ("ckpt" if same_prefix else "final")
    saved: dict[str, float] = {}
    value, n = 0.0, 1

    def handler() -> None:
        saved[checkpoint.save(inner)] = value

    while True:
        saved.clear()
        value += 1.0
        set_all(model, value)
        paths: list[str] = []
        came = Signal(n, handler).during(lambda paths=paths: paths.append(checkpoint.save(outer)))  # type: ignore[misc]  # a default
        saved[paths[0]] = value
        assert len(saved) == 1 + came, n
        for path, expected in saved.items():
            checkpoint.restore(path).assert_consumed()
            assert values(model) == {expected}, n
        state = read_state(str(tmp_path))
        assert state is not None and sorted(os.listdir(tmp_path)) == sorted(["checkpoint", *state.kept]), n
        assert {os.path.basename(path) for path in saved} <= set(state.kept), n
        assert os.path.join(str(tmp_path), state.latest) in saved, n
        if not came:
            break
        n += stride
    assert n > 300


@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_ctrl_c_during_a_restore_changes_all_variables_or_none(
    tmp_path: Path, model: list[pt.Variable], stride: int
) -> None:
    checkpoint = pt.Checkpoint(model=model)
    set_all(model, 1.0)
    path = checkpoint.save(tmp_path)
    outcomes, n = set(), 1
    while True:
        set_all(model, 2.0)
        came = interrupted(lambda: checkpoint.restore(path), n)
        assert not writing._is_owned()  # type: ignore[attr-defined]  # not in typeshed
        outcomes.add(frozenset(values(model)))
        if not came:
            break
        n += stride
    assert outcomes == {frozenset([1.0]), frozenset([2.0])}
    assert n > 100
