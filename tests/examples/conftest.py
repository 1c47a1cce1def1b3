"""Fixtures: an example as a user runs it, in a process of its own from another folder, and one as a module."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import polytape as pt

EXAMPLES = Path(__file__).parents[2] / "examples"

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """``run(name, *arguments, backend="numpy")``: what an example prints; ``fails=True``: its error output."""

    def call(name: str, *arguments: str, backend: str = "numpy", fails: bool = False) -> str:
        status = {status.name: status for status in pt.backends()}.get(backend)
        if status is None or status.status != "ready":
            pytest.skip(f"{backend} is not ready")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("POLYTAPE_")},
            "POLYTAPE_BACKEND": backend,
            "MPLBACKEND": "Agg",
        }
        command = [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py"), *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, done.stderr
        assert "Traceback" not in done.stderr
        if fails:
            return done.stderr
        assert done.stderr == "" or backend == "numba"  # which says when it compiles
        return done.stdout

    return call


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """``module(name)``: an example, imported."""

    def load(name: str) -> ModuleType:
        monkeypatch.syspath_prepend(str(EXAMPLES))
        found = importlib.import_module(name)
        for each in (name, "common"):
            sys.modules.pop(each, None)  # another test may import a module of this name
        return found

    return load
