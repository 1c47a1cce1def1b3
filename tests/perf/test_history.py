"""Kept times: what a record holds, how files are read, and which changes of a series are steps."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from polytape.errors import SettingError
from polytape_perf import machine
from polytape_perf.history import _cells, load, save, steps

ABOUT = {**machine.record(), "cpu": "A & B <CPU>"}


def record(
    number: int, times: dict[str, tuple[float, float, float]], ring: str = "pure", series: str = "s"
) -> dict[str, Any]:
    """A record of commit ``number`` with (low, median, high) by device and case, such as ``numpy:cpu dispatch/add``."""
    cells = [
        {
            "device": name.split()[0], "case": name.split()[1], "low": low, "seconds": middle, "high": high,
            "counts": {"kernels": 1},
        }
        for name, (low, middle, high) in times.items()
    ]  # fmt: skip
    date = f"2026-01-{number:02d}T00:00:00+00:00"
    return {
        "version": 1, "commit": {"sha": f"{number:010d}".ljust(40, "0"), "subject": f"commit <{number}>", "date": date},
        "measured": date, "ring": ring, "machine": ABOUT, "series": series, "cells": cells,
        "backends": {"numpy": {"status": "ready", "reason": ""},
                     "cupy": {"status": "absent", "reason": "cupy is not <installed>"}},
    }  # fmt: skip


def history(levels: list[float], noise: float, seed: int = 0) -> list[dict[str, Any]]:
    """Records whose times are the levels, with the noise of three processes."""
    rng = np.random.default_rng(seed)
    found = []
    for number, level in enumerate(levels, 1):
        low, middle, high = sorted(level * rng.lognormal(0, noise, 3))
        found.append(record(number, {"numpy:cpu dispatch/add": (low, middle, high)}))
    return found


def test_a_lasting_slowdown_is_one_step_between_its_commits() -> None:
    (step,) = steps(history([1e-6] * 5 + [1.5e-6] * 4, 0.02))
    assert (step.device, step.case, step.ring) == ("numpy:cpu", "dispatch/add", "pure")
    assert (int(step.before[:10]), int(step.commit[:10])) == (5, 6)
    assert step.factor == pytest.approx(1.5, rel=0.1)


def test_a_spike_is_none_and_neither_is_a_speedup() -> None:
    assert steps(history([1e-6] * 4 + [3e-6] + [1e-6] * 4, 0.02)) == []
    assert steps(history([2e-6] * 4 + [1e-6] * 4, 0.02)) == []
    assert steps(history([1e-6, 2e-6], 0.02)) == []  # nothing tells yet whether it stays


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), noise=st.sampled_from([0.005, 0.02, 0.03]))
def test_noise_alone_is_no_step(seed: int, noise: float) -> None:
    assert steps(history([1e-6] * 12, noise, seed)) == []


def test_series_of_other_machines_and_rings_are_not_compared() -> None:
    slow = {"numpy:cpu dispatch/add": (2e-6, 2e-6, 2e-6)}
    fast = {"numpy:cpu dispatch/add": (1e-6, 1e-6, 1e-6)}
    before = [record(number, fast) for number in (1, 2)]
    assert steps(before + [record(number, slow, series="t") for number in (3, 4)]) == []
    assert steps(before + [record(number, slow, ring="compiled") for number in (3, 4)]) == []
    assert len(steps(before + [record(number, slow) for number in (3, 4)])) == 1


def test_records_are_read_in_the_order_of_their_commits(tmp_path: Path) -> None:
    for number in (3, 1, 2):
        save(tmp_path, record(number, {}))
    assert [int(x["commit"]["sha"][:10]) for x in load(tmp_path)] == [1, 2, 3]


def test_a_folder_without_records_and_a_file_that_is_none_are_errors(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="polytape perf record"):
        load(tmp_path)
    path = save(tmp_path, record(1, {}))
    for text in ("{", "[]", '{"version": 2}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SettingError, match="is not a record of polytape perf"):
            load(tmp_path)


def test_a_series_depends_on_the_machine_and_not_on_every_installed_version() -> None:
    about = machine.record()
    assert about["libraries"]["numpy"] == np.__version__
    assert machine.series({**about, "lock": "x"}) == machine.series(about)
    for key in ("cpu", "flags", "blas", "governor", "gpu", "python"):
        assert machine.series({**about, key: "other"}) != machine.series(about)


def test_measured_cells_have_times_of_three_processes_and_counts() -> None:
    cells = {
        cell["case"]: cell
        for cell in _cells("", "numpy:cpu", ["dispatch/add", "no/case", "state/to_device", "dispatch/scalar"])
    }
    for name in ("dispatch/add", "dispatch/scalar"):
        cell = cells[name]
        assert 0 < cell["low"] <= cell["seconds"] <= cell["high"]
        assert cell["counts"]["kernels"] == 1
    assert "no/case" in cells["no/case"]["error"]
    assert "state/to_device" not in cells  # it has no meaning on this device
    json.dumps(cells)


@pytest.mark.slow
def test_record_and_site_by_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from polytape.cli import main

    monkeypatch.chdir(Path(__file__).parents[2])
    if subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, check=False).returncode:
        pytest.skip("not a git checkout")
    words = ["--results", str(tmp_path / "results"), "--backends", "numpy,missing", "--cases", "dispatch/add"]
    assert main(["perf", "record", ".", *words]) == 1  # the backend missing was not measured
    (kept,) = load(tmp_path / "results")
    assert [cell["case"] for cell in kept["cells"]] == ["dispatch/add"]
    output = tmp_path / "site"
    assert main(["perf", "site", "--results", str(tmp_path / "results"), "--output", str(output)]) == 0
    assert {path.name for path in output.iterdir()} >= {"index.html", "backend-numpy.html", "data.json"}
