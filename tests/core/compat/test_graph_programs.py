"""Graph programs print what TensorFlow 1.7.0 itself printed for them."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).parent / "data"
RECORDER = Path(__file__).parents[2] / "record_tensorflow_graphs.py"
WANTED: dict[str, str] = dict(json.loads((DATA / "graph_programs.json").read_text(encoding="utf-8")))
ERROR = re.compile(r"^(?:ends with )?([\w|]+): ")
NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d*(?:e[-+]?\d+)?")


@functools.cache
def printed() -> dict[str, str]:
    """What the programs print here, by title."""
    command = [sys.executable, "-W", "error", str(RECORDER), str(DATA / "graph_programs.txt"), "polytape"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def with_errors_of(wanted: str, found: str) -> str:
    """``found`` with the error that was wanted in each line that has an error of that class.

    The texts of polytape's own errors are tested elsewhere; those of TensorFlow's classes alone stay as they are.
    """
    lines = found.splitlines()
    for place, (line, other) in enumerate(zip(lines, wanted.splitlines(), strict=False)):
        classes, name = ERROR.search(line), ERROR.search(other)
        if classes and name and name[1] in classes[1].split("|"):
            ours = "PolytapeError" in classes[1]
            lines[place] = other if ours else line.replace(classes[1], name[1], 1)
    return "\n".join(lines)


def agrees(found: str, wanted: str) -> bool:
    """Whether two texts differ only in the last digits of numbers, in spaces, and in the texts of errors."""
    found = with_errors_of(wanted, found)
    if "".join(NUMBER.sub("#", found).split()) != "".join(NUMBER.sub("#", wanted).split()):
        return False
    ours, theirs = ([float(x) for x in NUMBER.findall(text)] for text in (found, wanted))
    return np.allclose(ours, theirs, rtol=3e-5, atol=3e-6)


def problems(title: str) -> str:
    """The lines of a program that differ."""
    pairs = zip(printed()[title].splitlines(), WANTED[title].splitlines(), strict=False)
    return "\n".join(f"{found}\ninstead of\n{wanted}" for found, wanted in pairs if not agrees(found, wanted))


def test_all_programs_have_run() -> None:
    assert list(printed()) == list(WANTED) and len(WANTED) > 35


@pytest.mark.parametrize("title", WANTED)
def test_a_graph_program_prints_what_tensorflow_printed(title: str) -> None:
    assert agrees(printed()[title], WANTED[title]), problems(title)
