"""``python -m polytape.compat run`` on programs and notebooks, and imports below ``tensorflow``."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from polytape.compat.__main__ import main
from polytape.compat.programs import ProgramError, cells, run


def command(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command with these arguments."""
    return subprocess.run(
        [sys.executable, "-m", "polytape.compat", *map(str, words)],
        capture_output=True, text=True, encoding="utf-8", cwd=cwd, timeout=120,
    )  # fmt: skip


def notebook(path: Path, sources: Sequence[str | list[str]]) -> Path:
    """A notebook with a text cell and these code cells."""
    found = [{"cell_type": "markdown", "source": "text"}]
    found += [{"cell_type": "code", "source": source} for source in sources]  # type: ignore[dict-item]  # lists too
    path.write_text(json.dumps({"cells": found, "nbformat": 4}), encoding="utf-8")
    return path


PROGRAM = """
from __future__ import absolute_import, division, print_function
import sys
import tensorflow as tf
import tensorflow.contrib.eager as tfe
from tensorflow import nn
from tensorflow.contrib import eager
from tensorflow.python.eager import backprop, context
from tensorflow.python.ops import array_ops, math_ops, nn_ops
from tensorflow.python.framework import dtypes
import helper

tf.enable_eager_execution()
if __name__ == "__main__":
    print(sys.argv[1:], helper.double(tf.constant([1, 2])), tf.__version__[:3])
    print(tfe is eager, nn is tf.nn, nn_ops.relu is tf.nn.relu, dtypes.float32 is tf.float32)
    print(backprop.gradients_function(math_ops.square)(3.0)[0].numpy(), context.executing_eagerly())
    print(array_ops.zeros([2]).numpy().tolist())
    sys.exit(int(sys.argv[1]))
"""


def test_a_program_runs_unchanged(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "helper.py").write_text(
        "import tensorflow as tf\ndef double(x): return tf.multiply(x, 2)\n", encoding="utf-8"
    )
    done = command("run", tmp_path / "program.py", "3", "--flag")
    assert done.stdout.splitlines() == [
        "['3', '--flag'] tf.Tensor([2 4], shape=(2,), dtype=int32) 1.7",
        "True True True True",
        "6.0 True",
        "[0.0, 0.0]",
    ], done.stderr
    assert done.returncode == 3


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import tensorflow as tf\ntf.SparseTensor", ["line 2", "tf.SparseTensor does not exist", "no sparse tensors"]),
        ("import tensorflow.contrib.eager as tfe\ntfe.EagerVariableStore()", ["line 2", "tf.enable_eager_execution()"]),
        (
            "from tensorflow.python.ops import math_ops\nmath_ops.nonsense",
            ["math_ops.nonsense is not part", "public API"],
        ),
        ("import tensorflow.nothing", ["No module named 'tensorflow.nothing'"]),
        ("def broken(:", ["SyntaxError", "line 1"]),
    ],
)
def test_errors_of_a_program_name_its_line_and_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str, expected: list[str]
) -> None:
    (tmp_path / "program.py").write_text(code, encoding="utf-8")
    assert main(["run", str(tmp_path / "program.py")]) == 1
    printed = capsys.readouterr().err
    assert all(text in printed for text in expected), printed
    assert "programs.py" not in printed


def test_a_notebook_prints_what_its_cells_show(tmp_path: Path) -> None:
    path = notebook(
        tmp_path / "notes.ipynb",
        [
            "!pip install tensorflow\n%matplotlib inline\nimport tensorflow as tf",
            ["tf.enable_eager_execution()\n", "x = tf.constant([1])\n", "x + 1"],
            "%%bash\nrm -rf nothing",
            "if True:\n  !ls\nprint(x);",
            "None",
        ],
    )
    done = command("run", path)
    assert done.returncode == 0, done.stderr
    shown, printed = done.stdout.splitlines()
    assert shown.startswith("<tf.Tensor: id=") and shown.endswith(
        "shape=(1,), dtype=int32, numpy=array([2], dtype=int32)>"
    )
    assert printed == "tf.Tensor([1], shape=(1,), dtype=int32)"


def test_an_error_in_a_notebook_names_the_cell_and_shows_the_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(notebook(tmp_path / "notes.ipynb", ["a = 1", "b = 2\na / 0"]))]) == 1
    printed = capsys.readouterr().err
    assert "Error in cell 3:" in printed and "notes.ipynb[cell 3]" in printed and "a / 0" in printed


@pytest.mark.parametrize("name", ["missing.py", "text.txt", "broken.ipynb"])
def test_a_file_that_is_no_program_is_rejected(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (tmp_path / "text.txt").write_text("x", encoding="utf-8")
    (tmp_path / "broken.ipynb").write_text('{"cells": 3}', encoding="utf-8")
    assert main(["run", str(tmp_path / name)]) == 2
    assert name in capsys.readouterr().err


def test_nothing_is_left_in_the_host_program(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text("import tensorflow.contrib.eager, sys\nsys.path.append('x')", encoding="utf-8")
    before = dict(sys.modules), list(sys.argv), list(sys.path), list(sys.meta_path)
    fake = sys.modules["tensorflow"] = type(sys)("tensorflow")
    try:
        assert run(str(path)) == 0
        assert sys.modules.pop("tensorflow") is fake
    finally:
        sys.modules.pop("tensorflow", None)
    assert not [name for name in sys.modules if name.startswith("tensorflow")]
    assert (sys.argv, sys.path, sys.meta_path, sys.modules["__main__"]) == (*before[1:], before[0]["__main__"])


def test_cells_of_old_notebooks_are_read() -> None:
    text = json.dumps({"worksheets": [{"cells": [{"cell_type": "code", "input": ["a = 1\n", "b = 2"]}]}]})
    assert cells(text, "old.ipynb") == [("cell 1", "a = 1\nb = 2")]
    with pytest.raises(ProgramError, match="not a notebook"):
        cells("[]", "list.ipynb")
