"""`polytape todo`: the primitives that a backend has no kernel for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from polytape.registry import tables

Child = Callable[..., "CompletedProcess[str]"]

MODULE = """
import numpy as np, polytape as pt
from polytape_numpy.kernels import build
HAVE = ({ops!r}).split()
pt.register_backend(pt.Backend(
    name="mini", devices=lambda: [("mini", 1)], array_type=np.ndarray, from_host=lambda a, d: np.array(a),
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


@pytest.fixture
def todo(child: Child, tmp_path: Path) -> Callable[..., Any]:
    """Run the command for a backend with these ops; return its JSON value."""

    def run(ops: str, *words: str, status: int = 0) -> Any:
        (tmp_path / "mini.py").write_text(MODULE.format(ops=ops))
        (tmp_path / "program.py").write_text(PROGRAM)
        command = ["-m", "polytape", "todo", "mini", "--module", "mini", "--json", *words]
        return json.loads(child(command, status=status).stdout)

    return run


def by_op(facts: Any) -> dict[str, Any]:
    return {entry["op"]: entry for entry in facts["missing"]}


def test_the_missing_primitives_are_listed_with_signature_and_what_each_unlocks(todo: Callable[..., Any]) -> None:
    facts = todo("add multiply full")
    entries = by_op(facts)
    primitives = {name for name, op in tables.ops().items() if op.primitive}
    assert set(entries) == primitives - {"add", "multiply", "full"} and facts["primitives"] == len(primitives)
    assert entries["sum"]["kernel"] == "sum(x, *, axis=None, dtype, keepdims=False)"
    assert entries["concat"]["kernel"] == "concat(*arrays, axis=0)"
    assert {"softmax", "log_softmax"} <= set(entries["exp"]["unlocks"])
    assert "relu" in entries["maximum"]["alone"] and "softmax" not in entries["exp"]["alone"]
    assert "relu" not in entries["exp"]["unlocks"]
    assert entries["exp"]["calls"] is None and entries["exp"]["summary"]
    counts = [len(entry["unlocks"]) for entry in facts["missing"]]
    assert counts == sorted(counts, reverse=True) and counts[0] > 1


def test_an_op_that_the_backend_has_a_kernel_for_needs_nothing(todo: Callable[..., Any]) -> None:
    entries = by_op(todo("softmax max subtract divide sum stop_gradient"))
    assert "softmax" not in entries["exp"]["unlocks"]
    assert entries["exp"]["unlocks"] == [] or "softmax" not in entries["exp"]["unlocks"]
    assert "log_softmax" in entries["exp"]["unlocks"]


def test_what_a_program_needs_comes_first_ranked_by_calls(todo: Callable[..., Any]) -> None:
    facts = todo("add multiply full", "--program", "program.py", "--epochs", "3")
    calls = {entry["op"]: entry["calls"] for entry in facts["missing"]}
    assert calls["exp"] == calls["max"] == calls["sum"] == 3 and calls["expm1"] == 1 and calls["log"] == 0
    ranked = [entry["calls"] for entry in facts["missing"]]
    assert ranked == sorted(ranked, reverse=True) and facts["program_error"] == ""


def test_a_program_that_fails_is_reported_with_what_it_needed_until_then(
    todo: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "failing.py").write_text("import polytape as pt\npt.exp(pt.ones((2,)))\n1 / 0\n")
    facts = todo("add full", "--program", "failing.py", status=1)
    assert by_op(facts)["exp"]["calls"] == 1
    assert facts["program_error"].startswith("failing.py failed, so later calls are not counted: ZeroDivisionError")


def test_the_text_and_the_errors_of_a_user(child: Child, tmp_path: Path) -> None:
    (tmp_path / "mini.py").write_text(MODULE.format(ops="add multiply full"))
    (tmp_path / "program.py").write_text(PROGRAM)
    start = ["-m", "polytape", "todo", "mini", "--module", "mini"]
    result = child([*start, "--program", "program.py", "--epochs", "3"])
    assert result.stdout.startswith("mini has kernels for 3 of ")
    assert "\nexp(x)  (3 calls)\n    ``e ** x``, elementwise.\n    needed by " in result.stdout
    assert result.stderr == "arguments: ['--epochs', '3']\n"
    assert child(["-m", "polytape", "todo", "numpy"]).stdout.startswith("numpy has kernels for ")
    for words, text in (
        (["mimi", "--module", "mini"], "did you mean 'mini'?"),
        (["mini", "--module", "absent"], "--module absent cannot be imported: ModuleNotFoundError"),
        (["mini", "--module", "mini", "--program", "absent.py"], "--program absent.py: there is no such file"),
    ):
        errors = child(["-m", "polytape", "todo", *words], status=1).stderr
        assert text in errors and "Traceback" not in errors
