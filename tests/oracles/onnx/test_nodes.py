"""The node tests of the ONNX project, an independent oracle: every op that polytape's ops can express."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape import plugins

pytest.importorskip("onnx", reason="the package onnx contains the node tests")
nodes: Any = importlib.import_module("onnx_nodes")
comparison: Any = importlib.import_module("onnx_nodes.comparison")

PAGE = Path(__file__).parents[3] / "docs" / "guide" / "onnx-nodes.md"
# ONNX computes the expected values of these by loops that take seconds.
SLOW = ("averagepool", "lppool", "maxpool")
MODULES = [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in nodes.modules()]
OTHERS = [status.name for status in plugins.backends() if status.status == "ready" and status.name != "numpy"]


def disagreements(module: str, device: str) -> list[str]:
    """What differs from ONNX's expected results in the node tests of a module."""
    found = []
    lacking = () if "bfloat16" in pt.get_backend(device).dtypes else ("bf16", "bfloat16")
    for case in nodes.cases_of(module):
        if nodes.reason_against(case) or any(name in case.name.lower() for name in lacking):
            continue
        try:
            nodes.run(case, device)
        except Exception as error:  # whatever it is: the others run too, and the list names it
            found.append(f"{case.name}: {type(error).__name__}: {error}")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_the_nodes_of_a_module_give_what_onnx_expects_eagerly_and_traced(module: str) -> None:
    assert not disagreements(module, "numpy")


@pytest.mark.slow
@pytest.mark.parametrize("device", OTHERS)
def test_another_backend_gives_what_onnx_expects(device: str) -> None:
    found = [line for module in nodes.modules() if module not in SLOW for line in disagreements(module, device)]
    assert not found


def test_every_op_that_a_node_test_needs_has_a_function_or_a_reason() -> None:
    cases = [case for module in nodes.modules() if module not in SLOW for case in nodes.cases_of(module)]
    runnable = [case for case in cases if not nodes.reason_against(case)]
    assert len(runnable) > 1500
    used = {node.op_type for case in cases for node in case.model.graph.node}
    assert used - set(nodes.OPS) <= set(nodes.UNSUPPORTED)
    assert not set(nodes.OPS) & set(nodes.UNSUPPORTED)


def test_a_wrong_value_dtype_or_shape_is_a_disagreement() -> None:
    expected = np.asarray([1.0, 1e-3], np.float32)
    comparison.check("exp", expected, pt.asarray(expected))
    for wrong in ([1.0, 1.001e-3], [1.0, np.nan], [1.0], [[1.0, 1e-3]]):
        with pytest.raises(AssertionError):
            comparison.check("exp", expected, pt.asarray(np.asarray(wrong, np.float32)))
    with pytest.raises(AssertionError):
        comparison.check("exp", expected, pt.asarray(expected.astype(np.float64)))
    with pytest.raises(AssertionError):
        comparison.check("sequence", [expected], [])


def test_inputs_that_determine_a_shape_are_read_and_the_others_are_traced() -> None:
    (case,) = (case for case in nodes.cases_of("reshape") if case.name == "reshape_reduced_dims")
    model = comparison.load(case)
    assert model(**case.inputs).shape == case.expected[0].shape
    assert model.static == {"shape"}
    with pytest.raises(pt.PolytapeError, match=r"Reshape 'reshaped' of .* needs values inside a traced function"):
        pt.function(lambda data, shape: model(data, shape))(*case.inputs.values())
    shape = case.inputs["shape"]
    assert pt.function(lambda data: model(data, shape))(case.inputs["data"]).shape == case.expected[0].shape


@pytest.mark.slow
def test_the_page_lists_what_runs() -> None:
    page = importlib.import_module("onnx_nodes.page")
    version = importlib.import_module("onnx").__version__
    text = PAGE.read_text(encoding="utf-8")
    if f"ONNX {version}" not in text:
        pytest.skip(f"the page is about another version of onnx than {version}")
    assert page.rendered(text) == text, "python tools/write_onnx_nodes.py"
