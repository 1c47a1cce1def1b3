"""Pictures of graphs."""

from __future__ import annotations

import importlib
import re
import shutil
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import pytest

import polytape as pt
from polytape.errors import PluginError
from polytape.graph import Graph

W = pt.Variable([[1.0, 2.0]], name="w")


def body(x: Any) -> Any:
    y = pt.scan(lambda total, row: (total + row * 0.5, total), pt.sum(x, axis=0), x)[0] @ W
    W.assign(W * 2.0)
    return y, pt.concat([y, y], axis=0)


def drawn() -> Graph:
    return pt.function(body).graph(pt.ones((3, 1)))


def test_every_input_equation_and_result_is_a_node_and_every_operand_an_edge() -> None:
    graph = drawn()
    text = graph.to_dot()
    nodes = re.findall(r'^ *("[^"]*") \[label=', text, re.M)
    edges = re.findall(r'^ *("[^"]*") -> ("[^"]*")', text, re.M)
    assert len(nodes) == len(set(nodes))
    assert {name for edge in edges for name in edge} <= set(nodes)
    region = graph.equations[1].regions.graphs[0]
    count = sum(len(x.inputs()) + len(x.equations) + len(x.outputs) + len(x.writes) for x in (graph, region))
    assert len(nodes) == count
    operands = sum(len(list(equation.symbols())) for x in (graph, region) for equation in x.equations)
    assert (
        len(edges) == operands + len(graph.results()) + len(region.outputs) + 1
    )  # the region is joined to its equation
    assert "1: 0.5" in text and "length=3" in text and "assign w" in text and "test_drawing.py:" in text


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's program dot is not installed")
def test_an_svg_file_shows_every_node(tmp_path: Path) -> None:
    graph = drawn()
    graph.save_svg(tmp_path / "graph.svg")
    tree = xml.etree.ElementTree.parse(tmp_path / "graph.svg")
    groups = [x.get("class") for x in tree.iter("{http://www.w3.org/2000/svg}g")]
    assert groups.count("node") == len(re.findall(r'^ *"[^"]*" \[label=', graph.to_dot(), re.M))
    assert groups.count("cluster") == 1


def test_a_missing_package_or_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    importing = importlib.import_module
    importing("graphviz")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PluginError, match=r"the system's package graphviz, for example by apt-get install graphviz"):
        drawn().save_svg(tmp_path / "graph.svg")

    def missing(name: str) -> Any:
        if name == "graphviz":
            raise ImportError(f"No module named {name!r}")
        return importing(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(PluginError, match=r"pip install 'polytape\[graphviz\]'"):
        drawn().save_svg(tmp_path / "graph.svg")
    assert not (tmp_path / "graph.svg").exists()
