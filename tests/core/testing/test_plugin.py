"""The kit as third parties run it: by one command, or from a test file of five lines."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COMMAND = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("POLYTAPE_", "PYTEST_"))}
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, env=environment | settings, capture_output=True, text=True, timeout=120
    )


def test_one_command_checks_a_backend(tmp_path: Path) -> None:
    arguments = ["-p", "polytape.testing.plugin", "--pyargs", "polytape.testing.suite", "--polytape-backend", "numpy"]
    completed = run(tmp_path, *arguments, "-k", "add or exp")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert "passed" in completed.stdout
    assert "skipped" not in completed.stdout


def test_a_test_file_of_five_lines_does_the_same(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["polytape.testing.plugin"]\n', encoding="utf-8")
    (tmp_path / "test_mine.py").write_text("from polytape.testing.suite import *\n", encoding="utf-8")
    completed = run(tmp_path, "-k", "softmax", "--polytape-backend", "numpy", "-vv")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert "test_errors_name_op_expectation_and_fix[softmax-numpy] PASSED" in completed.stdout


def test_a_requested_backend_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    arguments = ["-p", "polytape.testing.plugin", "--pyargs", "polytape.testing.suite", "--polytape-backend", "nummpy"]
    completed = run(tmp_path, *arguments)
    assert completed.returncode != 0
    assert "numpy" in completed.stdout + completed.stderr


def test_an_unusable_backend_is_one_skipped_test_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["polytape.testing.plugin"]\n', encoding="utf-8")
    (tmp_path / "test_mine.py").write_text("def test_it(case, backend):\n    pass\n", encoding="utf-8")
    completed = run(tmp_path, "-rs", NUMBA_DISABLE_JIT="1")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert "SKIPPED [1] test_mine.py: numba is import-failed: " in completed.stdout
