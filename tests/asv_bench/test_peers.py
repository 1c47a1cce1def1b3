"""The comparison scripts run without any other library."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "asv_bench" / "peers"


def run(script: str, *words: str) -> str:
    result = subprocess.run(
        [sys.executable, str(FOLDER / script), *words],
        capture_output=True, text=True, encoding="utf-8", timeout=300, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def ratios() -> dict[str, Any]:
    results: dict[str, Any] = json.loads(run("ratios.py", "--quick", "--peers", "", "--json"))
    return results


def test_ratios_measure_every_row_of_the_numpy_backend_without_other_libraries(ratios: dict[str, Any]) -> None:
    rows = {"add10", "scalar", "open tape", "gradient", "second", "linreg", "mlp", "traced"}
    assert not rows - set(ratios["rows"]), ratios["missing"]
    assert all(row["seconds"]["polytape"] > 0 for row in ratios["rows"].values())


def test_ratios_are_ratios_of_medians_and_have_a_spread(ratios: dict[str, Any]) -> None:
    row = ratios["rows"]["add10"]
    ratio, low, high = row["ratios"]["numpy"]
    assert ratio == pytest.approx(row["seconds"]["polytape"] / row["seconds"]["numpy"])
    assert low <= high


def test_ratios_report_their_conditions(ratios: dict[str, Any]) -> None:
    conditions = ratios["conditions"]
    assert conditions["ring"] in ("compiled", "pure Python")
    assert conditions["threads"] == 1
    assert "numpy" in conditions["versions"]
    assert conditions["cpu"]


def test_the_table_is_markdown_with_one_line_per_row() -> None:
    lines = run("ratios.py", "--quick", "--peers", "", "--rows", "add10,open tape").splitlines()
    assert lines[0].startswith("| | polytape | numpy |")
    assert lines[2].startswith("| add of two tensors of 10 floats |")
    assert "x no tape (" in lines[3]
    assert len({line.count("|") for line in lines[:4]}) == 1
    assert any("Kernel ring: " in line for line in lines)


def test_import_time_compares_fresh_processes() -> None:
    results = json.loads(run("import_time.py", "--turns", "2", "--json"))
    assert set(results["seconds"]) == {"python", "numpy", "polytape", "first tensor"}
    assert results["polytape_over_numpy"]["inside"] > 0


def test_memory_prints_the_peak_and_the_hand_count() -> None:
    results = json.loads(run("memory.py", "--json"))
    adds = results["20 adds of 10 MB"]
    # Unlike a time, the memory of a program is the same on every machine, up to small objects.
    assert adds["peak_nbytes"] <= 1.05 * adds["hand_count_nbytes"]
    assert all(row["peak_nbytes"] > 0.5 * row["hand_count_nbytes"] for row in results.values())


def test_updates_prints_a_row_per_size() -> None:
    rows = run("updates.py", "--sizes", "10", "1000").splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == ["10", "1,000"]
    assert all(float(row.split("|")[column]) > 0.0 for row in rows for column in (2, 3, 4))
