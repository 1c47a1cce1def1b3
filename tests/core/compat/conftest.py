"""Each test runs a program in its own process, because eager execution is enabled for the whole process."""

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
    """Run a program after ``from polytape.compat import tf1 as tf, tfe``, and return what it printed."""

    def run(code: str) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("POLYTAPE_")}
        completed = subprocess.run(
            [sys.executable, "-W", "error", "-c", IMPORTS + textwrap.dedent(code)],
            capture_output=True, text=True, encoding="utf-8", env=environment, timeout=120,
        )  # fmt: skip
        assert completed.returncode == 0, completed.stdout + completed.stderr
        return completed.stdout

    return run
