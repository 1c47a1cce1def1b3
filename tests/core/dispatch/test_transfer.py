"""Moves between devices: recorded where a tape follows, nothing where it stays; more in test_fallback.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import polytape as pt


@pytest.fixture
def twin() -> Iterator[str]:
    """A backend that shares numpy's memory."""
    pt.asarray(0.0)
    with pt.register_backend(pt.Backend(name="transfer_twin", extends="numpy")):
        yield "transfer_twin"


def test_a_move_to_where_it_is_is_the_tensor_itself() -> None:
    x = pt.asarray([1.0])
    assert x.to_device("numpy") is x and x.to_device(x.device) is x and x.to_device("CPU:0").array is x.array


def test_a_move_is_recorded_only_where_a_tape_follows(twin: str) -> None:
    x, y = pt.asarray([2.0]), pt.asarray([3.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        a, b = x.to_device(twin), y.to_device(twin)
        z = a * a * b
    assert a.node is not None and b.node is None and repr(a.node).endswith(": to_device, (1,))")
    found = tape.gradient(z, x)
    assert found.item() == 12.0 and found.device.backend == "numpy"


def test_a_gradient_may_go_through_a_move_twice(twin: str) -> None:
    x = pt.asarray(2.0)
    with pt.GradientTape() as outer:
        outer.watch(x)
        with pt.GradientTape() as inner:
            inner.watch(x)
            y = x.to_device(twin)
            z = (y * y * y).to_device("numpy")
        dz = inner.gradient(z, x)
    assert (dz.item(), outer.gradient(dz, x).item()) == (12.0, 12.0)


def test_a_move_inside_a_second_source(twin: str) -> None:
    x = pt.asarray(2.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x.to_device(twin)
        z = y * y
    found = tape.gradient(z, [x, y])
    assert [g.item() for g in found] == [4.0, 4.0] and [g.device.backend for g in found] == ["numpy", twin]
