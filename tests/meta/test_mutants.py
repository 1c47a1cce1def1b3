"""The tool that measures which faults in kernels the conformance kit detects."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "tools"))

from mutations import mutations  # noqa: E402  its folder is on the path only now

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
    entries = tomllib.loads((CHECKOUT / "tools" / "mutants.toml").read_text(encoding="utf-8"))["reason"]
    kernels = CHECKOUT / "backends" / "numpy" / "polytape_numpy" / "kernels"
    for entry in entries:
        assert (kernels / f"{entry['file'].replace('.', '/')}.py").is_file(), entry
        assert entry["kind"] in ("same", "unseen") and entry["why"].endswith(".") and entry["mutants"], entry
