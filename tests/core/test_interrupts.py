"""Ctrl-C wherever Python may raise it: no scope or lock stays, no variable is torn.

Python runs signal handlers when a function starts and after a call returns. A profile function sees the same places, so
each operation is run again and again, interrupted at the first of them, the second, and so on. Left out is the start of
``__exit__``: no context manager written in Python can do anything about an interrupt there. Compiled ones start
without running handlers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape import random
from polytape.placement.selection import device_scopes
from polytape.tensors.in_place import writing
from polytape.tensors.scope import current_scope

# A finalizer or a closing generator that is interrupted prints a warning and goes on.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
X = pt.asarray([1.0, 2.0])


class Interruption:
    """Raises KeyboardInterrupt at the n-th place where Python would run a signal handler."""

    def __init__(self, n: int) -> None:
        self.left = n

    def __call__(self, frame: Any, event: str, argument: Any) -> None:
        if event == "c_return" or (event == "call" and frame.f_code.co_name != "__exit__"):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt


def interrupted(operation: Callable[[], Any], n: int) -> bool:
    """Run the operation; whether it was interrupted, which it is not if it has fewer than ``n`` places."""
    interruption = Interruption(n)
    sys.setprofile(interruption)
    try:
        operation()
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(None)
    return False


def assert_clean(n: int) -> None:
    scope = current_scope.get()
    assert scope.tapes == () and scope.trace is None, n
    assert device_scopes.get() == (), n
    assert not writing._is_owned(), n  # type: ignore[attr-defined]  # not in typeshed


def tape_block() -> None:
    with pt.GradientTape() as tape:
        tape.watch(X)
        y = pt.sum(X * X)
        with tape.stop_recording():
            pt.exp(X)
    tape.gradient(y, X)


def functional() -> None:
    pt.value_and_gradients_function(lambda x: pt.sum(x * x))(X)


def device_block() -> None:
    with pt.device("numpy"), pt.device("numpy"):
        pt.ones((2,))


def eager_step() -> Callable[[], None]:
    adam, model = pt.optim.Adam(0.5), [pt.Variable(np.ones(3, "float32")) for _ in range(3)]
    gradients = [pt.ones((3,)) for _ in model]
    return lambda: adam.apply_gradients(zip(gradients, model, strict=True))


def traced_step() -> Callable[[], None]:
    adam, model = pt.optim.Adam(lambda: 0.5), [pt.Variable(np.ones(3, "float32")) for _ in range(2)]
    generator = random.Generator(1)

    def step() -> None:
        function = pt.function(body)  # a new one, so that tracing is interrupted too
        function()
        function()

    def body() -> None:
        with pt.GradientTape() as tape:
            loss = pt.sum(model[0] * model[1] + random.normal((3,), generator=generator))
        adam.apply_gradients(zip(tape.gradient(loss, model), model, strict=True))

    return step


def draws() -> Callable[[], None]:
    generator = random.Generator(1)
    return lambda: (random.normal((2,), generator=generator), random.uniform((2,)))


def assignments() -> Callable[[], None]:
    v = pt.Variable([1.0, 2.0])

    def assign() -> None:
        v.assign([2.0, 3.0])
        v.assign_add(X)

    return assign


OPERATIONS: dict[str, Callable[[], Callable[[], Any]]] = {
    "a tape": lambda: tape_block,
    "a gradient function": lambda: functional,
    "a device block": lambda: device_block,
    "assignments": assignments,
    "draws": draws,
    "an eager step": eager_step,
    "a traced step": traced_step,
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_interrupt_leaves_no_scope_and_no_lock(name: str) -> None:
    operation = OPERATIONS[name]()
    operation()
    n = 0
    while True:
        n += 1 if n < 300 else 7  # tracing has thousands of such places
        was_interrupted = interrupted(operation, n)
        assert_clean(n)
        operation()
        if not was_interrupted:
            break
    assert n > 3


def test_an_interrupted_step_changes_all_variables_or_none() -> None:
    n, was_interrupted = 0, True
    while was_interrupted:
        n += 1
        adam, model = pt.optim.Adam(0.5), [pt.Variable(np.ones(3, "float32")) for _ in range(3)]
        gradients = [pt.ones((3,)) for _ in model]
        pairs = list(zip(gradients, model, strict=True))
        adam.apply_gradients(pairs)
        before = [x.tolist() for x in (*model, *adam.variables)]
        was_interrupted = interrupted(lambda adam=adam, pairs=pairs: adam.apply_gradients(pairs), n)  # type: ignore[misc]
        changed = {x.tolist() != old for x, old in zip((*model, *adam.variables), before, strict=True)}
        assert len(changed) == 1, n
        assert all(len(set(np.ravel(x.tolist()))) == 1 for x in (*model, *adam.variables)), n


def test_an_interrupted_restore_changes_all_variables_or_none(tmp_path: Path) -> None:
    saved = {"a": pt.Variable([1.0, 1.0]), "b": pt.Variable([2.0])}
    path = pt.Checkpoint(**saved).save(tmp_path / "checkpoints")
    n, was_interrupted = 0, True
    while was_interrupted:
        n += 7  # a restore has thousands of such places
        a, b = pt.Variable([0.0, 0.0]), pt.Variable([0.0])
        checkpoint = pt.Checkpoint(a=a, b=b)
        was_interrupted = interrupted(lambda c=checkpoint: c.restore(path), n)  # type: ignore[misc]
        assert [a.tolist(), b.tolist()] in ([[0.0, 0.0], [0.0]], [[1.0, 1.0], [2.0]]), n
        assert_clean(n)
