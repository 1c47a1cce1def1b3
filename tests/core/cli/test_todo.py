"""`polytape todo`: the primitives that a backend has no kernel for."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from polytape.cli import todo as module
from polytape.registry import tables

Child = Callable[..., "CompletedProcess[str]"]
RUN = ("--program", "program.py", "--epochs", "3")

MODULE = """
import numpy as np, polytape as pt
from polytape_numpy.kernels import build
HAVE = ({ops!r}).split()
pt.register_backend(pt.Backend(
    name="{name}", devices=lambda: [("{name}", 1)], array_type=np.ndarray, from_host=lambda a, d: np.array(a),
    to_host=lambda a: a, copy=lambda a, d: a.copy(), empty=lambda s, t, d: np.empty(s, t),
    synchronize=lambda d: None, lift=np.asarray, dtypes=["bool", "int32", "int64", "float32", "float64"],
    automatic=False, kernels=[kernel for kernel in build(np) if kernel.op in HAVE],
))
"""
PROGRAM = """
import sys
import polytape as pt
print("arguments:", sys.argv[1:])
x = pt.asarray([[1.0, 2.0]])
for _ in range(3):
    pt.nn.softmax(x)
pt.tanh(x)
"""


# It fails in its last line. An op without a gradient rule is recorded by the ops in its body, but timed as a kernel's.
TRAINING = """
import polytape as pt
f = pt.function(lambda x: pt.nn.softmax(x))
with pt.GradientTape() as tape:
    x = pt.Variable([1.0, 2.0])
    y = pt.sum(pt.nn.mish(x))
assert tape.gradient(y, x).shape == (2,)
f(pt.ones((2,))), f(pt.ones((2,)))
1 / 0
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module for each backend, and with programs."""
    path = tmp_path_factory.mktemp("todo")
    for name, ops in (("mini", "add multiply full"), ("more", "softmax max subtract divide sum stop_gradient")):
        (path / f"{name}.py").write_text(MODULE.format(name=name, ops=ops))
    (path / "program.py").write_text(PROGRAM)
    (path / "training.py").write_text(TRAINING)
    return path


@pytest.fixture(scope="module")
def todo(folder: Path) -> Callable[..., Any]:
    """Run the command for a backend; return its JSON value. A run takes seconds, so each is kept."""

    @functools.cache
    def run(backend: str, *words: str, status: int = 0) -> Any:
        command = [sys.executable, "-m", "polytape", "todo", backend, "--module", backend, "--json", *words]
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert result.returncode == status, result.stderr
        return json.loads(result.stdout)

    return run


def by_op(entries: Any) -> dict[str, Any]:
    return {entry["op"]: entry for entry in entries}


def test_the_missing_primitives_are_listed_with_signature_and_what_each_unlocks(todo: Callable[..., Any]) -> None:
    facts = todo("mini", *RUN)
    entries = by_op(facts["missing"])
    primitives = {name for name, op in tables.ops().items() if op.primitive}
    assert set(entries) == primitives - {"add", "multiply", "full"} and facts["primitives"] == len(primitives)
    assert entries["sum"]["kernel"] == "sum(x, *, axis=None, dtype, keepdims=False)"
    assert entries["exp"]["dtypes"] == ["real floating"] and entries["sum"]["dtypes"] == ["any"]
    assert entries["concat"]["kernel"] == "concat(*arrays, axis=0)"
    assert {"softmax", "log_softmax"} <= set(entries["exp"]["unlocks"]) and entries["exp"]["summary"]
    assert "relu" in entries["maximum"]["alone"] and "softmax" not in entries["exp"]["alone"]
    assert "relu" not in entries["exp"]["unlocks"]
    assert max(len(entry["unlocks"]) for entry in facts["missing"]) > 20


@pytest.mark.slow
def test_an_op_that_the_backend_has_a_kernel_for_needs_nothing(todo: Callable[..., Any]) -> None:
    facts = todo("more")
    entries = by_op(facts["missing"])
    assert "softmax" not in entries["exp"]["unlocks"] and "log_softmax" in entries["exp"]["unlocks"]
    # Without a program, those that most ops need come first.
    assert entries["exp"]["calls"] is None and entries["exp"]["time_s"] is None and "ranked" not in facts
    counts = [len(entry["unlocks"]) for entry in facts["missing"]]
    assert counts == sorted(counts, reverse=True) and counts[0] > 1


def test_what_a_program_needs_is_ranked_by_the_time_that_kernels_would_save(todo: Callable[..., Any]) -> None:
    facts = todo("mini", *RUN)
    calls = {entry["op"]: entry["calls"] for entry in facts["missing"]}
    assert calls["exp"] == calls["max"] == calls["sum"] == 3 and calls["expm1"] == 1 and calls["log"] == 0
    for entries in (facts["missing"], facts["ranked"]):
        times = [entry["time_s"] for entry in entries]
        assert times == sorted(times, reverse=True) and times[0] > 0
    ranked = by_op(facts["ranked"])
    assert ranked["softmax"]["calls"] == 3 and ranked["softmax"]["how"] == "body" and ranked["exp"]["how"] == "host"
    assert ranked["softmax"]["time_s"] > ranked["exp"]["time_s"] + ranked["sum"]["time_s"]
    assert 0 < ranked["softmax"]["share"] < 1 and facts["program_time_s"] > ranked["softmax"]["time_s"]
    assert "add" not in ranked and facts["program_error"] == ""


@pytest.mark.slow
def test_a_program_that_fails_is_reported_with_what_it_needed_until_then(todo: Callable[..., Any]) -> None:
    facts = todo("mini", "--program", "training.py", status=1)
    ranked = by_op(facts["ranked"])
    assert ranked["mish"]["calls"] == 1 and ranked["softmax"]["calls"] >= 2
    assert facts["program_error"].startswith("training.py failed, so later calls are not counted: ZeroDivisionError")


def test_the_text_and_the_errors_of_a_user(child: Child, folder: Path, todo: Callable[..., Any]) -> None:
    facts = todo("mini", *RUN)
    lines = module.text(facts).splitlines()
    assert re.fullmatch(r"The program ran \S+ s. What a kernel for each op would save at most:", lines[0])
    assert any(re.fullmatch(r" +\S+ s +\S+%        3 calls  exp\(x\), on the host", line) for line in lines)
    start = lines.index(f"mini has kernels for 3 of {facts['primitives']} primitives.")
    at = lines.index("exp(x), for real floating dtypes  (3 calls)", start)
    assert lines[at + 1] == "    ``e ** x``, elementwise." and lines[at + 2].startswith("    needed by ")
    assert child(["-m", "polytape", "todo", "numpy"]).stdout.startswith("numpy has kernels for ")
    result = child(["-m", "polytape", "todo", "numpy", "--program", str(folder / "program.py"), "--epochs", "3"])
    assert result.stdout.splitlines()[0].endswith("all ops that it needs have kernels.")
    assert result.stderr == "arguments: ['--epochs', '3']\n"
    result = child(["-m", "polytape", "todo", "numpy", str(folder / "program.py")])
    assert result.stderr == "arguments: []\n" and "all ops that it needs have kernels" in result.stdout
    for words, text in (
        (["mimi", "--module", "mini"], "did you mean 'mini'?"),
        (["mini", "--module", "absent"], "--module absent cannot be imported: ModuleNotFoundError"),
        (["mini", "--module", "mini", "--program", "absent.py"], "program absent.py: there is no such file"),
        (["mini", "absent.py", "--module", "mini"], "program absent.py: there is no such file"),
    ):
        errors = child(["-m", "polytape", "todo", *words], folder, status=1).stderr
        assert text in errors and "Traceback" not in errors
