"""`polytape run`: a graph from the shell, and clear errors for wrong feeds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.cli import main

Child = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def graph(tmp_path: Path) -> str:
    path = tmp_path / "graph.safetensors"
    w = pt.Variable([[1.0], [2.0]], name="w")

    @pt.function
    def scores(x: Any, bias: Any) -> Any:
        return {"y": x @ w + bias, "../best": (pt.argmax(x), 7)}

    scores.export(path, pt.ones((3, 2)), pt.asarray(1.0))
    return str(path)


def test_it_runs_in_a_process_of_its_own(child: Child, graph: str, tmp_path: Path) -> None:
    x = np.asarray([[1, 2], [3, 4], [5, 6]], "float32")
    np.save(tmp_path / "x.npy", x)
    out = tmp_path / "out"
    words = ["-m", "polytape", "run", graph, "--feed", f"x={tmp_path / 'x.npy'}", "--feed", "bias=0.5"]
    done = child([*words, "--output", str(out), "--device", "numba"])
    assert done.stdout == ""
    assert sorted(path.name for path in out.iterdir()) == ["result____best_0.npy", "result_y.npy"]
    np.testing.assert_array_equal(
        np.load(out / "result_y.npy"), x @ np.asarray([[1], [2]], "float32") + np.float32(0.5)
    )


def test_a_graph_with_a_loop_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "graph.safetensors")
    halved = pt.function(lambda x: pt.while_loop(lambda x: x > 1.0, lambda x: x * 0.5, x))
    halved.export(path, pt.asarray(6.0))
    assert main(["run", path]) == 0
    assert "    body(state: float32[]) -> float32[]" in capsys.readouterr().out
    assert main(["run", path, "--feed", "x=6.0"]) == 0
    assert capsys.readouterr().out == "result: float32[] = 0.75\n"


def test_without_feeds_the_signature_is_shown(graph: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", graph]) == 0
    text = capsys.readouterr().out
    assert (
        "scores on numpy:cpu:0, 1 variables\n  --feed x=VALUE   float32[3,2]\n  --feed bias=VALUE   float32[]\n" in text
    )
    assert "\n  variable w: float32[2,1]\n" in text


def test_results_are_printed(graph: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", graph, "--feed", "x=[[1,2],[3,4],[5,6]]", "--feed", "bias=0"]) == 0
    text = capsys.readouterr().out
    assert "result_y: float32[3,1] = [[ 5.]\n [11.]\n [17.]]" in text
    assert "result____best_0: int64[] = 5" in text and "result____best_1 = 7" in text


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--feed", "x=1"], "a value for each of x, bias\n  got: x\n  fix: add bias"),
        (["--feed", "z=1"], "--feed z=1 is not valid.\n  expected: NAME=VALUE, once for each of x, bias"),
        (["--feed", "x"], "--feed x is not valid."),
        (["--feed", "bias=1", "--feed", "bias=2"], "got: 'bias' again"),
        (["--feed", "x=missing.npy"], "--feed x=missing.npy cannot be read.\n  expected: the path of a .npy file"),
        (["--feed", "x=[1"], "got: JSONDecodeError"),
        (["--feed", 'x="a"'], '--feed x="a" cannot be read.'),
        (["--feed", "x=[[1,2]]", "--feed", "bias=1"], "expected: float32[3,2] on numpy:cpu:0\n  got: float32[1,2]"),
        (["--device", "nothing"], "'nothing' is neither a backend nor a device kind"),
    ],
)
def test_a_wrong_call_is_an_error_of_one_text(
    graph: str, words: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", graph, *words]) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("polytape run: ") and text in printed.err


def test_a_file_without_a_graph_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(tmp_path / "nothing")]) == 1
    pt.save(tmp_path / "tensors", pt.ones((2,)))
    assert main(["run", str(tmp_path / "tensors")]) == 1
    assert "it has no graph" in capsys.readouterr().err


def test_a_kernel_that_rejects_values_names_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pt.function(lambda x, k: x[k]).export(tmp_path / "graph", pt.ones((3,)), pt.asarray([0]))
    assert main(["run", str(tmp_path / "graph"), "--feed", "x=[1,2,3]", "--feed", "k=[9]"]) == 1
    assert "in graph <lambda>: a: float32[1] = getitem(x, k, key=[array])" in capsys.readouterr().err
