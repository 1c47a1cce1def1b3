"""An error in the backward pass names the forward line."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import polytape as pt
from polytape.autodiff.backward import hooks
from polytape.debug import lines


def model(x: Any) -> Any:
    z = pt.exp(x)
    z = pt.sin(z)  # the line that notes must name: the first product of the backward pass is in its gradient
    return z * z


LINE = f"called at test_lines.py:{model.__code__.co_firstlineno + 2}, in model (file {__file__!r})"


def fail_after(call: Any) -> None:
    """Raise an error for a product in the backward pass of `model`."""
    if call.op == "multiply" and call.location.function != "model":
        raise RuntimeError("stop")


def note() -> str:
    """The notes on an error in the backward pass."""
    x = pt.Variable([1.0, 2.0])
    with pt.debug.callback(fail_after):
        with pt.GradientTape() as tape:
            y = model(x)
        with pytest.raises(RuntimeError, match="stop") as caught:
            tape.gradient(y, x)
    return "\n".join(caught.value.__notes__)


def test_the_note_on_an_error_names_the_forward_line() -> None:
    with pt.debug.record_lines():
        assert note() == f"in the backward pass: the gradient of sin, whose result is float32[2], {LINE}"


def test_outside_the_block_no_line_is_known() -> None:
    with pt.debug.record_lines() as recording:
        note()
    assert recording._watcher.lines == {} and hooks.line_of is None
    assert note() == "in the backward pass: the gradient of sin, whose result is float32[2]"


@pt.custom_gradient
def fragile(x: Any) -> Any:
    """Its gradient fails."""
    return pt.exp(x), lambda g: 1 / 0


@pytest.mark.parametrize("kind", ["custom_gradient", "recompute"])
def test_calls_that_are_one_record_have_lines_too(kind: str) -> None:
    f = {"custom_gradient": fragile, "recompute": pt.recompute(lambda x: fragile(x))}[kind]

    def call(x: Any) -> Any:
        return f(x)

    x = pt.Variable([1.0, 2.0])
    with pt.debug.record_lines():
        with pt.GradientTape() as tape:
            y = call(x) * 2.0
        with pytest.raises(ZeroDivisionError) as caught:
            tape.gradient(y, x)
    line = f"called at test_lines.py:{call.__code__.co_firstlineno + 1}, in call"
    assert any(line in note for note in caught.value.__notes__), caught.value.__notes__


@pytest.mark.usefixtures("switching")
def test_threads_that_record_at_the_same_time_get_their_own_lines() -> None:
    barrier = threading.Barrier(3)

    def work(number: int) -> list[str]:
        barrier.wait()
        with pt.debug.record_lines():
            return [note() for _ in range(10)]

    with ThreadPoolExecutor(3) as pool:
        notes = [text for part in pool.map(work, range(3)) for text in part]
    assert len(notes) == 30 and all(text.endswith(LINE) for text in notes)


def test_the_number_of_lines_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "KEPT", 5)
    x = pt.Variable([1.0])
    with pt.debug.record_lines() as recording, pt.GradientTape():
        for _ in range(20):
            pt.exp(x)
        assert 5 <= len(recording._watcher.lines) <= 6


def test_it_decorates_functions_and_can_be_nested() -> None:
    @pt.debug.record_lines
    def run() -> str:
        with pt.debug.record_lines():
            pass
        return note()

    assert run().endswith(LINE) and hooks.line_of is None
