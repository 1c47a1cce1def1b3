"""Moves between devices in a trace: they give what an eager run gives, wherever state and data are."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import TraceError

PAIRS = list(itertools.permutations(["numpy", "numba", "sim"], 2))
Make = Callable[[str, str], Callable[[Any], Any]]


@pytest.fixture(params=PAIRS, ids="-".join)
def places(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """Where the state is, and where the data."""
    ready = {status.name for status in pt.backends() if status.status == "ready"}
    missing = {*request.param} - ready
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed")
    yield request.param


def values(results: Any) -> list[Any]:
    leaves = results if isinstance(results, (list, tuple)) else [results]
    return [np.asarray(x.numpy()).tolist() for x in leaves]


def check_both_ways(make: Make, places: tuple[str, str]) -> None:
    """Three calls, eager and traced, from the same state."""
    x = pt.asarray([1.0, 2.0, 3.0], device=places[1])
    eager, traced = make(*places), pt.function(make(*places))
    for _ in range(3):
        assert values(traced(x)) == values(eager(x))


def gradients(state: str, data: str) -> Callable[[Any], Any]:
    w = pt.Variable(pt.asarray([2.0, 3.0, 4.0], device=state))

    def first(x: Any) -> list[Any]:
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = pt.sum((x.to_device(state) * w) ** 3)
        return list(tape.gradient(y, [x, w]))

    def both(x: Any) -> list[Any]:
        with pt.GradientTape() as tape:
            tape.watch(x)
            found = first(x)
            total = pt.sum(found[0])
        return [*found, tape.gradient(total, x)]

    return both


def transforms(state: str, data: str) -> Callable[[Any], Any]:
    def moved(x: Any) -> Any:
        return (x.to_device(state) * 3.0).to_device(data) ** 2

    def all_of_them(x: Any) -> list[Any]:
        again = pt.gradients_function(pt.recompute(lambda x: pt.sum(moved(x))))(x)
        batched = pt.vmap(pt.gradients_function(moved))(x)
        return [*pt.jvp(moved, (x,), (x,)), pt.vmap(moved)(x), *batched, *again]

    return all_of_them


def control_flow(state: str, data: str) -> Callable[[Any], Any]:
    w = pt.Variable(pt.asarray([2.0, 3.0, 4.0], device=state))

    def run(x: Any) -> list[Any]:
        branch = pt.cond(pt.sum(x) > 0, lambda: w.to_device(data) * x, lambda: x)
        return [branch, pt.fori_loop(0, 3, lambda _, carry: carry * 1.5 + w.to_device(data), x)]

    return run


def optimizers(state: str, data: str) -> Callable[[Any], Any]:
    rate = pt.optim.schedules.ExponentialDecay(0.1, 2, 0.5)
    kinds: list[Any] = [pt.optim.Adam, pt.optim.Nadam, pt.optim.Adamax]
    with pt.device(state):
        count = pt.Variable(0)
        made = [kind(rate, global_clip_norm=1.0) for kind in kinds]
    with pt.device(data):
        variables = [[pt.Variable([1.0, 2.0, 3.0]) for _ in range(2)] for _ in made]

    def step(x: Any) -> list[Any]:
        results = []
        for optimizer, ours in zip(made, variables, strict=True):
            with pt.GradientTape() as tape:
                loss = pt.sum((ours[0] * x - ours[1]) ** 2)
            optimizer.apply_gradients(zip(tape.gradient(loss, ours), ours, strict=True), global_step=count)
            results += [loss, *(v.read_value() for v in ours), optimizer.step.read_value()]
        return [*results, count.read_value()]

    return step


def other_state(state: str, data: str) -> Callable[[Any], Any]:
    with pt.device(state):
        generator = pt.random.Generator(7)
        mean, similarity = pt.metrics.Mean(), pt.metrics.CosineSimilarity()
    with pt.device(data):
        v = pt.Variable([1.0, 2.0, 3.0])
    with pt.device(state):
        averages = [pt.optim.AveragedWeights([v]), pt.optim.AveragedWeights([v], decay=0.9)]
        accumulator = pt.optim.GradientAccumulator([v])

    def run(x: Any) -> list[Any]:
        v.assign_add(x)
        accumulator.add([x * x])
        results = [pt.random.normal((3,), generator=generator, device=data) + x, mean(x), similarity(x, v)]
        for average in averages:
            average.update()
            with average.swapped():
                results.append(v * 1.0)
        return [*results, v.read_value(), accumulator.mean()[0]]

    return run


@pytest.mark.parametrize("make", [gradients, transforms, control_flow, optimizers, other_state])
def test_a_trace_with_moves_gives_what_an_eager_run_gives(make: Make, places: tuple[str, str]) -> None:
    check_both_ways(make, places)


def test_the_policy_for_mixed_devices_holds_in_a_trace(places: tuple[str, str]) -> None:
    def make(state: str, data: str) -> Callable[[Any], Any]:
        w = pt.Variable(pt.asarray([2.0, 3.0, 4.0], device=state))
        return lambda x: x + w

    old = pt.set_mixed_devices("silent")
    try:
        check_both_ways(make, places)
    finally:
        pt.set_mixed_devices(old)


def test_a_move_is_an_equation_that_costs_no_operation() -> None:
    if not any(status.name == "sim" and status.status == "ready" for status in pt.backends()):
        pytest.skip("polytape-sim is not installed")
    f = pt.function(lambda x: x.to_device("sim") * 2.0)
    x = pt.ones((3,), device="numpy")
    assert "= to_device(x, device=sim:sim:0)" in str(f.graph(x)) and f.cost(x).flops == 3


def test_a_symbol_cannot_be_moved_after_its_trace(places: tuple[str, str]) -> None:
    kept: list[Any] = []
    pt.function(kept.append)(pt.ones((2,), device=places[0]))
    with pytest.raises(TraceError, match="outside its trace"):
        kept[0].to_device(places[1]) + 1.0
