"""What holds for all examples: each is in the table and has tests, is short, and says what its options mean."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PROGRAMS = [path for path in sorted((CHECKOUT / "examples").glob("*.py")) if path.stem != "common"]
# A program of this length can be read in two minutes.
MOST_LINES = 140


@pytest.mark.parametrize("path", [*PROGRAMS, CHECKOUT / "examples" / "first_steps.ipynb"], ids=lambda path: path.name)
def test_an_example_is_in_the_table_and_has_tests(path: Path) -> None:
    table = (CHECKOUT / "examples" / "README.md").read_text(encoding="utf-8")
    assert f"| [{path.name}]({path.name}) |" in table
    assert Path(__file__).with_name(f"test_{path.stem}.py").exists()


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_a_program_is_short_and_every_option_has_a_help(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MOST_LINES
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    options = [call for call in calls if call.args and str(getattr(call.args[0], "value", "")).startswith("--")]
    assert options or "parse_args" not in text
    for option in options:
        assert "help" in {keyword.arg for keyword in option.keywords}, ast.unparse(option)


def test_run_example_lists_the_examples_if_a_name_is_mistyped() -> None:
    command = [sys.executable, str(CHECKOUT / "tools" / "run_example.py"), "--example", "char_lstn"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "invalid choice: 'char_lstn'" in done.stderr
    assert all(path.stem in done.stderr for path in PROGRAMS)
