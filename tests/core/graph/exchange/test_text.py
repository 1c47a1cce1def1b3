"""`polytape.parse_graph`: a printed graph reads back to an equal graph."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.errors import DTypeError, TraceError
from polytape.graph import Executable, Graph, check
from polytape.graph.exchange.text import GraphTextError
from polytape.graph.ir import names
from polytape.graph.stages import stages

W = pt.Variable([0.5, -1.0, 0.25], name="w")
CONSTANT = pt.asarray([1.0, 2.0, 3.0])


def values_of(graph: Graph) -> dict[str, Any]:
    """What the text of a graph leaves out, by name."""
    known = names(graph)
    found = {known[x.symbol]: x.holder for x in graph.variables}
    found |= {known[x.symbol]: x.holder for x in graph.constants}
    for source in graph.sources:
        for x, array in zip(source.inputs, source.read(), strict=True):
            found[known[x.symbol]] = pt.Tensor(array, x.type, None)
    return found


def assert_reads_back(graph: Graph, *arguments: Any) -> Graph:
    """Check that the text reads back to the same text, and that what it stands for gives the same bits."""
    values = values_of(graph)
    found = pt.parse_graph(str(graph), values)
    check(found)
    assert str(found) == str(graph)
    assert [x.holder for x in found.variables] == [x.holder for x in graph.variables] or not graph.variables
    state = [values[names(graph)[x.symbol]].array for x in graph.state()]
    inputs = [x.array for x in arguments]
    for actual, expected in zip(
        Executable(found).run(*inputs, *state), Executable(graph).run(*inputs, *state), strict=True
    ):
        np.testing.assert_array_equal(actual, expected)
    return found


STEPS = [
    lambda a, b: a + b, lambda a, b: a * 2.0 - b, lambda a, b: pt.where(a > 0.0, a, 1.0), lambda a, b: pt.exp(a)[::-1],
    lambda a, b: pt.sum(a, keepdims=True) * b, lambda a, b: a * W, lambda a, b: CONSTANT - a,
    lambda a, b: pt.abs(a) ** 2,
    lambda a, b: pt.astype(pt.astype(a, "int32") + 7, "float32"), lambda a, b: pt.nn.softmax(a, axis=-1),
    lambda a, b: pt.concat([a, b], axis=0)[1:4], lambda a, b: pt.cond(pt.sum(a) > 0.0, lambda x: x * W, lambda x: x, b),
    lambda a, b: pt.scan(lambda c, x: (c + x, c), pt.sum(b), a)[1], lambda a, b: a[pt.argsort(b)],
]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=8))
def test_random_graphs_read_back_after_every_pass(steps: list[Any]) -> None:
    def body(x: Any, y: Any) -> Any:
        values = [x, y]
        for step, left, right in steps:
            values.append(step(values[left % len(values)], values[right % len(values)]))
        W.assign(values[-1])
        return values[-1]

    x, y = pt.asarray([0.1, 0.2, -0.3]), pt.asarray([1.0, -1.0, 0.5])
    with np.errstate(all="ignore"):
        traced = pt.function(body).trace(x, y)
        assert_reads_back(traced, x, y)
        for graph in stages(traced).values():
            assert_reads_back(graph, x, y)


@pytest.mark.slow
def test_the_graphs_of_the_examples_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(__file__).parents[4]
    monkeypatch.syspath_prepend(str(folder / "asv_bench"))
    monkeypatch.syspath_prepend(str(folder / "examples"))
    counters = importlib.import_module("graph_counters")
    graphs = 0
    for run in counters.programs().values():
        with counters.captured() as traced:
            run()
        for graph in traced.values():
            for stage in stages(graph).values():
                assert str(pt.parse_graph(str(stage))) == str(stage)
                graphs += 1
    assert graphs >= 30


def test_a_training_step_reads_back_and_trains() -> None:
    w = pt.Variable(np.ones((3, 2), "f4"), name="w")
    optimizer = pt.optim.Adam(0.1)

    def step(x: Any) -> Any:
        with pt.GradientTape() as tape:
            loss = pt.mean(pt.square(pt.nn.dropout(x, 0.5) @ w))
        optimizer.apply_gradients([(tape.gradient(loss, w), w)])
        return loss

    x = pt.ones((4, 3))
    assert_reads_back(pt.function(step).graph(x), x)


@pytest.mark.parametrize(
    "body",
    [
        lambda x: (x[1:, None, ..., 0], x[pt.asarray([0, 1]), :, ::-1][None]),
        lambda x: (pt.where(x > 0.0, x, pt.nan), pt.where(x > 0.0, -pt.inf, x), x * 1e-30, x * -0.0),
        lambda x: (x * (1 + 2j), x * 1j, x > 3, pt.logical_and(x > 1.0, True)),
        lambda x: (pt.full((2,), 7, dtype="int8"), pt.zeros((2, 3), dtype="bool"), pt.arange(4)),
        lambda x: pt.linalg.svd(x).S,
        lambda x: pt.while_loop(lambda s: pt.sum(s) < 99.0, lambda s: s * 2.0 + 1.0, x, maximum_iterations=7),
        lambda x: pt.scan(lambda c, r: pt.scan(lambda d, q: (d + q * c, None), c, r), 0.5, x[0], reverse=True),
        lambda x: (),
    ],
)
def test_every_form_of_operand_attribute_and_region_reads_back(body: Any) -> None:
    x = pt.asarray(np.arange(24.0, dtype="f4").reshape(2, 3, 4))
    for graph in pt.function(body).stages(x).values():
        assert_reads_back(graph, x)


def test_a_fused_graph_is_fused_again() -> None:
    x = pt.asarray(np.linspace(-1.0, 1.0, 1 << 17, dtype="f4"))
    graph = pt.function(lambda x: pt.tanh(x * 2.0 + 1.0) * x - pt.sum(pt.exp(x) * 0.5)).graph(x)
    assert "fused[" in str(graph)
    assert [x.op.name for x in assert_reads_back(graph, x).equations] == [x.op.name for x in graph.equations]


def test_the_width_of_columns_and_the_lines_at_the_end_do_not_matter() -> None:
    text = "graph f(x: float32[2]) -> float32[2]\n a: float32[2] = multiply(x, 2.0)\n\n return a"
    graph = pt.parse_graph(text)
    assert Executable(graph).run(np.ones(2, "f4"))[0].tolist() == [2.0, 2.0]
    assert graph.equations[0].source == ("", 0)


def test_what_the_text_leaves_out_may_be_missing_until_a_run_needs_it() -> None:
    learning = pt.optim.SGD(0.5)
    w = pt.Variable([1.0, 2.0], name="w")

    def body(x: Any) -> None:
        learning.apply_gradients([(x * CONSTANT[:2], w)])

    text = str(pt.function(body).graph(pt.ones(2)))
    graph = pt.parse_graph(text)
    variables = {x.name: x.holder for x in graph.variables}
    assert str(graph) == text and variables["w"] is not w and variables["w"].tolist() == [0.0, 0.0]
    assert all(x.holder is None for x in graph.constants)
    with pytest.raises(TraceError, match=r"no value for learning_rate(.|\n)*values=\{'learning_rate': \.\.\.\}"):
        graph.sources[0].read()
    assert any(x.holder is w for x in pt.parse_graph(text, {"w": w}).variables)


@pytest.mark.parametrize(
    ("line", "place", "expected"),
    [
        ("  a: float32[2] = multiply(x, y)", "line 2", "a value that is defined before, or a number"),
        ("  a: float32[2] = multiply(x 2.0)", "line 2", "a value that is defined before, or a number"),
        ("  a: float32[3] = multiply(x, 2.0)", r"equation 0 \(multiply\), outputs", r"float32\[2\], by the op's rules"),
        ("  a: float32[2] = multiplied(x, 2.0)", "equation 0, op", "an op, such as multiply"),
        ("  a: float32[2] = sum(x, axes=0)", r"equation 0 \(sum\), attribute 'axes'", "an attribute of the op"),
        ("  x: float32[2] = negative(x)", "line 2", "a name that is not used yet"),
        ("  a = negative(x)", "line 2", r"name: dtype\[sizes\]"),
        ("  what is this", "line 2", "an equation"),
        ("  a: float32[2] = fused[exp, tanh](x)", "line 2", "the members of the fused equation"),
        ("graph g() -> ()", "line 2", "a line that is indented further"),
        ("  a: float32[2] = astype(x, dtype=float7)", "line 2", "an attribute's value"),
        ("  return b", "line 2", "a value that is defined before"),
    ],
)
def test_a_text_that_is_no_graph_is_rejected_with_its_place(line: str, place: str, expected: str) -> None:
    text = f"graph f(x: float32[2]) -> float32[2]\n{line}\n  return a"
    with pytest.raises(GraphTextError, match=f"the text is not a graph: {place}") as caught:
        pt.parse_graph(text)
    caught.match(f"expected: {expected}")


def test_values_that_do_not_belong_to_the_graph_are_rejected() -> None:
    text = str(pt.function(lambda x: x * CONSTANT).graph(pt.ones(3)))
    with pytest.raises(DTypeError, match=r"no values named other(.|\n)*expected: some of c0"):
        pt.parse_graph(text, {"other": 1.0})
    with pytest.raises(DTypeError, match=r"c0 has another type(.|\n)*expected: float32\[3\](.|\n)*got: float32\[2\]"):
        pt.parse_graph(text, {"c0": pt.ones(2)})


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_changed_text_is_a_graph_or_an_error(data: st.DataObject) -> None:
    text = str(pt.function(lambda x: pt.scan(lambda c, r: (c + r * 2.0, c), 0.0, x[:, 0])[1]).graph(pt.ones((2, 2))))
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, min(len(text), start + 9)))
    changed = text[:start] + data.draw(st.text(st.sampled_from("abcx01(),:[]=#. \n-'\"jen"), max_size=6)) + text[end:]
    try:
        check(pt.parse_graph(changed))
    except pt.PolytapeError as error:
        assert len(str(error)) < 2000
