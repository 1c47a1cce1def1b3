"""The notebook: its cells run from top to bottom, and it is stored without outputs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "examples" / "first_steps.ipynb"
CELLS = [cell for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


def test_it_is_stored_without_outputs() -> None:
    assert len(CELLS) > 5
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in CELLS)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_its_cells_run_from_top_to_bottom(tmp_path: Path, backend: str) -> None:
    # A file per cell: an error shows the cell's line, and functions have source lines, as in Jupyter.
    program = []
    for number, cell in enumerate(CELLS):
        path = tmp_path / f"cell_{number}.py"
        path.write_text("".join(cell["source"]), encoding="utf-8")
        program.append(f"exec(compile(open({str(path)!r}, encoding='utf-8').read(), {str(path)!r}, 'exec'))")
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", "-c", "\n".join(program)],
        env={**os.environ, "POLYTAPE_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "[[ 2  6]\n [12 20]]" in done.stdout
    assert float(done.stdout.partition("accuracy ")[2].split()[0]) > 0.9
