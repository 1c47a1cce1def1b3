"""Fusion: which equations form a cluster, in which order the rest runs, and that nothing changes in the results."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.backend import Cluster, Number
from polytape.graph import Equation, Executable, Graph, check
from polytape.graph.passes import common_subexpressions, dead_code, fusion

fusion_module = sys.modules["polytape.graph.passes.fusion"]

pytest.importorskip("polytape_sim")  # its compiler accepts clusters of every size

X = np.array([[0.5, -1.0, 2.0], [3.0, -0.25, 0.0]], "float32")


def names(graph: Graph) -> list[str]:
    return [equation.op.name for equation in graph.equations]


def fused(body: Callable[..., Any], *arrays: Any) -> Graph:
    """The graph of a function after the passes, checked; its results must be those of the function itself."""
    tensors = [pt.asarray(x, device="sim:0") for x in arrays]
    graph = fusion(dead_code(common_subexpressions(pt.function(body).trace(*tensors))))
    check(graph, "fusion")
    results = Executable(graph).run(*[x.array for x in tensors], *[x.holder.array for x in graph.variables])
    expected = body(*tensors)
    expected = expected if isinstance(expected, (list, tuple)) else [expected]
    for got, value in zip(results, expected, strict=False):
        np.testing.assert_array_equal(pt.get_backend("sim").to_host(got), value.numpy())
    return graph


def test_a_chain_becomes_one_equation_with_the_line_of_its_last() -> None:
    graph = fused(lambda x: pt.tanh(pt.abs(x) * 2.0 + 1.0), X)
    assert names(graph) == ["fused[abs, multiply, add, tanh]"]
    assert str(graph).splitlines()[1].startswith("  a: float32[2,3] = fused[abs, multiply, add, tanh](x)")


def test_the_work_grows_with_the_number_of_equations_and_no_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    # The gradient of betainc has 12,000 equations: one look at all of them per cluster took ten seconds.
    looks = 0

    def counted(equation: Equation) -> Any:
        nonlocal looks
        looks += 1
        return symbols(equation)

    symbols = Equation.symbols
    monkeypatch.setattr(Equation, "symbols", counted)

    def work(steps: int) -> int:
        nonlocal looks
        graph = pt.function(lambda x: functools.reduce(lambda y, _: pt.tanh(y), range(steps), x)).trace(
            pt.asarray(X, device="sim:0")
        )
        looks = 0
        assert len(fusion(graph).equations) == steps // fusion_module.MOST_STEPS
        return looks

    assert work(1536) <= 1.2 * 6 * work(256)


def test_rows_that_are_reduced_stay_in_the_cluster() -> None:
    def softmax(x: Any) -> Any:
        y = pt.exp(x - pt.max(x, axis=-1, keepdims=True))
        return y / pt.sum(y, axis=1, keepdims=True)

    def layer_norm(x: Any) -> Any:
        distance = x - pt.mean(x, axis=-1, keepdims=True)
        return distance / pt.sqrt(pt.mean(pt.square(distance), axis=-1, keepdims=True) + 1e-5)

    assert names(fused(softmax, X)) == ["fused[max, subtract, exp, sum, divide]"]
    assert names(fused(layer_norm, X)) == ["fused[mean, subtract, square, mean, add, sqrt, divide]"]


def test_a_reduction_that_drops_its_axes_ends_a_cluster() -> None:
    def body(x: Any) -> Any:
        y = pt.exp(x * 2.0)
        ends = pt.max(y, axis=(0, 1)), pt.mean(y, axis=-1)
        return pt.sqrt(y / pt.sum(y)), ends[0], ends[1] * 2.0 + 1.0

    graph = fused(body, X)
    assert names(graph) == ["fused[multiply, exp, max, mean, sum]", "fused[divide, sqrt]", "fused[multiply, add]"]
    assert [y.shape for y in graph.equations[0].outputs] == [(2, 3), (), (2,), ()]


def test_other_reductions_separate_two_clusters() -> None:
    def body(x: Any) -> Any:
        y = pt.exp(x * 2.0)
        return pt.sqrt(y / pt.sum(y, axis=0, keepdims=True)), pt.prod(y)

    assert names(fused(body, X)) == ["fused[multiply, exp]", "sum", "fused[divide, sqrt]", "prod"]


def test_a_backend_that_cannot_reduce_gets_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = pt.get_backend("sim")
    compile_cluster = backend.compile

    def elementwise_only(cluster: Cluster) -> Any:
        return compile_cluster(cluster) if all(x.result.shape == cluster.shape for x in cluster.steps) else None

    monkeypatch.setattr(backend, "compile", elementwise_only)

    def body(x: Any) -> Any:
        y = pt.exp(x * 2.0)
        return pt.sqrt(y / pt.sum(y, axis=-1, keepdims=True))

    assert names(fused(body, X)) == ["fused[multiply, exp]", "sum", "fused[divide, sqrt]"]


def test_dead_equations_are_no_cluster_but_may_be_steps_of_one() -> None:
    def body(x: Any) -> Any:
        y = pt.exp(x * 2.0)
        pt.sqrt(pt.mean(y, axis=-1, keepdims=True) + 1.0)
        z = pt.prod(y, axis=0)
        pt.sin(pt.cos(z))
        return z

    x = pt.asarray(X, device="sim:0")
    graph = fusion(pt.function(body).trace(x))
    check(graph, "fusion")
    assert names(graph) == ["fused[multiply, exp, mean, add, sqrt]", "prod", "cos", "sin"]
    np.testing.assert_array_equal(x.type.backend.to_host(Executable(graph).run(x.array)[0]), body(x).numpy())
    assert names(dead_code(graph)) == ["fused[multiply, exp, mean, add, sqrt]", "prod"]


def test_a_cluster_is_offered_to_the_backend_that_is_extended() -> None:
    offered: list[str] = []

    def decline(cluster: Cluster) -> None:
        offered.append(cluster.key().splitlines()[0])

    with pt.register_backend(pt.Backend(name="outer", extends="numpy", compile=decline)):
        x = pt.asarray(np.linspace(-1, 1, 70_000, dtype="float32"), device="outer")
        assert names(pt.function(lambda x: pt.exp(x * 2.0)).graph(x)) == ["fused[multiply, exp]"]
    assert offered == ["outer:cpu [70000] -> [2]"]


def test_an_early_cluster_that_needs_a_later_one_is_not_needed_by_it() -> None:
    """The cluster of z could take its exp only if that of x, which needs cos(z), came both before and after it."""

    def body(x: Any) -> Any:
        z = x[0]
        a = pt.sin(x)
        b = pt.cos(z)
        late = pt.tanh(pt.sum(b) + x)
        return a, late, pt.exp(z * pt.sum(a)), b

    found = names(fused(body, X))
    assert sorted(found) == [
        "fused[add, tanh]",
        "fused[cos, sum]",
        "fused[multiply, exp]",
        "fused[sin, sum]",
        "getitem",
    ]


def test_steps_that_do_not_depend_on_each_other_are_not_joined() -> None:
    def body(x: Any, bias: Any) -> Any:
        y, z = pt.matmul(x, x), pt.matmul(x, x * 2.0)
        return pt.abs(y + bias), pt.abs(z + bias), pt.sin(x), pt.cos(x)

    graph = fused(body, X[:, :2], X[0, :2])
    assert [name for name in names(graph) if "fused" in name] == ["fused[add, abs]"] * 2


def test_values_that_others_need_are_outputs() -> None:
    def body(x: Any) -> Any:
        y = x * 2.0
        z = pt.exp(y)
        return pt.prod(y), pt.tanh(z), y

    graph = fused(body, X)
    assert names(graph) == ["fused[multiply, exp, tanh]", "prod"]
    assert [len(equation.outputs) for equation in graph.equations] == [2, 1]


def test_an_equation_between_moves_behind_the_cluster_that_it_needs() -> None:
    def body(x: Any, y: Any) -> Any:
        a = x * 2.0
        b = pt.prod(a)  # needs the cluster
        c = pt.matmul(y, y)  # needed by the cluster
        return pt.exp(a + c), b

    graph = fused(body, X[:, :2], X[:, :2])
    assert names(graph) == ["matmul", "fused[multiply, add, exp]", "prod"]


def test_other_shapes_and_single_equations_stay() -> None:
    def body(x: Any, y: Any) -> Any:
        return pt.exp(x), pt.exp(y), pt.prod(x) * 2.0 + 1.0

    assert names(fused(body, X, X[0])) == ["exp", "exp", "prod", "multiply", "add"]


def test_a_long_chain_is_compiled_in_parts() -> None:
    def body(x: Any) -> Any:
        for _ in range(100):
            x = x * 0.5
        return x

    assert [name.count("multiply") for name in names(fused(body, X))] == [64, 36]


def test_a_sum_of_many_terms_frees_them_in_parts() -> None:
    def body(x: Any) -> Any:
        total = x
        for term in [pt.matmul(x, x + float(k)) for k in range(30)]:
            total = total + term
        return total

    graph = fused(body, X[:, :2])
    widths = [len(equation.operands) for equation in graph.equations if equation.op.name.startswith("fused")]
    assert len(widths) >= 4 and max(widths) <= fusion_module.MOST_READ + 1  # and the argument


def test_what_the_backend_declines_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Cluster] = []
    monkeypatch.setattr(pt.get_backend("sim"), "compile", lambda cluster: seen.append(cluster))
    assert names(fused(lambda x, y: pt.exp(x * 2.0 + y), X, X[0])) == ["multiply", "add", "exp"]
    cluster = seen[-1]
    assert [step.op for step in cluster.steps] == ["multiply", "add", "exp"]
    assert isinstance(cluster.steps[0].operands[1], Number)
    assert cluster.steps[1].operands == (2, 1)
    assert cluster.outputs == (4,)
    assert cluster.key().splitlines() == [
        "sim:sim [2, 3] -> [4]",
        "0: float32[2, 3]",
        "1: float32[3]",
        "2: float32 = multiply(%0, float32(2.0))",
        "3: float32 = add(%2, %1)",
        "4: float32 = exp(%3)",
    ]


def test_an_error_names_the_line_of_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*arrays: Any) -> Any:
        raise RuntimeError("out of units")

    monkeypatch.setattr(pt.get_backend("sim"), "compile", lambda cluster: failing)
    f = pt.function(lambda x: pt.exp(x * 2.0))
    with pytest.raises(RuntimeError, match="out of units") as caught:
        f(pt.asarray(X, device="sim:0"))
    assert any("fused[multiply, exp](x)" in note and "test_fusion.py" in note for note in caught.value.__notes__)


def test_gradients_vmap_and_variables_pass_through_clusters() -> None:
    with pt.device("sim:0"):
        w = pt.Variable(X)
        x = pt.asarray(X)

        @pt.function
        def step(x: Any) -> Any:
            with pt.GradientTape() as tape:
                loss = pt.sum(pt.tanh(w * x) * 2.0)
            w.assign(w - 0.1 * tape.gradient(loss, w))
            return loss

        assert any("fused" in name for name in names(step.graph(x)))
        before = w.numpy()
        step(x)
        slope = 2.0 * (1.0 - np.tanh(before * X) ** 2) * X
        np.testing.assert_allclose(w.numpy(), before - 0.1 * slope, rtol=1e-6)
        f = pt.function(lambda x: pt.exp(x * 2.0) + 1.0)
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        np.testing.assert_allclose(tape.gradient(y, x).numpy(), 2.0 * np.exp(2.0 * X), rtol=1e-6)
        np.testing.assert_array_equal(pt.vmap(f)(x).numpy(), f(x).numpy())


UNARY = [
    pt.exp, pt.tanh, pt.negative, pt.square, pt.abs, lambda x: x * 2.0, lambda x: 1 - x, lambda x: x[::-1],
    lambda x: pt.sum(x, axis=0) + x, lambda x: x / pt.max(x, axis=-1, keepdims=True), lambda x: x[0], pt.sum,
    lambda x: pt.mean(x, axis=-1, keepdims=True) * 2.0 - x, lambda x: pt.prod(pt.min(x, axis=-1)) - x,
    lambda x: pt.sqrt(pt.sum(pt.square(x), axis=-1, keepdims=True)), lambda x: x - pt.mean(x, keepdims=True),
]  # fmt: skip
BINARY = [pt.add, pt.subtract, pt.multiply, pt.maximum, pt.less, lambda x, y: pt.where(x < y, x, y)]
STEP = st.tuples(st.integers(0, len(UNARY) + len(BINARY) - 1), st.integers(0, 99), st.integers(0, 99))


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, min_size=2, max_size=16), st.lists(st.integers(0, 99), min_size=1, max_size=3))
def test_random_programs_give_the_same_bits(steps: list[Any], result_indices: list[int]) -> None:
    def body(x: Any, y: Any) -> Any:
        values = [x, y, pt.ones(3, device=x.device)]
        for choice, left, right in steps:
            a, b = [pt.astype(values[index % len(values)], "float32") for index in (left, right)]
            if choice < len(UNARY):
                values.append(UNARY[choice](a) if a.ndim else pt.exp(a))
            else:
                values.append(BINARY[choice - len(UNARY)](a, b))
        return [values[-1 - index % len(values)] for index in result_indices]

    with np.errstate(all="ignore"):
        fused(body, X, X[::-1] * 0.5)
