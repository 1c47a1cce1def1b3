"""Wiring: it connects every value of the equations that traces make, whose types agree with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import polytape as pt
from polytape.control import forms
from polytape.graph import Graph
from polytape.graph.exchange.equations import kinds
from polytape.graph.region_tracing import FORMS
from polytape.graph.regions import Regions
from polytape.graph.wiring import Port, arguments, connected, operands


def with_everything(x: Any) -> Any:
    w, generator = pt.Variable([1.0, 2.0]), pt.random.Generator(1)
    square = pt.custom_gradient(lambda x, y: (x * x + y, lambda g: (None, g * w)))

    @pt.function
    def f(x: Any) -> Any:
        def step(carry: Any, row: Any) -> Any:
            w.assign(square(w, row) + carry)
            noise = pt.cond(row[0] > 0, lambda: pt.random.normal((2,), generator=generator), lambda: w)
            return pt.while_loop(lambda s: pt.sum(s) < 9.0, lambda s: s + pt.exp(w), noise, 5), (row, carry[0])

        with pt.GradientTape() as tape:
            carry, (rows, firsts) = pt.scan(step, x[0], x, reverse=True)
            total = pt.sum(carry) + pt.sum(firsts)
        return total, rows, tape.gradient(total, [w])

    return f.trace(x)


def equations(graph: Graph) -> Iterator[Any]:
    for equation in graph.equations:
        if equation.regions is not None:
            yield equation
            for region in equation.regions.graphs:
                yield from equations(region)


def test_every_value_is_connected_and_has_the_type_of_its_partner() -> None:
    seen = set()
    for equation in equations(with_everything(pt.ones((3, 2)))):
        regions = equation.regions
        seen.add(equation.op.name)
        wiring = regions.wiring(regions.data(), len(equation.operands), len(equation.outputs))
        values: dict[Port, Any] = {}
        for kind, given in (("operand", regions.operands), ("result", regions.results)):
            values |= {Port(kind, k): (x.dtype, shape) for k, (x, shape) in enumerate(given)}
        for number, graph in enumerate(regions.graphs):
            assert (len(graph.arguments), len(graph.outputs)) == wiring.regions[number]
            symbols = [("argument", [x.symbol for x in graph.arguments]), ("output", graph.outputs)]
            values |= {Port(kind, k, number): (x.dtype, x.shape) for kind, xs in symbols for k, x in enumerate(xs)}
        for a, b in wiring.equal:
            assert values[a] == values[b], (equation.op, a, b)
        for whole, row in wiring.stacked:
            dtype, shape = values[row]
            assert values[whole] == (dtype, (wiring.length, *shape)), (equation.op, whole, row)
        assert all(values[port] == (pt.bool, ()) for port in wiring.predicates)
        named = {port for pair in (*wiring.equal, *wiring.stacked) for port in pair} | set(wiring.predicates)
        free = range(regions.inputs) if equation.op.name == "custom_gradient" else ()  # inputs without a gradient
        assert named | {Port("operand", k) for k in free} == set(values), equation.op
    assert seen == set(kinds())


def test_every_kind_of_regions_has_a_form_in_files() -> None:
    # By name: a dataclass with slots leaves the class behind that it was made of.
    own = {str(kind) for kind in Regions.__subclasses__() if kind.__module__.startswith("polytape.")}
    assert own == {str(kind) for kind in (*FORMS.values(), *forms.FORMS.values())}


@pytest.mark.parametrize(
    ("op", "data", "count", "outputs"),
    [
        ("cond", {}, 0, 1),
        ("while_loop", {"limit": None}, 1, 2),
        ("while_loop", {"limit": -1}, 2, 2),
        ("scan", {"carries": 1, "rows": 2, "length": 3, "reverse": False, "keep": False}, 2, 1),
        ("scan", {"carries": 2, "rows": 0, "length": 3, "reverse": False, "keep": True}, 2, 3),
        ("scan", {"carries": -1, "rows": 3, "length": 3, "reverse": False, "keep": False}, 2, 1),
        ("assigned", {}, 3, 1),
        ("custom_gradient", {"inputs": 2, "connected": (2,)}, 4, 1),
        ("custom_gradient", {"inputs": 2, "connected": (0, 0)}, 4, 1),
        ("custom_gradient", {"inputs": 2, "connected": ("0",)}, 4, 1),
        ("custom_gradient", {"inputs": 4, "connected": ()}, 4, 1),
        ("custom_gradient", {"inputs": -1, "connected": ()}, 4, 1),
    ],
)
def test_numbers_that_do_not_belong_together_have_no_wiring(op: str, data: Any, count: int, outputs: int) -> None:
    assert kinds()[op].wiring(data, count, outputs) is None


def test_pairs_are_of_the_first_list_with_each_other() -> None:
    pairs = connected(operands(1, 2), arguments(0, 2), arguments(4, 2, 1))
    assert [f"{a} - {b}" for a, b in pairs] == [
        "operand 1 - argument 0 of region 0",
        "operand 2 - argument 1 of region 0",
        "operand 1 - argument 4 of region 1",
        "operand 2 - argument 5 of region 1",
    ]
