"""asv's configuration, the benchmarks (discovery, versions, checks against NumPy), and the check of their results."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
FOLDER = CHECKOUT / "asv_bench"
FILES = sorted(path.stem for path in (FOLDER / "benchmarks").glob("bench_*.py"))
NAMES = re.compile("(time|timeraw|track)_")


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))


def configuration() -> dict[str, Any]:
    """asv's configuration, which is JSON with comments."""
    text = re.sub(r"^\s*//.*$", "", (FOLDER / "asv.conf.json").read_text(encoding="utf-8"), flags=re.MULTILINE)
    content: dict[str, Any] = json.loads(text)
    return content


def classes(name: str) -> Iterator[Any]:
    module: ModuleType = importlib.import_module(f"benchmarks.{name}")
    for class_name, value in vars(module).items():
        if inspect.isclass(value) and value.__module__ == module.__name__ and not class_name.startswith("_"):
            yield value


def benchmarks(benchmark_class: Any) -> list[str]:
    return [name for name in dir(benchmark_class) if NAMES.match(name)]


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


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("name", FILES)
def test_every_benchmark_has_a_version_that_describes_its_sampling(name: str) -> None:
    methods = [getattr(cls, method) for cls in classes(name) for method in benchmarks(cls)]
    assert methods
    bad = [method.__qualname__ for method in methods if not re.match(r"\d+: \w", method.version)]
    assert not bad


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("name", [name for name in FILES if name != "bench_import"])
def test_every_class_has_the_device_as_first_parameter_and_lists_missing_backends(name: str) -> None:
    for cls in classes(name):
        if not benchmarks(cls):
            continue
        devices = cls.params[0] if isinstance(cls.params[0], tuple) else cls.params
        assert cls.param_names[0] == "device"
        assert {"numpy:cpu", "numba:cpu", "sim:sim", "cupy:gpu"} <= set(devices)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("name", [name for name in FILES if name != "bench_import"])
def test_every_benchmark_runs_on_the_numpy_backend_and_agrees_with_numpy(name: str) -> None:
    for cls in classes(name):
        axes = cls.params if benchmarks(cls) and isinstance(cls.params[0], tuple) else []
        parameters = ["numpy:cpu", *(axis[0] for axis in axes[1:])]
        for method in benchmarks(cls):
            instance = cls()
            instance.setup(*parameters)  # compares with NumPy
            instance.setup(*parameters)  # as asv does before each sample; does nothing
            try:
                getattr(instance, method)(*parameters)
            finally:
                getattr(instance, "teardown", lambda *_: None)(*parameters)


@pytest.mark.usefixtures("path")
def test_a_backend_that_cannot_be_used_is_skipped_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    (cls,) = [cls for cls in classes("bench_tape") if benchmarks(cls)]
    with pytest.raises(NotImplementedError, match="no backend 'nobody'"):
        cls().setup("nobody:cpu")
    assert "skipped: no backend 'nobody'" in capsys.readouterr().err


@pytest.mark.usefixtures("path")
def test_the_clock_waits_for_the_device() -> None:
    import numpy as np

    import polytape as pt

    common = importlib.import_module("benchmarks.common")
    waited: list[str] = []
    backend = pt.Backend(name="slow", extends="numpy", synchronize=lambda device: waited.append(str(device)))
    with pt.register_backend(backend):
        clock = common.OnDevice.clock("slow:cpu")
        first, second = clock(), clock()
    assert second >= first
    assert waited == ["slow:cpu:0", "slow:cpu:0"]
    assert np.isfinite(first)


def test_asv_finds_the_benchmarks(tmp_path: Path) -> None:
    pytest.importorskip("asv_runner", reason="asv_runner is in the extra 'bench'")
    code = "import sys; from asv_runner.discovery import list_benchmarks; list_benchmarks(sys.argv[1], sys.stdout)"
    command = [sys.executable, "-c", code, str(FOLDER / "benchmarks")]
    result = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    names = {benchmark["name"] for benchmark in json.loads(result.stdout[result.stdout.index("[") :])}
    families = ("Import", "FirstOp", "Dispatch", "Gradients", "Regression", "Network", "Elementwise", "Checkpoint")
    assert not [family for family in families if not any(family in name for name in names)]


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
