"""The same program gives the same numbers with and without the line that enables eager execution."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "both_modes.py"


@pytest.mark.parametrize("backend", ["numpy", "sim"])
def test_programs_give_the_same_numbers_in_both_modes(backend: str) -> None:
    pytest.importorskip(f"polytape_{backend}")
    found = []
    for mode in ("eager", "graph"):
        done = subprocess.run(
            [sys.executable, "-W", "error", str(PROGRAM), mode],
            capture_output=True, text=True, encoding="utf-8", env={**os.environ, "POLYTAPE_BACKEND": backend},
            timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    eager, graph = found
    assert len(eager) > 5 and list(eager) == list(graph)
    assert not [name for name in eager if eager[name] != graph[name]]
