"""Every cell of two introductions to eager execution prints what the documents show."""

from __future__ import annotations

import functools
import json
import re
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "seed_cells.py"
DOCUMENTS = runpy.run_path(str(PROGRAM))["DOCUMENTS"]
CELLS = [
    pytest.param(document, index, id=f"{document}-{title}")
    for document, cells in DOCUMENTS.items()
    for index, (title, _, _) in enumerate(cells)
]


@functools.cache
def outcomes(document: str, backend: str) -> list[dict[str, str]]:
    """What the cells of a document printed, run in order in one process."""
    with tempfile.TemporaryDirectory() as folder:
        completed = subprocess.run(
            [sys.executable, str(PROGRAM), document, backend],
            capture_output=True, text=True, encoding="utf-8", cwd=folder, timeout=300,
        )  # fmt: skip
    assert completed.returncode == 0, completed.stderr
    found: list[dict[str, str]] = json.loads(completed.stdout)
    return found


@pytest.mark.parametrize("backend", ["numpy", "numba", "sim"])
@pytest.mark.parametrize(("document", "index"), CELLS)
def test_a_cell_prints_what_the_document_shows(document: str, index: int, backend: str) -> None:
    pytest.importorskip(f"polytape_{backend}")
    found, (_, _, wanted) = outcomes(document, backend)[index], DOCUMENTS[document][index]
    assert not found["error"], found["error"]
    assert re.fullmatch(wanted, found["printed"]), found["printed"]
