"""asv's configuration, the benchmarks that it finds, and the check of their results."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
FOLDER = CHECKOUT / "asv_bench"


def configuration() -> dict[str, Any]:
    """asv's configuration, which is JSON with comments."""
    text = re.sub(r"^\s*//.*$", "", (FOLDER / "asv.conf.json").read_text(encoding="utf-8"), flags=re.MULTILINE)
    content: dict[str, Any] = json.loads(text)
    return content


def test_the_configuration_builds_the_project_in_environments_with_the_backends_dependencies() -> None:
    content = configuration()
    assert (FOLDER / content["repo"]).resolve() == CHECKOUT
    assert content["environment_type"] == "virtualenv"
    assert {"numpy", "numba"} <= set(content["matrix"]["req"])
    assert set(content["matrix"]["env"]["POLYTAPE_COMPILE"]) == {"0", "1"}
    assert "{build_dir}" in " ".join(content["build_command"])


def test_asv_and_its_runner_are_pinned_together() -> None:
    extras = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    assert {"asv==0.6.6", "asv_runner==0.3.2"} <= set(extras["bench"])


def test_asv_finds_the_benchmarks(tmp_path: Path) -> None:
    pytest.importorskip("asv_runner", reason="asv_runner is in the extra 'bench'")
    code = "import sys; from asv_runner.discovery import list_benchmarks; list_benchmarks(sys.argv[1], sys.stdout)"
    command = [sys.executable, "-c", code, str(FOLDER / "benchmarks")]
    result = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    names = {benchmark["name"] for benchmark in json.loads(result.stdout[result.stdout.index("[") :])}
    families = ("Start", "Dispatch", "Tape", "Training", "Kernels", "Tensorflow", "Memory", "State")
    assert {f"bench_polytape.{family}.time_case" for family in families} <= names
    assert "bench_polytape.Memory.track_peak_nbytes" in names


# --- check_results.py -------------------------------------------------------------------------------------------------


def results(folder: Path, *values: float | None) -> Path:
    """Write a result file as asv 0.6.6 does, with one benchmark on numpy, numba and sim."""
    row = [list(values), [["'numpy:cpu'", "'numba:cpu'", "'sim:sim'"]], "1: one", 0, 0.1]
    columns = ["result", "params", "version", "started_at", "duration"]
    (folder / "host").mkdir()
    content = {"commit_hash": "0123", "result_columns": columns, "results": {"bench.Time.time_it": row}, "version": 2}
    (folder / "host" / "0123-virtualenv.json").write_text(json.dumps(content), encoding="utf-8")
    (folder / "host" / "machine.json").write_text("{}", encoding="utf-8")
    return folder


def check(folder: Path, promise: str, status: int) -> str:
    command = [sys.executable, str(FOLDER / "check_results.py"), "--results", str(folder), "--promise", promise]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout


def test_a_promised_backend_without_a_result_fails_the_job(tmp_path: Path) -> None:
    folder = results(tmp_path, 0.5, float("nan"), None)
    assert "numpy:cpu: 1 measured" in check(folder, "numpy:cpu", 0)
    assert "numba:cpu: promised, but no benchmark measured it (1 skipped)" in check(folder, "numba:cpu", 1)
    assert "sim:sim: 1 benchmarks failed" in check(folder, "numpy:cpu,sim:sim", 1)
    assert "cupy:gpu: promised" in check(folder, "cupy:gpu", 1)


def test_no_result_file_at_all_fails_the_job(tmp_path: Path) -> None:
    assert "nothing was measured" in check(tmp_path, "numpy:cpu", 1)
