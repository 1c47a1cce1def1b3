"""The gate in the repository of a backend's author: commits get slower, lose a kernel, and lose the backend.

Each commit is built and installed into a folder by pip, as `polytape perf gate` does it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from polytape.cli import main

pytestmark = pytest.mark.slow

PYPROJECT = """
[build-system]
requires = ["setuptools>=78.1.1"]
build-backend = "setuptools.build_meta"
[project]
name = "polytape-toy"
version = "0.1"
[project.entry-points."polytape.backends.v1"]
toy = "polytape_toy.plugin"
[tool.setuptools]
packages = ["polytape_toy"]
"""
PLUGIN = """
import numpy as np
import polytape
from polytape.backend import Backend, Kernel

def exp(x):
    {work}
    return np.exp(x)

def sort(x, *, axis=-1, descending=False, stable=True):
    return np.flip(np.sort(x, axis), axis) if descending else np.sort(x, axis)

@polytape.hookimpl
def polytape_backend():
    return Backend(name="toy", extends="numpy", kernels=[{kernels}])
"""
BOTH = 'Kernel("exp", exp), Kernel("sort", sort)'
COMMITS = {
    "good": PLUGIN.format(work="pass", kernels=BOTH),
    "same": "# a comment\n" + PLUGIN.format(work="pass", kernels=BOTH),
    "slow": PLUGIN.format(work="np.exp(x); np.exp(x); np.exp(x)", kernels=BOTH),
    "lost": PLUGIN.format(work="pass", kernels='Kernel("sort", sort)'),
    "gone": PLUGIN.format(work="pass", kernels=BOTH).replace("np.exp(x)\n", "np.exp(x)\nraise ImportError('no toy')\n"),
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one tag per commit."""
    folder = tmp_path_factory.mktemp("toy")

    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)

    git("init", "-q")
    git("config", "user.email", "a@b")
    git("config", "user.name", "A")
    (folder / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (folder / "polytape_toy").mkdir()
    (folder / "polytape_toy" / "__init__.py").write_text("", encoding="utf-8")
    for name, text in COMMITS.items():
        (folder / "polytape_toy" / "plugin.py").write_text(text, encoding="utf-8")
        git("add", ".")
        git("commit", "-qm", name)
        git("tag", name)
    return folder


Gate = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def gate(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    monkeypatch.chdir(repository)

    def run(head: str, *words: str) -> tuple[int, dict[str, Any]]:
        report = tmp_path / "report.json"
        options = ["--backends", "toy", "--cases", "elementwise/exp_1000", "--json", str(report)]
        status = main(["perf", "gate", "good", head, *options, *words])
        return status, json.loads(report.read_text(encoding="utf-8"))

    return run


def blocking(report: dict[str, Any]) -> set[tuple[str, str]]:
    return {(finding["measure"], finding["verdict"]) for finding in report["findings"] if finding["blocks"]}


def test_equal_code_passes_and_everything_expected_was_measured(gate: Gate) -> None:
    status, report = gate("same")
    assert (status, blocking(report)) == (0, set()), report["findings"]
    assert report["results"] == [{"ring": "pure", "device": "toy:cpu", "expected": 1, "measured": 1}]
    first, *_, last = [line.rpartition(", ")[2] for line in report["proof"]]
    assert (first, last) == ("no alarm", "found")


def test_a_slower_kernel_fails_and_is_named_with_its_amount_and_the_noise(
    gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    status, report = gate("slow")
    assert status == 1
    (finding,) = [x for x in report["findings"] if x["measure"] == "time"]
    assert finding["verdict"] == "slower" and finding["factor"] > 1.3
    assert "base against base" in finding["detail"]
    printed = capsys.readouterr().out
    assert "elementwise/exp_1000" in printed and "slow is worse than good" in printed


def test_a_lost_kernel_fails_though_the_op_still_works(gate: Gate) -> None:
    status, report = gate("lost")
    assert status == 1
    assert {("kernel", "lost"), ("kernels", "lost")} <= blocking(report)


def test_a_backend_that_is_gone_fails_with_its_reason(gate: Gate) -> None:
    status, report = gate("gone")
    (finding,) = report["findings"]
    assert (status, finding["verdict"], finding["device"]) == (1, "gone", "toy")
    assert "no toy" in finding["detail"]


def test_an_accepted_slowdown_passes_with_its_reason(gate: Gate, repository: Path) -> None:
    subprocess.run(["git", "checkout", "-q", "slow"], cwd=repository, check=True)
    entry = {"case": "elementwise/*", "device": "toy:*", "measure": "*", "factor": 9.0, "reason": "more exact"}
    path = repository / "perf-accepted.json"
    path.write_text(json.dumps([entry]), encoding="utf-8")
    try:
        status, report = gate(".")  # the working tree, with a file that git does not know yet
    finally:
        path.unlink()
    assert status == 0
    assert {finding["accepted"] for finding in report["findings"] if finding["verdict"] == "slower"} == {"more exact"}


def test_what_cannot_be_compared_is_said(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["perf", "gate", "nothing"]) == 1
    assert "name a commit, a branch or a tag" in capsys.readouterr().err
    assert main(["perf", "gate", "good", "--cases", "none"]) == 1
    assert "dispatch" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    assert main(["perf", "gate", "HEAD"]) == 1
    assert "clone the repository" in capsys.readouterr().err
