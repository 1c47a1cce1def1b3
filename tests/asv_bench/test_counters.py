"""The counters are reproducible, and the check fails and names each counter that differs."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "asv_bench"
ENTRY = f"pure {sys.version_info.major}.{sys.version_info.minor}"
SMALL = "--no-backends"  # what does not take a minute


def run(script: str, *words: str | Path, status: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [sys.executable, str(FOLDER / script), *map(str, words)],
        capture_output=True, text=True, encoding="utf-8", env={**os.environ, **environment}, timeout=300, check=False,
    )  # fmt: skip
    assert result.returncode == status, result.stdout + result.stderr
    return result


@pytest.fixture(scope="module")
def counted() -> dict[str, Any]:
    counters: dict[str, Any] = json.loads(run("counters.py", SMALL).stdout)
    return counters


def counters_file(path: Path, counters: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"counters": {ENTRY: counters}, "reasons": []}), encoding="utf-8")
    return path


def test_two_runs_count_the_same_independently_of_hash_seed_and_settings(counted: dict[str, Any]) -> None:
    second = json.loads(
        run("counters.py", SMALL, PYTHONHASHSEED="4711", POLYTAPE_BACKEND="auto", POLYTAPE_CHECK="results").stdout
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
    result = run("check_counters.py", SMALL, "--file", counters_file(tmp_path / "counters.json", counted))
    assert f"all {len(counted)} counters match" in result.stdout


def test_a_difference_fails_and_names_the_counter(counted: dict[str, Any], tmp_path: Path) -> None:
    altered = {**counted, "opcodes.add": 1, "modules": [*counted["modules"], "long_gone"], "kernels.old_step": 3}
    altered["modules"].remove("polytape.dispatch.fast_path")
    result = run("check_counters.py", SMALL, "--file", counters_file(tmp_path / "counters.json", altered), status=1)
    assert f"opcodes.add: {counted['opcodes.add']}, was 1" in result.stdout
    assert "kernels.old_step: not counted, was 3" in result.stdout
    assert "modules: polytape.dispatch.fast_path is new" in result.stdout
    assert "modules: long_gone is gone" in result.stdout


def test_a_missing_entry_fails_unless_the_file_says_why(tmp_path: Path) -> None:
    file = tmp_path / "none.json"
    assert f"no entry for {ENTRY}" in run("check_counters.py", SMALL, "--file", file, status=1).stdout
    assert not file.exists()
    file.write_text(json.dumps({"counters": {}, "untracked": {ENTRY: "a test"}, "reasons": []}), encoding="utf-8")
    assert f"does not track {ENTRY}: a test" in run("check_counters.py", "--file", file).stdout


def test_a_compiled_ring_that_is_not_there_fails(tmp_path: Path) -> None:
    import polytape

    if not str(polytape.Tensor.__init__).startswith("<function"):
        pytest.skip("the ring is compiled here")
    result = run("check_counters.py", SMALL, "--ring", "compiled", "--file", tmp_path / "none.json", status=1)
    assert "has no compiled ring" in result.stderr


CASE = {"numpy": "2.4", "numba.add": {"allocations": 200, "kernels": 2, "opcodes": 80}, "numba.native": ["add", "exp"]}


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        ({}, []),
        ({"numba.add": {"allocations": 210, "kernels": 2, "opcodes": 80}}, []),
        ({"numba.add": {"allocations": 211, "kernels": 2, "opcodes": 80}}, ["numba.add: 211 allocations, was 200"]),
        ({"numba.add": {"allocations": 189, "kernels": 2, "opcodes": 80}}, ["numba.add: 189 allocations, was 200"]),
        ({"numpy": "2.5", "numba.add": {"allocations": 300, "kernels": 2, "opcodes": 80}}, []),
        ({"numpy": "2.5", "numba.add": {"kernels": 2, "opcodes": 80}}, ["numba.add: not counted allocations, was 200"]),
        ({"numba.add": {"allocations": 200, "kernels": 1, "opcodes": 81}},
         ["numba.add: 1 kernels, was 2", "numba.add: 81 opcodes, was 80"]),
        ({"numba.add": "fails with DeviceError"},
         ["numba.add: fails with DeviceError, was 200 allocations, 2 kernels, 80 opcodes"]),
        ({"numba.native": ["exp", "sin"]}, ["numba.native: sin is new", "numba.native: add is gone"]),
        ({"numba.missing": "no numba"}, ["numba: the backend is missing: no numba"]),
    ],
)  # fmt: skip
def test_differences_of_a_backend(
    measured: dict[str, Any], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    differences = importlib.import_module("check_counters").differences
    assert differences(CASE, {**CASE, **measured}) == expected


def test_rewriting_records_the_reason_and_other_systems_only_what_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    check = importlib.import_module("check_counters")
    file = tmp_path / "counters.json"
    monkeypatch.setattr(sys, "platform", "linux")
    assert check.write(file, ENTRY, CASE, ["first entry"], "a test of the check") == ENTRY
    monkeypatch.setattr(sys, "platform", "darwin")
    other = {**CASE, "numba.add": {"kernels": 2, "opcodes": 90}}
    assert check.write(file, ENTRY, other, ["numba.add: 90 opcodes, was 80"], "slower there") == f"{ENTRY} darwin"
    content = check.load(file)
    kernels = {"numba.native": CASE["numba.native"]}
    assert content["native"] == kernels
    assert {**content["counters"][ENTRY], **kernels} == CASE
    assert content["counters"][f"{ENTRY} darwin"] == {"numba.add": other["numba.add"]}
    assert [reason["reason"] for reason in content["reasons"]] == ["a test of the check", "slower there"]
    assert check.recorded_in(content, ENTRY) == other
    monkeypatch.setattr(sys, "platform", "linux")
    assert check.recorded_in(content, ENTRY) == CASE
    assert ' "numba.add": {"allocations": 200, "kernels": 2, "opcodes": 80}\n' in file.read_text(encoding="utf-8")


def test_rewriting_needs_a_reason(tmp_path: Path) -> None:
    result = run("check_counters.py", "--file", tmp_path / "none.json", "--write", status=2)
    assert "--write needs --reason" in result.stderr


@pytest.mark.slow
def test_every_backend_is_counted_and_rewriting_makes_the_check_pass(counted: dict[str, Any], tmp_path: Path) -> None:
    file = counters_file(tmp_path / "counters.json", {**counted, "opcodes.add": 1})
    run("check_counters.py", "--file", file, "--write", "--reason", "a test of the check")
    content = json.loads(file.read_text(encoding="utf-8"))
    assert {name.partition(".")[0] for name in content["counters"][ENTRY]} >= {"numpy", "numba", "sim"}
    assert f"opcodes.add: {counted['opcodes.add']}, was 1" in content["reasons"][0]["changed"]
    run("check_counters.py", "--file", file)


@pytest.mark.slow
def test_the_graphs_of_the_examples_have_the_recorded_numbers_of_equations_and_kernel_calls() -> None:
    result = run("check_counters.py", "--graphs")
    assert "graphs: all" in result.stdout


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
    assert json.loads(run("counters.py", SMALL, PYTHONPATH=path).stdout) == counted
