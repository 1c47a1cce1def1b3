"""Debugging: pdb inside a loss, and tracebacks that end near the user's line."""

from __future__ import annotations

import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

import polytape as pt

Child = Callable[..., "CompletedProcess[str]"]
CORE = str(Path(pt.__file__).parent)

PROGRAM = """\
import polytape as pt

w = pt.Variable([1.0, 2.0])
x = pt.asarray([3.0, 4.0])

def loss():
    breakpoint()
    y = x * w
    z = pt.sum(y)
    return z

with pt.GradientTape() as tape:
    value = loss()
print("gradient", tape.gradient(value, w).tolist())
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program with a breakpoint inside its loss."""
    path = tmp_path / "train.py"
    path.write_text(PROGRAM, encoding="utf-8")
    return path


def test_pdb_stops_inside_a_loss_prints_a_tensor_and_steps_over_an_op(program: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("pexpect drives no terminal on Windows")
    pexpect = pytest.importorskip("pexpect")
    process = pexpect.spawn(sys.executable, [str(program)], encoding="utf-8", timeout=120, echo=False)
    try:
        for command, expected in (
            (None, r"y = x \* w|breakpoint\(\)"),
            *([("n", r"y = x \* w")] if sys.version_info >= (3, 13) else []),
            ("n", r"z = pt\.sum"),
            ("p y", r"Tensor\(float32\[2\], backend='numpy', \[3. 8.\]\)"),
            ("p w", r"Variable\(float32\[2\], backend='numpy', \[1. 2.\]\)"),
            ("p y.shape, float(pt.sum(y))", r"\(\(2,\), 11.0\)"),
            ("n", "return z"),
            ("p z * 2", r"Tensor\(float32\[\], backend='numpy', 22"),
        ):
            if command is not None:
                process.sendline(command)
            process.expect(expected)
            process.expect(r"\(Pdb\) ")
            assert "polytape" not in _where(process.before), "stepping over an op stays in the user's file"
        process.sendline("c")
        process.expect(r"gradient \[3.0, 4.0\]")
        process.expect(pexpect.EOF)
    finally:
        process.close(force=True)


def _where(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith(">")]
    return lines[-1] if lines else ""


def test_pdb_driven_by_a_pipe_does_the_same(program: Path) -> None:
    commands = ("n\n" if sys.version_info >= (3, 13) else "") + "n\np y\np tape\nc\n"  # 3.13 stops one line earlier
    result = subprocess.run(
        [sys.executable, str(program)], input=commands, capture_output=True, text=True, timeout=120, check=True
    )
    assert "[3. 8.]" in result.stdout and "GradientTape(recording, watching 1)" in result.stdout
    assert "gradient [3.0, 4.0]" in result.stdout


# --- frames -----------------------------------------------------------------------------------------------------------


def from_ragged_list() -> Any:
    return pt.asarray([[1.0], [1.0, 2.0]])


def from_spent_tape() -> Any:
    with pt.GradientTape() as tape:
        pass
    tape.gradient(pt.asarray(1.0), [])
    return tape.gradient(pt.asarray(1.0), [])


X, Y = np.ones(2, "float32"), np.ones(3, "float32")
MISTAKES: dict[str, Callable[[Any, Any], Any]] = {
    "operator": lambda x, y: x + y,
    "reversed operator": lambda x, y: Y + x,
    "function": lambda x, y: pt.multiply(x, y),
    "matmul": lambda x, y: x @ y,
    "matmul function": lambda x, y: pt.matmul(x, y),
    "unary dtype": lambda x, y: pt.logical_not(pt.asarray([1])),
    "attribute": lambda x, y: pt.sum(x, axis=7),
    "reshape": lambda x, y: pt.reshape(x, (5,)),
    "where": lambda x, y: pt.where(x > 0, x, y),
    "concat": lambda x, y: pt.concat([x, pt.zeros((1, 1))]),
    "index": lambda x, y: x[5],
    "assignment": lambda x, y: x.__setitem__(5, 1.0),
    "bool": lambda x, y: bool(x),
    "float": lambda x, y: float(x),
    "length": lambda x, y: len(pt.asarray(1.0)),
    "ragged": lambda x, y: from_ragged_list(),
    "object": lambda x, y: pt.add(x, object()),
    "list operand": lambda x, y: x * [[1.0], [1.0, 2.0]],
    "number out of range": lambda x, y: pt.asarray([1], dtype="int8") + 1000,
    "variable": lambda x, y: pt.Variable(x).assign(y),
    "variable add": lambda x, y: pt.Variable(x).assign_add(y),
    "new variable": lambda x, y: pt.Variable([[1.0], [1.0, 2.0]]),
    "creation": lambda x, y: pt.zeros((-1,)),
    "watch": lambda x, y: pt.GradientTape().watch(1.0),
    "gradient": lambda x, y: pt.GradientTape().gradient(1.0, []),
    "spent tape": lambda x, y: from_spent_tape(),
    "device": lambda x, y: pt.asarray(1.0, device="nunpy"),
    "to_device": lambda x, y: x.to_device("nunpy"),
    "astype": lambda x, y: pt.astype(x, "float31"),
    "stepped key": lambda x, y: x["a"],
}


def below(error: BaseException) -> list[str]:
    """The frames in polytape's own files below the last frame outside them."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame.filename.startswith(CORE) or "polytape" in frame.filename.split("tests")[0] for frame in frames]
    last = max(position for position, frame in enumerate(frames) if frame.filename == __file__)
    assert any(inside)
    return [f"{Path(frame.filename).name}:{frame.name}" for frame in frames[last + 1 :]]


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("again", [False, True], ids=["first", "again"])
def test_a_mistake_shows_at_most_two_frames_below_the_users_line(mistake: str, again: bool) -> None:
    x, y = pt.asarray(X), pt.asarray(Y)
    if again:
        assert (x + x).shape == (2,) and (x @ x).shape == () and pt.exp(x).shape == (2,)
    with pytest.raises(pt.PolytapeError) as caught:
        MISTAKES[mistake](x, y)
    frames = below(caught.value)
    assert len(frames) <= 2, frames
    assert caught.value.__cause__ is None and (caught.value.__suppress_context__ or caught.value.__context__ is None)


@pytest.mark.parametrize("mistake", ["operator", "matmul function", "index", "attribute", "where", "reshape"])
def test_a_mistake_inside_a_tape_shows_at_most_two_frames_too(mistake: str) -> None:
    x, y = pt.asarray(X), pt.asarray(Y)
    with pytest.raises(pt.PolytapeError) as caught, pt.GradientTape() as tape:
        tape.watch([x, y])
        MISTAKES[mistake](x, y)
    assert len(below(caught.value)) <= 2, below(caught.value)


def test_all_frames_are_shown_on_request(child: Child) -> None:
    code = """
import traceback, polytape as pt
def frames(f):
    try:
        f()
    except pt.PolytapeError as error:
        return len(traceback.extract_tb(error.__traceback__)) - 2
print(frames(lambda: pt.asarray([[1.0], [1.0, 2.0]])), frames(lambda: pt.asarray([1.0])[5]))
"""
    short = [int(n) for n in child(code).stdout.split()]
    full = [int(n) for n in child(code, POLYTAPE_TRACEBACK="full").stdout.split()]
    assert max(short) <= 2 and all(more > fewer for more, fewer in zip(full, short, strict=True))
