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


def test_the_spread_between_processes_is_shown() -> None:
    words = ("--quick", "--peers", "", "--rows", "add10", "--processes", "2")
    row = json.loads(run("ratios.py", *words, "--json"))["rows"]["add10"]
    assert len(row["seconds"]["polytape"]) == len(row["ratios"]["numpy"]) == 2
    table = run("ratios.py", *words).splitlines()
    assert "x numpy (" in table[2] and table[2].count("|") == 4
    assert table[-1].startswith("2 processes; load average before each: ")


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


@pytest.mark.slow
def test_updates_prints_a_row_per_size() -> None:
    rows = run("updates.py", "--sizes", "10", "1000").splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == ["10", "1,000"]
    assert all(float(row.split("|")[column]) > 0.0 for row in rows for column in (2, 3, 4))


@pytest.mark.slow
def test_steps_of_the_digits_networks_are_timed() -> None:
    lines = run("digits_steps.py", "--backends", "numpy", "--batches", "1").splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["mlp", "cnn"]
    assert all(float(line.split("|")[3]) > 0 for line in lines[2:])


@pytest.mark.slow
def test_gradients_per_example_are_timed() -> None:
    lines = run("per_example.py", "--backends", "numpy", "--batches", "1", "--batch", "3").splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["linear", "mlp", "cnn"]
    assert all(float(line.split("|")[column]) > 0 for line in lines[2:] for column in (3, 4, 5, 7, 8))


@pytest.mark.slow
def test_the_cost_of_the_tools_of_debug_is_measured_for_each() -> None:
    results = json.loads(run("debug_cost.py", "--turns", "1", "--json"))
    assert len(results) == 3
    for row in results.values():
        assert row.keys() == {"callback", "record_lines", "profile", "check_numerics", "after"}
        assert all(cell["ratio"] > 0 for cell in row.values())


@pytest.mark.slow
def test_kernels_are_timed_beside_those_of_another_checkout(tmp_path: Path) -> None:
    checkout = FOLDER.parents[1]
    lines = run("kernels.py", str(checkout), "--rows", "roll;gelu", "--sizes", "10", "--batches", "2").splitlines()
    assert lines[0] == "| kernel | float32 10 | float64 10 |"
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]
    assert [row[0] for row in cells] == ["roll", "gelu"]
    assert all(float(cell) > 0 for cell in (*cells[0][1:], cells[1][1]))
    assert cells[1][2] == ""  # in float64, the body of gelu serves
    with pytest.raises(AssertionError, match="is no checkout of polytape"):
        run("kernels.py", str(tmp_path))


@pytest.mark.slow
def test_traced_steps_are_compared_with_eager_ones() -> None:
    words = ("--batches", "1", "--batch-ms", "0.1", "--backends", "numpy", "--steps", "linear regression", "--json")
    (row,) = json.loads(run("traced_steps.py", *words))
    assert (row["step"], row["backend"]) == ("linear regression", "numpy")
    assert min(row["traced_s"], row["eager_s"], row["first_call_s"]) > 0
    # Of arrays of 1,000 float32, a traced step allocates none: it keeps its own between runs.
    assert row["eager_nbytes"] >= 4000 > row["traced_nbytes"] > 0
