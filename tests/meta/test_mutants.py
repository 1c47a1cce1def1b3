"""The tool that measures which faults in kernels the conformance kit detects."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "tools"))

import mutate_kernels  # noqa: E402  its folder is on the path only now
from mutant_report import reason_of, reasons  # noqa: E402  as above
from mutations import mutations  # noqa: E402  as above

SOURCE = '''
"""A module."""

from typing import Any

__all__ = ["kernels"]
Array = Any


def clip(x: Array, *, low: int = 0) -> Array:
    """What it says."""
    if x.ndim < 1:
        raise ValueError(f"rank {x.ndim}")
    y = maximum(x, low)
    y += 0.5
    return y.astype("float32")
'''
EXPECTED = [
    "clip: def clip(x: Array, *, low: {int=0 => int=1})",
    "clip: if {x.ndim < 1 => True}:",
    "clip: if {x.ndim < 1 => False}:",
    "clip: if x.ndim {< => <=} 1:",
    "clip: if x.ndim {< => >=} 1:",
    "clip: if x.ndim < {1 => 2}:",
    "clip: if x.ndim < {1 => 0}:",
    "clip: y = maximum({x, low => low, x})",
    "clip: y = maximum({x, low => x})",
    "clip: y {+= => -=} 0.5",
    "clip: y += {0.5 => 0.505}",
    "clip: return {y.astype('float32') => y}",
    "clip: return y.astype('{float32 => float64}')",
    "clip: {y += 0.5 => left out}",
    "clip: {raise ValueError(f'rank {x.ndim}') => left out}",
]


def test_faults_are_made_in_code_but_not_in_types_texts_and_errors() -> None:
    assert [mutation.text for mutation in mutations(ast.parse(SOURCE))] == EXPECTED


def test_a_mutation_is_undone() -> None:
    tree = ast.parse(SOURCE)
    for mutation in mutations(tree):
        before = mutation.apply()
        assert ast.unparse(tree) != ast.unparse(ast.parse(SOURCE)), mutation.text
        mutation.revert(before)
        assert ast.unparse(tree) == ast.unparse(ast.parse(SOURCE)), mutation.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each mutant runs in a fork")
def test_the_kit_detects_every_mutant_of_the_predicates(tmp_path: Path) -> None:
    command = [sys.executable, str(CHECKOUT / "tools" / "mutate_kernels.py"), "--results", str(tmp_path), "predicates"]
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    results = json.loads((tmp_path / "predicates.json").read_text(encoding="utf-8"))
    assert (results["total"], results["survivors"]) == (5, [])
    assert results["killed"] == {"check_value_dtype_and_shape": 3, "loading": 2}


def test_every_reason_names_a_module_and_a_kind() -> None:
    kernels = CHECKOUT / "backends" / "numpy" / "polytape_numpy" / "kernels"
    for entry in reasons():
        assert entry["file"] == "*" or (kernels / f"{entry['file'].replace('.', '/')}.py").is_file(), entry
        assert entry["kind"] in ("same", "unseen") and entry["why"].endswith("."), entry
        assert entry.keys() & {"mutants", "patterns"} and entry.keys() <= {"file", "kind", "why", "mutants", "patterns"}


ENTRIES: list[dict[str, Any]] = [
    {"file": "*", "patterns": [r"module: _LARGE: Final = \{\d+ => \d+\}", r".*\badd\(\{(\w+), (\w+) => \2, \1\}.*"]},
    {"file": "padding", "mutants": ["pad: if {x "]},
]


@pytest.mark.parametrize(
    ("name", "text", "position"),
    [
        ("padding", "module: _LARGE: Final = {4096 => 4097}", 0),
        ("sorting", "f: y = add({a, b => b, a})", 0),
        ("sorting", "f: y = add({a, b => b, b})", -1),
        ("sorting", "f: module: _LARGE: Final = {4096 => 4097}", -1),  # a pattern matches the whole text
        ("padding", "pad: if {x => True}:", 1),
        ("sorting", "pad: if {x => True}:", -1),
    ],
)
def test_a_reason_serves_its_module_or_all_modules(name: str, text: str, position: int) -> None:
    assert reason_of(ENTRIES, name, text) == position


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each mutant runs in a fork")
def test_mutants_that_have_a_reason_are_not_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unjudged:
        source = "x = 1"

        def __init__(self, name: str) -> None:
            self.judged: list[str] = []
            built.append(self)

        def measure(self) -> list[str]:
            return []

        def judge(self, tree: Any, mutation: Any) -> str:
            self.judged.append(mutation.text)
            return "crash"

    built: list[Unjudged] = []
    monkeypatch.setattr(mutate_kernels, "Family", Unjudged)
    first, second = "module: x = {1 => 2}", "module: x = {1 => 0}"
    earlier = {"every": 1, "killed": {}, "survivors": [first, second]}
    results = mutate_kernels.run_family("predicates", earlier, skipped=[first])
    assert built[0].judged == [second]
    assert (results["survivors"], results["killed"]) == ([first], {"crash": 1})
