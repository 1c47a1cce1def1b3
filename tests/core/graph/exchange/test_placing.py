"""Which values stay on the host: those that only random ops read, by their equations alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import polytape as pt
from polytape.graph.exchange.placing import host_symbols
from polytape.registry.tables import get_op


class Call:
    def __init__(self, op: str, operands: tuple[Any, ...], *outputs: int) -> None:
        self.op = get_op(op)
        self.operands = operands
        self.outputs = outputs


DRAW, ADD = "random_bits", "add"


@pytest.mark.parametrize(
    ("inputs", "arguments", "read", "calls", "assignments", "outputs", "expected"),
    [
        # 0: x, 1: state, 2: blocks; each draw takes the state moved on by the draws before it.
        (3, 1, 0, [Call(DRAW, (1,), 3), Call(ADD, (1, 2), 4), Call(DRAW, (4,), 5)], [], [3, 5], {1, 2, 4}),
        # A state that is a variable, and assigned.
        (2, 0, 1, [Call(DRAW, (0,), 2), Call(ADD, (0, 1), 3)], [(0, 3)], [2], {0, 1, 3}),
        # A state that is also a result is on the graph's device, and so is what it depends on.
        (2, 0, 1, [Call(DRAW, (0,), 2), Call(ADD, (0, 1), 3)], [(0, 3)], [2, 3], set()),
        # An argument is on the graph's device, an unused variable too.
        (3, 1, 2, [Call(DRAW, (0,), 3), Call(DRAW, (1,), 4)], [], [3], {1}),
        (2, 1, 1, [Call(ADD, (0, 1), 2)], [], [2], set()),
    ],
)
def test_values_for_random_ops(
    inputs: int, arguments: int, read: int, calls: Any, assignments: Any, outputs: Any, expected: set[int]
) -> None:
    assert host_symbols(inputs, arguments, read, calls, assignments, outputs) == expected


def test_values_in_regions_are_where_their_equation_has_them(tmp_path: Any) -> None:
    generator, w = pt.random.Generator(5), pt.Variable([1.0, 2.0])

    @pt.function
    def f(x: Any) -> Any:
        def step(carry: Any, row: Any) -> Any:
            w.assign(w + row)
            return carry + pt.cond(row[0] > 0, lambda: pt.random.normal((2,), generator=generator), lambda: w), None

        return pt.scan(step, x[0], x)[0]

    f.export(tmp_path / "graph", pt.ones((3, 2)))
    loaded = pt.load_graph(tmp_path / "graph", device="numba")
    known: dict[str, set[str]] = {}

    def visit(graph: Any) -> None:
        types = [x.type for x in graph.inputs()] + [t for e in graph.equations for t in e.resolution.result_types]
        for tensor_type in types:
            known.setdefault(tensor_type.dtype.name, set()).add(str(tensor_type.device))
        for equation in graph.equations:
            for region in () if equation.regions is None else equation.regions.graphs:
                visit(region)

    visit(loaded.graph)
    assert known == {"float32": {"numba:cpu:0"}, "bool": {"numba:cpu:0"}, "uint64": {"numpy:cpu:0"}}


def draws(generator: Any) -> list[Callable[[Any], Any]]:
    def set_inside(x: Any) -> Any:
        generator.state.assign(generator.state.read_value())
        return x + pt.random.uniform((2,), generator=generator)

    def twice(x: Any) -> Any:
        return x + pt.random.uniform((2,), generator=generator) * pt.random.normal((2,), generator=generator)

    return [twice, set_inside]


@pytest.mark.parametrize("which", [0, 1])
def test_a_generator_stays_on_the_host_of_a_simulated_device(which: int, tmp_path: Any) -> None:
    if "sim" not in [status.name for status in pt.backends()]:
        pytest.skip("polytape-sim is not installed")
    traced = pt.function(draws(pt.random.Generator(5))[which])
    with pt.device("sim"):
        x = pt.asarray([1.0, 2.0])
        traced.export(tmp_path / "graph", x)
    for device in ("sim", "numpy"):
        loaded = pt.load_graph(tmp_path / "graph", device=device)
        got = loaded(pt.asarray([1.0, 2.0], device=device))
        assert got.device.backend == device
        assert {v.device.backend for v in loaded.variables} <= {"numpy"}
        if device == "sim":
            with pt.device("sim"):
                assert got.numpy().tobytes() == traced(x).numpy().tobytes()
