"""The counters are reproducible, and the check fails and names each counter that differs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "asv_bench"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def run(script: str, *words: str | Path, status: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [sys.executable, str(FOLDER / script), *map(str, words)],
        capture_output=True, text=True, encoding="utf-8", env={**os.environ, **environment}, timeout=300, check=False,
    )  # fmt: skip
    assert result.returncode == status, result.stdout + result.stderr
    return result


@pytest.fixture(scope="module")
def counted() -> dict[str, Any]:
    counters: dict[str, Any] = json.loads(run("counters.py").stdout)
    return counters


def counters_file(path: Path, counters: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"counters": {PYTHON: counters}, "reasons": []}), encoding="utf-8")
    return path


def test_two_runs_count_the_same_independently_of_hash_seed_and_settings(counted: dict[str, Any]) -> None:
    second = json.loads(
        run("counters.py", PYTHONHASHSEED="4711", POLYTAPE_BACKEND="auto", POLYTAPE_CHECK="results").stdout
    )
    assert second == counted


def test_every_expected_counter_exists(counted: dict[str, Any]) -> None:
    calls = ("add", "add_scalar", "recorded_add", "sum_axis", "linreg_step", "apply_gradients")
    expected = {f"opcodes.{name}" for name in calls} | {"kernels.linreg_step", "kernels.mlp_adam_step", "modules"}
    assert not expected - set(counted)
    assert all(counted[name] > 0 for name in expected - {"modules"})
    assert "polytape.dispatch.fast_path" in counted["modules"]


def test_importing_polytape_loads_no_backend_and_no_plugin_machinery(counted: dict[str, Any]) -> None:
    heavy = ("pluggy", "importlib.metadata", "dataclasses", "numba", "cupy", "polytape_numpy", "safetensors", "optree")
    assert not [name for name in counted["modules"] if name.startswith(heavy)]


def test_unchanged_counters_pass(counted: dict[str, Any], tmp_path: Path) -> None:
    result = run("check_counters.py", "--file", counters_file(tmp_path / "counters.json", counted))
    assert f"all {len(counted)} counters match" in result.stdout


def test_a_difference_fails_and_names_the_counter(counted: dict[str, Any], tmp_path: Path) -> None:
    altered = {**counted, "opcodes.add": 1, "modules": [*counted["modules"], "long_gone"], "kernels.old_step": 3}
    altered["modules"].remove("polytape.dispatch.fast_path")
    result = run("check_counters.py", "--file", counters_file(tmp_path / "counters.json", altered), status=1)
    assert f"opcodes.add: {counted['opcodes.add']}, was 1" in result.stdout
    assert "kernels.old_step: not counted, was 3" in result.stdout
    assert "modules: polytape.dispatch.fast_path is new" in result.stdout
    assert "modules: long_gone is gone" in result.stdout


def test_a_python_version_without_an_entry_is_reported_and_passes(tmp_path: Path) -> None:
    result = run("check_counters.py", "--file", tmp_path / "none.json")
    assert f"no entry for Python {PYTHON}" in result.stdout
    assert not (tmp_path / "none.json").exists()


def test_rewriting_needs_a_reason_and_records_it_with_the_differences(counted: dict[str, Any], tmp_path: Path) -> None:
    file = counters_file(tmp_path / "counters.json", {**counted, "opcodes.add": 1})
    assert "--write needs --reason" in run("check_counters.py", "--file", file, "--write", status=2).stderr
    run("check_counters.py", "--file", file, "--write", "--reason", "a test of the check")
    content = json.loads(file.read_text(encoding="utf-8"))
    assert content["counters"][PYTHON] == counted
    changed = [f"opcodes.add: {counted['opcodes.add']}, was 1"]
    assert content["reasons"] == [{"python": PYTHON, "reason": "a test of the check", "changed": changed}]
    run("check_counters.py", "--file", file)


def test_compiled_files_beside_the_sources_are_not_counted(counted: dict[str, Any], tmp_path: Path) -> None:
    """An invalid file takes the place of a compiled module, so importing it would fail."""
    import importlib.machinery
    import importlib.metadata

    import polytape
    import polytape_numpy

    site = tmp_path / "site"
    for module in (polytape, polytape_numpy):
        folder = Path(str(module.__file__)).parent
        shutil.copytree(folder, site / folder.name, ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
    metadata = importlib.metadata.distribution("polytape")
    (site / "polytape-0.1.0.dist-info").mkdir()
    for name in ("METADATA", "entry_points.txt"):
        (site / "polytape-0.1.0.dist-info" / name).write_text(metadata.read_text(name) or "", encoding="utf-8")
    (site / "polytape" / "tensors" / f"tensor{importlib.machinery.EXTENSION_SUFFIXES[0]}").write_bytes(b"not a library")
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    assert json.loads(run("counters.py", PYTHONPATH=path).stdout) == counted
