"""Checkpoints of eager programs are restored in sessions, and those of sessions in eager programs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).parent / "moving_checkpoints.py"


def run(mode: str, *actions: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(PROGRAM), mode, *actions],
        capture_output=True, text=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_training_goes_on_in_the_other_mode_as_in_the_same(tmp_path: Path) -> None:
    eager, graph = tmp_path / "eager", tmp_path / "graph"
    (saved,) = run("eager", f"save:{eager}")
    also_saved, *loaded = run("graph", f"save:{graph}", f"load:{eager}", f"load:{graph}", f"named:{eager}")
    back = run("eager", f"load:{graph}", f"load:{eager}", f"named:{graph}")
    assert saved == also_saved == loaded[0] == loaded[1] == back[0] == back[1]
    assert saved[-1][1] == 5
    # By name, only the model is restored: the optimizer and the step begin again.
    assert loaded[2] == back[2] != saved
    assert loaded[2][-1][1] == 2
