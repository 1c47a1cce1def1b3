"""`polytape perf init`: in the repository of a backend, its files work at once, and nothing is overwritten."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import polytape as pt
from polytape.cli import main
from polytape.cli.new_backend import files as new_files
from polytape_perf.cases import CASES, known
from polytape_perf.suite import families


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository of a new backend."""
    for name, text in new_files("toy", "numpy-like").items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_files_are_written_once_and_kept(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["perf", "init"]) == 0
    written = capsys.readouterr().out.split()
    assert "perf_cases.py" in written and "pyproject.toml" in written
    workflow = (repository / ".github" / "workflows" / "performance.yml").read_text(encoding="utf-8")
    assert "BACKEND: toy\n" in workflow and "@" not in workflow.replace("actions/", "").split("jobs:")[0]
    assert json.loads((repository / "asv_bench" / "asv.conf.json").read_text(encoding="utf-8"))["project"]
    (repository / "perf_cases.py").write_text("mine", encoding="utf-8")
    assert main(["perf", "init"]) == 0
    assert capsys.readouterr().out == "everything is there already\n"
    assert (repository / "perf_cases.py").read_text(encoding="utf-8") == "mine"


def test_the_cases_of_its_own_are_measured_beside_the_others(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["perf", "init"]) == 0
    found = known(str(repository / "perf_cases.py"))
    assert [case.name for case in found[len(CASES) :]] == ["own/cumulative_sum"]
    with pt.device("numpy:cpu"):
        found[-1].make("numpy:cpu")()
    classes = families(str(repository / "perf_cases.py"))
    assert {"Dispatch", "Training", "Own"} <= set(classes)
    assert "numpy:cpu" in classes["Own"].params[0] and classes["Own"].params[1] == ("cumulative_sum",)


@pytest.mark.parametrize("text", ["CASES = []", "x = 1", "raise OSError('no')", "CASES = [('dispatch/add', print)]"])
def test_a_file_that_lists_no_cases_of_its_own_is_an_error(
    text: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["perf", "init"]) == 0
    (repository / "perf_cases.py").write_text(text, encoding="utf-8")
    assert main(["perf", "gate", "HEAD"]) == 1
    assert "perf_cases.py cannot be loaded" in capsys.readouterr().err
    (repository / "perf_cases.py").unlink()
    assert main(["perf", "gate", "HEAD"]) == 1
    assert "perf_cases.py does not exist" in capsys.readouterr().err


def test_a_repository_without_a_backend_is_an_error(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "pyproject.toml").write_text('[project]\nname = "other"\n', encoding="utf-8")
    assert main(["perf", "init"]) == 1
    assert "polytape new-backend" in capsys.readouterr().err
