"""The example as a user runs it: in a separate process, on real data, on each backend that is ready."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import polytape as pt

SCRIPT = Path(__file__).parents[2] / "examples" / "linear_regression.py"
pytest.importorskip("sklearn", reason="the extra `examples` is not installed")


def run(folder: Path, *arguments: str, backend: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the example in ``folder``."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("POLYTAPE_")}
    if backend:
        env["POLYTAPE_BACKEND"] = backend
    command = [sys.executable, "-W", "error", str(SCRIPT), *arguments]
    return subprocess.run(
        command, cwd=folder, env={**env, **environment}, capture_output=True, text=True, check=False, timeout=300
    )


def line(output: str, loss: str) -> tuple[float, float]:
    """The slope and intercept in the output."""
    match = re.search(rf"^{loss} loss: y = (\S+) x ([+-]) (\S+)$", output, re.MULTILINE)
    assert match, output
    return float(match[1]), float(match[2] + match[3])


def losses(output: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The table in the output: step, squared loss, Huber loss."""
    rows = [row.split() for row in output.splitlines() if re.match(r"^ *\d+ +[\d.]+ +[\d.]+$", row)]
    return np.array(rows, dtype=np.float64)


def ready(backend: str) -> str:
    """Return the backend's name, or skip the test with the reason why the backend is not ready."""
    status = next((status for status in pt.backends() if status.name == backend), None)
    if status is None or status.status != "ready":
        pytest.skip(f"{backend}: {'not installed' if status is None else status.status + ' ' + status.reason}")
    return backend


@pytest.mark.parametrize("backend", ["numpy", "numba", "sim"])
def test_both_fits_converge_on_the_bundled_data(backend: str, tmp_path: Path) -> None:
    from sklearn.datasets import load_diabetes

    result = run(tmp_path, backend=ready(backend))
    assert result.returncode == 0, result.stderr
    assert f"backend {backend} " in result.stdout
    table = losses(result.stdout)
    assert table[0, 0] == 0 and table[-1, 0] == 300 and len(table) == 11
    assert (np.diff(table[:, 1:], axis=0) <= 1e-6).all(), "a loss grew"
    x, y = load_diabetes(scaled=False, return_X_y=True)
    slope, intercept = np.polyfit(x[:, 2], y, 1)
    assert line(result.stdout, "squared") == pytest.approx((slope, intercept), rel=1e-3)  # 4 digits are printed
    figure = tmp_path / "output" / "linear_regression" / "linear_regression.png"
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert "found again and restored" in result.stdout
    assert list(figure.parent.glob("lines-*.safetensors"))


def test_a_comma_separated_table_may_have_quotes_and_a_byte_order_mark(tmp_path: Path) -> None:
    rows = ['"name, long",width,height'] + [f'"a, b",{x},{3 * x + 2}' for x in range(20)] + ["", '"far",21,400']
    (tmp_path / "table.csv").write_text("\n".join(rows) + "\n", encoding="utf-8-sig")
    result = run(tmp_path, "--data", "table.csv", "--x", "width", "--y", "height", "--output", "out", "--steps", "2000")
    assert result.returncode == 0, result.stderr
    table = np.array([(x, 3 * x + 2) for x in range(20)] + [(21, 400)])
    assert line(result.stdout, "squared") == pytest.approx(tuple(np.polyfit(*table.T, 1)), rel=1e-3)
    # The outlier changes the squared-loss fit a lot, and the Huber fit only a little.
    assert line(result.stdout, "Huber")[0] < 0.5 * line(result.stdout, "squared")[0]
    assert (tmp_path / "out" / "linear_regression.png").exists()


def test_a_tab_separated_table_may_contain_commas(tmp_path: Path) -> None:
    rows = ["country\tbirths\tyears", *(f"Hong, Kong\t{x / 10}\t{80 - x}" for x in range(30))]
    (tmp_path / "table.txt").write_text("\r\n".join(rows), encoding="utf-8")
    result = run(tmp_path, "--data", "table.txt", "--x", "births", "--y", "years")
    assert result.returncode == 0, result.stderr
    assert line(result.stdout, "squared") == pytest.approx((-10.0, 80.0), rel=1e-3)


def test_a_single_step_prints_the_losses_before_and_after_and_no_progress_bar(tmp_path: Path) -> None:
    result = run(tmp_path, "--steps", "1", "--x", "bp")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    assert losses(result.stdout)[:, 0].tolist() == [0, 1]


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a POSIX feature")
@pytest.mark.slow
def test_on_a_terminal_there_is_a_progress_bar(tmp_path: Path) -> None:
    pexpect = pytest.importorskip("pexpect")
    child = pexpect.spawn(sys.executable, [str(SCRIPT), "--steps", "2000"], cwd=str(tmp_path), timeout=120)
    child.expect("training:.*step/s")
    child.expect("found again and restored")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


TABLE = "width,height\n1,2\n2,four\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "tabel.csv", "--x", "width", "--y", "height"], "did you mean 'table.csv'"),
        (["--data", "nowhere/table.csv", "--x", "width", "--y", "height"], "No such file"),
        (["--data", ".", "--x", "width", "--y", "height"], "cannot be read"),
        (["--data", "table.csv", "--x", "widht", "--y", "height"], "no column 'widht' (did you mean 'width'?)"),
        (["--data", "table.csv", "--x", "width", "--y", "height"], "line 3, 'height': 'four' is not a finite number"),
        (["--data", "table.csv", "--x", "width"], "table.csv has 'width', 'height'"),
        (["--data", "empty.csv", "--x", "width", "--y", "height"], "empty.csv is empty"),
        (["--data", "short.csv", "--x", "width", "--y", "height"], "line 3: 1 fields, where the first line has 2"),
        (["--data", "one.csv", "--x", "width", "--y", "height"], "two different values"),
        (["--data", "twice.csv", "--x", "width", "--y", "height"], "more than one column 'width'"),
        (["--data", "noise.csv", "--x", "width", "--y", "height"], "not a text in UTF-8"),
        (["--x", "bim"], "did you mean 'bmi'"),
        (["--x", "width"], "it has 'age'"),
        (["--steps", "0"], "0 is not a positive number"),
        (["--steps", "many"], "invalid integer value: 'many'"),
        (["--learning-rate", "-1"], "-1 is not a positive number"),
        (["--learning-rate", "1e30"], "try a smaller --learning-rate"),
        (["--output", "table.csv"], "--output table.csv"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_user_error_gives_one_line_that_says_what_to_fix(
    arguments: list[str],
    message: str,
    module: Callable[[str], ModuleType],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "table.csv").write_text(TABLE, encoding="utf-8")
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    (tmp_path / "short.csv").write_text("width,height\n1,2\n3\n", encoding="utf-8")
    (tmp_path / "one.csv").write_text("width,height\n1,2\n1,3\n", encoding="utf-8")
    (tmp_path / "twice.csv").write_text("width,height,width\n1,2,3\n", encoding="utf-8")
    (tmp_path / "noise.csv").write_bytes(b"width,height\n\xff\xfe,2\n")
    monkeypatch.chdir(tmp_path)
    example = module("linear_regression")
    with pytest.raises(SystemExit) as exit_:
        example.common.run(lambda: example.main(arguments))
    # argparse prints its error and exits with 2; Python prints a text that is the exit code, and exits with 1.
    error = capsys.readouterr().err.splitlines()[-1] if exit_.value.code == 2 else str(exit_.value.code)
    assert message in error and "\n" not in error


@pytest.mark.slow
def test_the_error_for_a_missing_library_names_the_extra(tmp_path: Path) -> None:
    for library in ("sklearn", "tqdm", "matplotlib"):
        folder = tmp_path / library
        (folder / library).mkdir(parents=True)
        (folder / library / "__init__.py").write_text(f"raise ModuleNotFoundError('no', name={library!r})\n")
        path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
        result = run(tmp_path, "--steps", "1", PYTHONPATH=path)
        assert result.returncode == 1
        assert f"{library} is not installed; the examples need: pip install 'polytape[examples]'" in result.stderr


def test_the_error_for_an_unknown_backend_names_it(tmp_path: Path) -> None:
    result = run(tmp_path, backend="numpi")
    assert result.returncode == 1
    assert "numpi" in result.stderr and "numpy" in result.stderr
    assert "Traceback" not in result.stderr
