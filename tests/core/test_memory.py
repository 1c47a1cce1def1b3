"""Memory of tapes and variables: freed by reference counts alone, with the garbage collector off."""

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
    """Disable the garbage collector: memory must be freed by reference counts alone."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def dead(*references: Any) -> list[bool]:
    """For each weak reference, whether its object has been freed."""
    return [reference() is None for reference in references]


def test_an_unused_result_is_freed_in_the_forward_pass() -> None:
    x = pt.asarray(np.ones(10))
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.exp(x)  # its rule keeps y
        kept = weakref.ref(y.array)
        del y
        assert dead(kept) == [True]


def test_a_result_and_its_operands_are_freed_with_its_last_handle() -> None:
    x = pt.asarray(np.ones(10))
    with pt.GradientTape() as tape:
        tape.watch(x)
        hidden = pt.exp(x)
        y = pt.tanh(hidden) * hidden
    references = [weakref.ref(x.array) for x in (hidden, y)]
    del hidden
    assert dead(*references) == [False, False]
    del y
    assert dead(*references) == [True, True]


def test_a_gradient_frees_the_records_that_it_has_used() -> None:
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


def test_records_are_freed_during_the_backward_pass() -> None:
    """When the rule of the first op runs, the array of the last op has been freed."""
    freed: list[bool] = []

    @pt.custom_gradient
    def probe(x: pt.Tensor) -> Any:
        def grad(g: pt.Tensor) -> pt.Tensor:
            freed.extend(dead(kept))
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
    assert freed == [True]


def test_a_persistent_tape_keeps_its_records_as_long_as_their_results() -> None:
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


def test_a_second_derivative_frees_all_its_arrays() -> None:
    x = pt.asarray(np.ones(10))
    with pt.GradientTape() as outer:
        outer.watch(x)
        with pt.GradientTape() as inner:
            inner.watch(x)
            y = pt.exp(x)
            kept = weakref.ref(y.array)
        dy = inner.gradient(y, x)
        kept_gradient = weakref.ref(dy.array)
    del y
    outer.gradient(dy, x)
    del dy
    assert dead(kept, kept_gradient) == [True, True]


def test_the_records_of_a_tape_are_freed_with_it() -> None:
    x = pt.asarray(np.ones(10))
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.exp(x)
    kept = weakref.ref(y.array)
    del tape, y
    assert dead(kept) == [True]


def test_a_custom_gradient_that_holds_its_own_output_creates_no_cycle() -> None:
    @pt.custom_gradient
    def exponential(x: pt.Tensor) -> Any:
        y = pt.exp(x)
        return y, lambda g: g * y

    x = pt.asarray(np.ones(10))
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = exponential(x)
    kept = weakref.ref(y.array)
    gradient = tape.gradient(y, x)
    del y
    assert dead(kept) == [True]
    np.testing.assert_allclose(gradient, np.exp(np.ones(10)))


def test_a_trained_variable_is_freed_with_its_last_reference() -> None:
    v = pt.Variable(np.ones(10))
    with pt.GradientTape() as tape:
        loss = pt.sum(v * v)
    v.assign_sub(tape.gradient(loss, v))
    kept = weakref.ref(v.array)
    del v
    assert dead(kept) == [True]


def test_the_old_value_is_freed_when_a_new_one_is_assigned() -> None:
    v = pt.Variable(np.ones(10))
    old = weakref.ref(v.array)
    v.assign(np.zeros(10))
    assert dead(old) == [True]


def test_an_error_does_not_keep_its_operands_alive() -> None:
    x = pt.asarray(np.ones(3))
    kept = weakref.ref(x.array)
    with pytest.raises(pt.PolytapeError):
        x + pt.asarray(np.ones(4))
    del x
    assert dead(kept) == [True]


def step(w: pt.Variable, x: pt.Tensor) -> pt.Tensor:
    """Run one training step and return the loss."""
    with pt.GradientTape() as tape:
        loss = pt.mean(pt.square(x * w - 1.0))
    w.assign_sub(tape.gradient(loss, w) * 0.1)
    return loss


def test_memory_stays_flat_over_a_thousand_steps_that_keep_their_losses() -> None:
    w, x = pt.Variable(np.full(1000, 0.5)), pt.asarray(np.ones(1000))
    losses = [step(w, x) for _ in range(20)]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    losses += [step(w, x) for _ in range(1000)]
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    # Each array of a step has 8,000 bytes; a kept loss keeps only its handle, its freed record, and its tape.
    assert (after - before) / 1000 < 2000
    assert losses[-1].item() < losses[0].item()


def test_a_taped_step_allocates_no_more_than_its_rules_need() -> None:
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
    # Four arrays, for tanh's rule g * (1 - y * y): y, which the record keeps, g, the square, and one result.
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


def test_memory_info_is_an_error_for_numpy_which_does_not_report_memory_use() -> None:
    with pytest.raises(MemoryInfoError, match="backend 'numpy' does not report memory use on numpy:cpu:0"):
        pt.memory_info("numpy")


def test_memory_info_shows_that_a_variable_is_freed_with_its_last_reference() -> None:
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
        remaining = pt.memory_info("sim:sim:0").allocated_nbytes - empty
        assert remaining < 100, "only the cached 0-d arrays of the tensor types may remain"
    finally:
        if registered is not None:
            registered.remove()
