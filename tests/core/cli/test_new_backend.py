"""`polytape new-backend`: the distribution that it makes is clean, uses only the public contract, and is green."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import polytape
import polytape_numpy
from polytape.cli import main
from polytape.cli.new_backend import KINDS, files
from polytape.registry import tables

Child = Callable[..., "CompletedProcess[str]"]

# What polytape's author's guide lets a plugin import, and its tests.
PUBLIC = {
    "polytape", "polytape.backend", "polytape.device", "polytape.dtypes", "polytape.errors", "polytape.plugins",
    "polytape.testing", "polytape.testing.suite", "polytape_numpy.kernels",
}  # fmt: skip
LONGEST = "z" + "9" * 39


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_are_made_once_and_never_overwritten(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new-backend", "my_fast-one", "--kind", kind]) == 0
    printed = capsys.readouterr().out
    assert "cd polytape-my-fast-one" in printed and "polytape conformance my_fast-one" in printed
    folder = tmp_path / "polytape-my-fast-one"
    made = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert made == set(files("my_fast-one", kind))
    assert {"pyproject.toml", "README.md", "conftest.py", ".gitignore", ".github/workflows/tests.yml"} <= made
    assert {"polytape_my_fast_one/plugin.py", "polytape_my_fast_one/py.typed", "tests/test_conformance.py"} <= made
    (folder / "README.md").write_text("mine", encoding="utf-8")
    assert main(["new-backend", "my_fast-one", "--kind", kind]) == 1
    assert "polytape-my-fast-one exists already" in capsys.readouterr().err
    assert (folder / "README.md").read_text(encoding="utf-8") == "mine"
    assert main(["new-backend", "my_fast-one", "--folder", "elsewhere/deep"]) == 0
    assert (tmp_path / "elsewhere" / "deep" / "pyproject.toml").exists()


@pytest.mark.parametrize(
    "name", ["Mine", "1st", "mine-", "mi--ne", "-mine", "mi.ne", "mi ne", "auto", "none", "z" * 41, "é", "mine\n"]
)
def test_a_name_that_does_not_work_everywhere_is_rejected(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["new-backend", "--", name]
    assert main(words) == 1
    text = capsys.readouterr().err
    assert f"{name!r} cannot be the name of a new backend" in text and "fix: choose a name" in text
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_taken_is_rejected(child: Child, tmp_path: Path) -> None:
    for name in ("numpy", "good"):
        text = child(["-m", "polytape", "new-backend", name], "good", status=1).stderr
        assert f"there is already a backend {name!r}" in text
    (tmp_path / "polytape_taken.py").write_text("")
    text = child(["-m", "polytape", "new-backend", "taken"], status=1).stderr
    assert "there is already a module polytape_taken" in text


def test_the_primitives_are_listed_in_the_kernels_of_a_device() -> None:
    text = files("mine", "device")["polytape_mine/kernels.py"]
    listed = text.split('"""')[3].split()
    assert listed == sorted(name for name, op in tables.ops().items() if op.primitive)


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_public_contract_is_imported(kind: str) -> None:
    found = 0
    for path, text in files("mine", kind).items():
        if not path.endswith(".py"):
            continue
        for node in ast.walk(ast.parse(text)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            for module in names if isinstance(node, ast.Import) else [getattr(node, "module", None)]:
                if not (module or "").startswith("polytape") or getattr(node, "level", 0):
                    continue
                found += 1
                assert module in PUBLIC, f"{path} imports {module}"
                if isinstance(node, ast.ImportFrom) and module != "polytape" and names != ["*"]:
                    assert set(names) <= set(importlib.import_module(str(module)).__all__), f"{path}: {names}"
    assert found > 4


@pytest.mark.parametrize("name", ["a", "my-fast_one", LONGEST])
@pytest.mark.parametrize("kind", KINDS)
def test_ruff_finds_nothing_whatever_the_name(kind: str, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    assert main(["new-backend", name, "--kind", kind, "--folder", str(folder)]) == 0
    for words in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        result = subprocess.run([sys.executable, "-m", "ruff", *words, "."], cwd=folder, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.slow  # a virtual environment, a build and mypy for each kind: 60 s
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_distribution_installs_and_its_tests_pass(kind: str, tmp_path: Path) -> None:
    folder, place = tmp_path / "made", tmp_path / "venv"
    assert main(["new-backend", "mine", "--kind", kind, "--folder", str(folder)]) == 0
    venv.create(place, with_pip=False, symlinks=os.name != "nt")
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("POLYTAPE_", "PYTEST_"))}

    def run(*words: str) -> str:
        command = [str(python), *words]
        result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    site = Path(run("-c", "import sysconfig as s; print(s.get_path('purelib'))").strip())
    # polytape and what it depends on are found where this process finds them, by folders after the environment's own.
    roots = {str(Path(str(module.__file__)).parents[1]) for module in (polytape, polytape_numpy)}
    paths = [*sorted(roots - {sysconfig.get_path("purelib")}), sysconfig.get_path("purelib")]
    (site / "dependencies.pth").write_text("\n".join(paths) + "\n", encoding="utf-8")
    run("-m", "pip", "install", "--no-build-isolation", "--no-deps", "--no-index", "-e", ".")
    printed = run("-m", "pytest", "-q", "-k", "test_plugin or capabilities or memory or [add- or [exp- or [svd-")
    assert "passed" in printed and "failed" not in printed
    environment["MYPYPATH"] = os.pathsep.join(paths[:-1])
    assert "no issues found" in run("-m", "mypy", "--cache-dir", str(tmp_path / "cache"))
