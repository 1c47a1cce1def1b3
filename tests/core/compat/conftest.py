"""Enabling eager execution is for the whole process, so each of these tests has one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest

Program = Callable[[str], str]

IMPORTS = "from polytape.compat import tf1 as tf, tfe\nimport numpy as np\n"


@pytest.fixture
def program() -> Program:
    """Run a program after ``from polytape.compat import tf1 as tf, tfe``; gives what it printed."""

    def run(code: str) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("POLYTAPE_")}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", IMPORTS + textwrap.dedent(code)],
            capture_output=True, text=True, encoding="utf-8", env=environment, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
