"""Training, layers, losses and data give what TensorFlow 1.7.0 itself gave for the same program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent / "data"
RECORDER = Path(__file__).parents[2] / "record_tensorflow_training.py"
# float32 results of long sums differ in the last digits, and so do the 6 digits that are recorded.
TOLERANCE = {"float32": 3e-5, "float64": 2e-6}


def differs(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict) and isinstance(found, dict):
        if (found["shape"], found["dtype"]) != (wanted["shape"], wanted["dtype"]):
            return True
        near = TOLERANCE.get(wanted["dtype"], 0.0)
        return not np.allclose(found["values"], wanted["values"], rtol=near, atol=near, equal_nan=True)
    return bool(found != wanted)


def test_a_program_gives_what_tensorflow_gave() -> None:
    program = [sys.executable, "-W", "error", str(RECORDER), str(DATA / "training_cases.txt"), "polytape"]
    completed = subprocess.run(program, capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert completed.returncode == 0, completed.stderr
    found = json.loads(completed.stdout)
    wanted = json.loads((DATA / "training.json").read_text(encoding="utf-8"))
    assert len(wanted) > 230 and [record[0] for record in found] == [record[0] for record in wanted]
    problems = [
        f"{record[0]}: {ours} instead of {theirs}"
        for record, other in zip(wanted, found, strict=True)
        for theirs, ours in zip(record[1:], other[1:], strict=True)
        if differs(ours, theirs)
    ]
    assert not problems, "\n".join(problems)
