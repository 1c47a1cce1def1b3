"""Memory under tapes and of variables: freed by reference counts alone, with the collector off."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import MemoryInfoError


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """Cycles would stay: what goes must go by reference counts."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def dead(*references: Any) -> list[bool]:
    """Which of these weak references are gone."""
    return [one() is None for one in references]


def test_an_unused_result_goes_after_the_forward_pass() -> None:
    x = pt.asarray(np.ones(10))
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.exp(x)  # its rule keeps y
        kept = weakref.ref(y.array)
        del y
        assert dead(kept) == [True]


def test_a_result_and_all_before_it_go_with_its_last_handle() -> None:
    x = pt.asarray(np.ones(10))
    with pt.GradientTape() as tape:
        tape.watch(x)
        hidden = pt.exp(x)
        y = pt.tanh(hidden) * hidden
    references = [weakref.ref(one.array) for one in (hidden, y)]
    del hidden
    assert dead(*references) == [False, False]
    del y
    assert dead(*references) == [True, True]


def test_a_gradient_frees_the_records_it_has_passed() -> None:
    x = pt.asarray(np.ones(10))
    with pt.GradientTape() as tape:
        tape.watch(x)
        hidden = pt.exp(x)
        loss = pt.sum(pt.tanh(hidden))
    kept = weakref.ref(hidden.array)
    del hidden
    tape.gradient(loss, x)
    assert dead(kept) == [True]
    assert loss.item() > 0.0


def test_records_are_freed_while_the_walk_goes_on() -> None:
    """At the first op's rule the last op's array is gone."""
    seen: list[bool] = []

    @pt.custom_gradient
    def probe(x: pt.Tensor) -> Any:
        def grad(g: pt.Tensor) -> pt.Tensor:
            seen.extend(dead(kept))
            return g

        return x * 1.5, grad

    x = pt.asarray(np.ones(10))
    with pt.GradientTape() as tape:
        tape.watch(x)
        late = pt.exp(pt.exp(probe(x)))
        loss = pt.sum(late)
    kept = weakref.ref(late.array)
    del late
    assert dead(kept) == [False]
    tape.gradient(loss, x)
    assert seen == [True]


def test_a_persistent_tape_keeps_its_records_until_they_go() -> None:
    x = pt.asarray(np.ones(10))
    with pt.GradientTape(persistent=True) as tape:
        tape.watch(x)
        hidden = pt.exp(x)
        loss = pt.sum(hidden * hidden)
    kept = weakref.ref(hidden.array)
    del hidden
    tape.gradient(loss, x)
    assert dead(kept) == [False]
    del loss
    assert dead(kept) == [True]


def test_a_second_derivative_leaves_nothing_behind() -> None:
    x = pt.asarray(np.ones(10))
    with pt.GradientTape() as outer:
        outer.watch(x)
        with pt.GradientTape() as inner:
            inner.watch(x)
            y = pt.exp(x)
            kept = weakref.ref(y.array)
        dy = inner.gradient(y, x)
        also = weakref.ref(dy.array)
    del y
    outer.gradient(dy, x)
    del dy
    assert dead(kept, also) == [True, True]


def test_a_tape_that_is_dropped_takes_its_records_along() -> None:
    x = pt.asarray(np.ones(10))
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.exp(x)
    kept = weakref.ref(y.array)
    del tape, y
    assert dead(kept) == [True]


def test_a_hand_written_gradient_that_holds_its_own_output_makes_no_cycle() -> None:
    @pt.custom_gradient
    def exponential(x: pt.Tensor) -> Any:
        y = pt.exp(x)
        return y, lambda g: g * y

    x = pt.asarray(np.ones(10))
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = exponential(x)
    kept = weakref.ref(y.array)
    found = tape.gradient(y, x)
    del y
    assert dead(kept) == [True]
    np.testing.assert_allclose(found, np.exp(np.ones(10)))


def test_a_trained_variable_goes_with_its_last_reference() -> None:
    v = pt.Variable(np.ones(10))
    with pt.GradientTape() as tape:
        loss = pt.sum(v * v)
    v.assign_sub(tape.gradient(loss, v))
    kept = weakref.ref(v.array)
    del v
    assert dead(kept) == [True]


def test_an_old_value_goes_when_another_is_assigned() -> None:
    v = pt.Variable(np.ones(10))
    old = weakref.ref(v.array)
    v.assign(np.zeros(10))
    assert dead(old) == [True]


def test_a_kernels_mistake_leaves_no_operand_behind() -> None:
    x = pt.asarray(np.ones(3))
    kept = weakref.ref(x.array)
    with pytest.raises(pt.PolytapeError):
        x + pt.asarray(np.ones(4))
    del x
    assert dead(kept) == [True]


def step(w: pt.Variable, x: pt.Tensor) -> pt.Tensor:
    """One training step; gives the loss tensor."""
    with pt.GradientTape() as tape:
        loss = pt.mean(pt.square(x * w - 1.0))
    w.assign_sub(tape.gradient(loss, w) * 0.1)
    return loss


def test_a_thousand_steps_that_keep_the_loss_leave_memory_flat() -> None:
    w, x = pt.Variable(np.full(1000, 0.5)), pt.asarray(np.ones(1000))
    losses = [step(w, x) for _ in range(20)]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    losses += [step(w, x) for _ in range(1000)]
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    # A step's arrays are 8,000 bytes each; a kept loss is a handle, its spent record, and its tape.
    assert (after - before) / 1000 < 2000
    assert losses[-1].item() < losses[0].item()


def test_the_peak_of_a_taped_step_is_what_must_be_kept() -> None:
    n = 1 << 20
    x, w = pt.asarray(np.ones(n)), pt.Variable(np.full(n, 0.5))

    def taped() -> Any:
        with pt.GradientTape() as tape:
            hidden = pt.tanh(x * w)
            loss = pt.sum(hidden * hidden)
            del hidden
        return tape.gradient(loss, w)

    taped()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    taped()
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    # tanh's rule, g * (1 - y * y): y, which the record keeps, g, the square, and one result.
    assert peak <= 1.05 * 8 * n * 4


@pytest.mark.parametrize("watched", [False, True])
def test_a_chain_of_200_000_ops_is_freed_without_recursion(watched: bool) -> None:
    x = pt.asarray(1.0)
    tape = pt.GradientTape()
    with tape:
        if watched:
            tape.watch(x)
        y = x
        for _ in range(200_000):
            y = -y
    del y
    assert x.item() == 1.0


def test_a_chain_of_200_000_ops_is_differentiated_without_recursion() -> None:
    x = pt.asarray(1.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x
        for _ in range(200_000):
            y = -y
    assert tape.gradient(y, x).item() == 1.0


def test_numpy_keeps_no_count_and_says_so() -> None:
    with pytest.raises(MemoryInfoError, match="backend 'numpy' keeps no count of the memory on numpy:cpu:0"):
        pt.memory_info("numpy")


def test_a_counting_backend_shows_a_variables_memory_gone_with_its_last_reference() -> None:
    plugin = pytest.importorskip("polytape_sim.plugin", reason="polytape-sim is not installed")
    registered = None
    if not any(status.name == "sim" and status.status == "ready" for status in pt.backends()):
        registered = pt.register_backend(plugin.polytape_backend())
    try:
        empty = pt.memory_info("sim:sim:0").allocated_nbytes
        v = pt.Variable(np.ones(1000, "float32"), device="sim:sim:0")
        with pt.GradientTape() as tape:
            loss = pt.sum(v * v)
        v.assign_sub(tape.gradient(loss, v))
        assert pt.memory_info("sim:sim:0").allocated_nbytes >= empty + 4000
        assert v.numpy().tolist() == [-1.0] * 1000
        del v, loss, tape
        pt.synchronize("sim:sim:0")
        left = pt.memory_info("sim:sim:0").allocated_nbytes - empty
        assert left < 100, "the kinds' cached 0-d numbers are all that may stay"
    finally:
        if registered is not None:
            registered.remove()
