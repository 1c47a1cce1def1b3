"""Moves between devices: what they return and when they are recorded; test_fallback.py has more."""

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


def test_a_move_to_the_same_device_returns_the_tensor_itself() -> None:
    x = pt.asarray([1.0])
    assert x.to_device("numpy") is x and x.to_device(x.device) is x and x.to_device("CPU:0").array is x.array


def test_a_move_is_recorded_only_if_a_tape_follows_the_tensor(twin: str) -> None:
    x, y = pt.asarray([2.0]), pt.asarray([3.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        a, b = x.to_device(twin), y.to_device(twin)
        z = a * a * b
    assert a.node is not None and b.node is None and repr(a.node).endswith(": to_device, (1,))")
    gradient = tape.gradient(z, x)
    assert gradient.item() == 12.0 and gradient.device.backend == "numpy"


def test_moves_have_second_derivatives(twin: str) -> None:
    x = pt.asarray(2.0)
    with pt.GradientTape() as outer:
        outer.watch(x)
        with pt.GradientTape() as inner:
            inner.watch(x)
            y = x.to_device(twin)
            z = (y * y * y).to_device("numpy")
        dz = inner.gradient(z, x)
    assert (dz.item(), outer.gradient(dz, x).item()) == (12.0, 12.0)


def test_a_moved_tensor_can_be_a_source_too(twin: str) -> None:
    x = pt.asarray(2.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x.to_device(twin)
        z = y * y
    gradients = tape.gradient(z, [x, y])
    assert [g.item() for g in gradients] == [4.0, 4.0] and [g.device.backend for g in gradients] == ["numpy", twin]
