"""What a type checker sees at a call site: the signatures of the declarations."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
ROOTS = ("core", "backends/numpy", "backends/numba", "backends/cupy")
PROGRAM = """
import polytape as pt

x = pt.asarray([1.0, 2.0])
"""
RIGHT = [
    "pt.maximum(x, 0.0)",
    "pt.add(x, x)",
    "y: pt.Tensor = 2.0 * x + 1",
    "pt.sum(x, axis=0, keepdims=True)",
    "pt.reshape(x, (2, 1))",
    "pt.concat([x, x], axis=0)",
    "pt.nn.softmax(x, axis=-1)",
    "pt.astype(x, pt.float64)",
    "z: pt.Tensor = pt.exp(x)[0]",
    "w: pt.Tensor = pt.tanh(pt.ones((2,)))",
    "v = pt.Variable(1.0); v.assign_add(x[0])",
]
WRONG = {
    "pt.sum(x, axes=0)": "axes",
    "pt.maximum(x, 'zero')": "str",
    "pt.exp()": "exp|argument",
    "pt.exp(x, x)": "[Tt]oo many",
    "pt.nn.relu(x, -1)": "[Tt]oo many",
    "pt.reshape(x, 'flat')": "str",
    "pt.matmul(x, object())": "object",
    "n: int = pt.exp(x)": "Tensor",
    "pt.summ(x)": "has no attribute",
    "pt.nn.relau(x)": "has no attribute",
}


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[str]]:
    """mypy's errors on one program that holds every line above: line number -> messages."""
    path = tmp_path_factory.mktemp("types") / "program.py"
    path.write_text(PROGRAM + "\n".join([*RIGHT, *WRONG]) + "\n", encoding="utf-8")
    variables = {**os.environ, "MYPYPATH": os.pathsep.join(str(CHECKOUT / root) for root in ROOTS)}
    # Its own cache: a check of the whole tree may run at the same time, with other options.
    options = [
        "--strict",
        "--config-file=",
        "--always-false=COMPILING",
        f"--cache-dir={CHECKOUT / '.mypy_cache' / 'call-sites'}",
    ]
    command = [sys.executable, "-m", "mypy", *options, "--no-error-summary", "--follow-imports=silent", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=variables, cwd=path.parent)
    assert result.returncode in (0, 1), result.stdout + result.stderr
    found: dict[int, list[str]] = {}
    for line in result.stdout.splitlines():
        match = re.match(r"program\.py:(\d+): error: (.*)", line)
        if match:
            found.setdefault(int(match[1]), []).append(match[2])
    return found


def line_of(statement: str) -> int:
    """The statement's line number in the program."""
    return PROGRAM.count("\n") + 1 + [*RIGHT, *WRONG].index(statement)


@pytest.mark.parametrize("statement", RIGHT)
def test_a_right_call_passes_mypy_strict(statement: str, findings: dict[int, list[str]]) -> None:
    assert line_of(statement) not in findings, findings[line_of(statement)]


@pytest.mark.parametrize("statement", WRONG)
def test_a_wrong_call_is_an_error_of_mypy(statement: str, findings: dict[int, list[str]]) -> None:
    messages = findings.get(line_of(statement), [])
    assert messages, f"mypy accepts {statement}"
    assert re.search(WRONG[statement], " ".join(messages)), messages


def test_the_head_of_the_program_is_right(findings: dict[int, list[str]]) -> None:
    assert not [line for line in findings if line <= PROGRAM.count("\n")], findings
