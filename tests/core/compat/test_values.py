"""Values, dtypes, shapes and errors are those that TensorFlow 1.7.0 itself gave: eager and in sessions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize("program", ["recorded", "recorded_in_graphs"])
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_expressions_give_what_tensorflow_gave(backend: str, program: str) -> None:
    pytest.importorskip(f"polytape_{backend}")
    code = (
        f"import sys, polytape as pt; sys.path.insert(0, {str(HERE)!r}); pt.set_backend({backend!r}); "
        f"import {program}; raise SystemExit({program}.main({str(HERE / 'data' / 'values.json')!r}))"
    )
    completed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", timeout=300
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
