"""The steps of the nightly workflows that keep results on a branch, run by bash; the remote is a bare repository."""

from __future__ import annotations

import importlib
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from polytape_perf import initial

WORKFLOWS = {
    "polytape": (Path(__file__).parents[2] / ".github" / "workflows" / "perf.yml").read_text(encoding="utf-8"),
    "backend": initial._WORKFLOW.replace("@NAME@", "toy"),
}


class Night:
    """A run of the job on a machine of its own."""

    def __init__(self, workflow: str, remote: Path, folder: Path) -> None:
        yaml: Any = importlib.import_module("yaml")
        steps = yaml.safe_load(WORKFLOWS[workflow])["jobs"]["nightly"]["steps"]
        self.steps: dict[str, str] = {
            step["name"].partition(",")[0]: step["run"] for step in steps if "name" in step and "run" in step
        }
        self.folder = folder
        subprocess.run(["git", "clone", "-q", str(remote), str(folder)], check=True)
        (folder / "asv_bench").mkdir(exist_ok=True)

    def run(self, name: str) -> int:
        """Run a step as the workflow does; its exit status."""
        environment = {**os.environ, "GITHUB_SHA": "0123456789abcdef", "GIT_CONFIG_GLOBAL": os.devnull}
        command = ["bash", "-e", "-c", self.steps[name]]
        return subprocess.run(command, cwd=self.folder, env=environment, check=False).returncode

    def record(self, text: str) -> None:
        """Write what `polytape perf record` and asv write."""
        (self.folder / "kept" / "records" / f"{text}.json").write_text(text, encoding="utf-8")
        (self.folder / "asv_bench" / "results" / f"{text}.json").write_text(text, encoding="utf-8")

    def found(self) -> set[str]:
        """The results of all nights so far."""
        records = {path.stem for path in (self.folder / "kept" / "records").glob("*.json")}
        assert records == {path.stem for path in (self.folder / "asv_bench" / "results").glob("*.json")}
        return records


@pytest.fixture(params=list(WORKFLOWS))
def nights(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Makes a night; the remote has one commit."""
    remote, first = tmp_path / "remote.git", tmp_path / "first"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(remote)], check=True)
    subprocess.run(["git", "clone", "-q", str(remote), str(first)], check=True, capture_output=True)
    identity = ["-c", "user.name=x", "-c", "user.email=x@y.z"]
    subprocess.run(["git", *identity, "commit", "-q", "--allow-empty", "-m", "x"], cwd=first, check=True)
    subprocess.run(["git", "push", "-q", "origin", "HEAD:main"], cwd=first, check=True)
    count = iter(range(9))
    return lambda: Night(request.param, remote, tmp_path / f"night{next(count)}")


FETCH, KEEP = "Fetch the times of earlier nights", "Keep them"


def test_each_night_adds_to_those_before(nights: Any) -> None:
    for number in range(3):
        night = nights()
        assert night.run(FETCH) == 0
        assert night.found() == {f"times{k}" for k in range(number)}
        night.record(f"times{number}")
        assert night.run(KEEP) == 0


def test_a_job_that_dies_loses_nothing(nights: Any) -> None:
    first, dies, last = nights(), nights(), nights()
    assert first.run(FETCH) == 0
    first.record("first")
    assert first.run(KEEP) == 0
    assert dies.run(FETCH) == 0  # and is not heard of again
    assert last.run(FETCH) == 0
    assert last.found() == {"first"}
    assert last.run(KEEP) == 0  # nothing was measured: nothing to keep is no error


def test_what_another_run_pushed_meanwhile_is_kept(nights: Any) -> None:
    one, two, last = nights(), nights(), nights()
    for night, text in ((one, "one"), (two, "two")):
        assert night.run(FETCH) == 0
        night.record(text)
    assert one.run(KEEP) == 0
    assert two.run(KEEP) == 0
    assert last.run(FETCH) == 0
    assert last.found() == {"one", "two"}


def test_results_that_cannot_be_pushed_fail_the_job(nights: Any) -> None:
    night = nights()
    assert night.run(FETCH) == 0
    night.record("times")
    refuse = night.folder.parent / "remote.git" / "hooks" / "update"
    refuse.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    refuse.chmod(0o755)
    assert night.run(KEEP) != 0
