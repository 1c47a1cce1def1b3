"""What the documentation shows runs, and the reference page lists what is public."""

from __future__ import annotations

import ast
import doctest
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

CHECKOUT = Path(__file__).parents[2]
SOURCES = sorted(path for root in ("core", "backends") for path in (CHECKOUT / root).rglob("*.py"))
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
REFERENCE = CHECKOUT / "docs" / "api"
# The public namespaces that the reference pages list.
NAMESPACES = ("pt", "pt.nn", "pt.optim", "pt.random", "pt.autodiff", "pt.data", "pt.training")
# A page's python blocks run in order as one program; ```python no-run <reason> shows one that cannot run.
FENCE = re.compile(r"^```python *([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# What a page says its blocks before it print; the file and line of an equation in a graph are left out.
PRINTED = re.compile(r"^prints\n\n```text\n(.*?)^```", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r" *# \S+\.py:\d+$", re.MULTILINE)


def title(path: Path) -> str:
    """A test's name for a file."""
    return path.relative_to(CHECKOUT).as_posix()


def docstrings() -> Iterator[tuple[Path, str, int, str]]:
    """Each docstring with an example: read from the sources, since compiled functions keep none."""
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        if ">>>" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                found = ast.get_docstring(node)
                if found and ">>>" in found:
                    yield path, getattr(node, "name", path.stem), getattr(node, "lineno", 1), found


EXAMPLES = list(docstrings())


@pytest.mark.parametrize(("path", "name", "line", "text"), EXAMPLES, ids=[f"{title(e[0])}:{e[1]}" for e in EXAMPLES])
def test_a_docstring_s_example_prints_what_it_says(path: Path, name: str, line: int, text: str) -> None:
    names = {"np": np, "pt": importlib.import_module("polytape")}
    test = doctest.DocTestParser().get_doctest(text, names, name, str(path), line)
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)


def program(page: Path) -> str:
    """The page's python blocks as one program, each line at its line number in the page."""
    text = page.read_text(encoding="utf-8")
    lines: list[str] = []
    for fence in FENCE.finditer(text):
        if fence[1].startswith("no-run"):
            continue
        lines += [""] * (text.count("\n", 0, fence.start(2)) - len(lines))
        lines += fence[2].splitlines()
    return "\n".join(lines)


@pytest.mark.parametrize("page", [page for page in PAGES if page.exists() and program(page)], ids=title)
def test_a_page_s_python_blocks_run_as_one_program(page: Path, tmp_path: Path) -> None:
    script = tmp_path / "page.py"
    script.write_text(program(page) + "\n", encoding="utf-8")
    env = {**os.environ, "MPLBACKEND": "Agg"}
    command = [sys.executable, "-W", "error", str(script)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=env)
    assert result.returncode == 0, f"{title(page)} (line numbers are the page's):\n{result.stderr}"
    printed = PLACE.sub("", result.stdout)
    for block in PRINTED.finditer(page.read_text(encoding="utf-8")):
        assert PLACE.sub("", block[1]) in printed, (
            f"{title(page)} says that it prints\n{block[1]}but it prints\n{printed}"
        )


@pytest.mark.parametrize("page", [page for page in PAGES if page.exists()], ids=title)
def test_a_block_that_does_not_run_says_why(page: Path) -> None:
    marks = [fence[1] for fence in FENCE.finditer(page.read_text(encoding="utf-8")) if fence[1]]
    bad = [mark for mark in marks if not re.match(r"no-run \w{2}", mark)]
    assert not bad, f"{title(page)}: {bad}"


@pytest.mark.parametrize("page", [page for page in PAGES if page.exists()], ids=title)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    bad = [link for link in links if link and "://" not in link and not (page.parent / link).exists()]
    assert not bad, f"{title(page)}: {bad}"


def test_every_path_that_contributing_names_exists() -> None:
    text = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = [path for path in re.findall(r"`((?:core|backends|docs|tools|tests|asv_bench|examples)/[^` *]*)`", text)]
    paths = [path.replace("<family>", "arithmetic").replace("<name>", "numpy") for path in named]
    braces = [part for path in paths for part in _expanded(path)]
    missing = [path for path in braces if not (CHECKOUT / path).exists()]
    assert len(braces) > 15 and not missing


def _expanded(path: str) -> list[str]:
    """A path with ``{a,b}`` as one path per alternative."""
    match = re.fullmatch(r"(.*)\{(.*)\}(.*)", path)
    return [path] if match is None else [f"{match[1]}{part}{match[3]}" for part in match[2].split(",")]


def found(name: str) -> Any:
    """What `pt.some.name` is, None if there is no such thing."""
    value: Any = importlib.import_module("polytape")
    for part in name.split(".")[1:]:
        value = getattr(value, part, None)
    return value


def public_names(namespace: str) -> list[str]:
    """A namespace's `__all__`."""
    return list(found(namespace).__all__)


def reference() -> str:
    """The text of the reference pages."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(REFERENCE.rglob("*.md")))


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_every_public_name_is_on_the_reference_page(namespace: str) -> None:
    listed = set(re.findall(r"`((?:pt\.)[\w.]+)", reference()))
    missing = [name for name in public_names(namespace) if f"{namespace}.{name}" not in listed]
    assert not missing, f"not in docs/api as `{namespace}.<name>`: {missing}"


def test_every_name_on_the_reference_page_exists() -> None:
    names = sorted(set(re.findall(r"`(pt\.[\w.]*\w)", reference())))
    bad = [name for name in names if found(name) is None and name != "pt.newaxis"]  # which is None
    assert not bad, bad


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_all_lists_what_is_there_once(namespace: str) -> None:
    names = public_names(namespace)
    assert len(names) == len(set(names))
    missing = [name for name in names if not hasattr(found(namespace), name)]
    assert not missing, f"in __all__ of {namespace} but not there: {missing}"
