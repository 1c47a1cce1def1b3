"""The stages of a graph, and the files that they are written to."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import polytape as pt
from polytape.errors import SettingError
from polytape.graph import PASSES, check
from polytape.graph.stages import dump


def body(x: Any) -> Any:
    unused = pt.exp(x)
    y = pt.cond(pt.sum(x) > 0.0, lambda x: pt.negative(pt.negative(x)), lambda x: x * 1.0, x)
    return (x * 2.0) + (x * 2.0) + y if unused is not None else y


def test_the_stages_are_the_graph_after_each_pass_by_name() -> None:
    f = pt.function(body)
    found = f.stages(pt.ones(3))
    assert list(found) == ["traced", *[run_pass.__name__ for run_pass in PASSES]]
    assert str(found["traced"]) == str(f.trace(pt.ones(3)))
    assert str(list(found.values())[-1]) == str(f.graph(pt.ones(3)))
    for name, graph in found.items():
        check(graph, name)
    counts = [len(graph.equations) for graph in found.values()]
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1]


def test_every_stage_is_written_to_a_numbered_file(tmp_path: Path) -> None:
    f = pt.function(body)
    traced = f.trace(pt.ones(3))
    assert dump(traced, "") is traced
    for _ in range(2):
        assert dump(traced, str(tmp_path / "graphs")) is traced
    folders = sorted(x.name for x in (tmp_path / "graphs").iterdir())
    assert folders == ["0001_body", "0002_body"]
    files = sorted(x.name for x in (tmp_path / "graphs" / "0001_body").iterdir())
    assert files == [f"{k}_{name}.txt" for k, name in enumerate(f.stages(pt.ones(3)))]
    assert (tmp_path / "graphs" / "0001_body" / "0_traced.txt").read_text() == f"{traced}\n"


def test_threads_never_write_to_the_same_folder(tmp_path: Path) -> None:
    traced = pt.function(body).trace(pt.ones(3))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: dump(traced, str(tmp_path)), range(8)))
    assert len(list(tmp_path.iterdir())) == 8


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match="POLYTAPE_DUMP_GRAPHS="):
        dump(pt.function(body).trace(pt.ones(3)), str(tmp_path / "file"))


def test_the_environment_variable_writes_functions_and_their_gradients(tmp_path: Path) -> None:
    program = (
        "import polytape as pt\n"
        "f = pt.function(lambda x: pt.sum(x * x))\n"
        "x = pt.ones(3)\n"
        "with pt.GradientTape() as tape:\n"
        "    tape.watch(x)\n"
        "    y = f(x)\n"
        "print(tape.gradient(y, x))\n"
    )
    env = {**os.environ, "POLYTAPE_DUMP_GRAPHS": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=env, check=True, capture_output=True)
    names = sorted(x.name for x in tmp_path.iterdir())
    # The last one is the backward graph for the seed 1.0.
    assert names == ["0001_lambda", "0002_lambda", "0003_lambda_backward", "0004_lambda_backward"]
    assert all((tmp_path / name / "0_traced.txt").read_text().startswith("graph <lambda>") for name in names)
