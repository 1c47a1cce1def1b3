"""Streams and events on a backend that has them, and on one with a single queue."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DeviceError


@pytest.fixture
def sim() -> Iterator[Any]:
    module = pytest.importorskip("polytape_sim", reason="polytape-sim is not installed")
    module.synchronize()
    with pt.device("sim"):
        yield module
    module.synchronize()


def test_on_one_queue_every_stream_is_that_queue() -> None:
    stream = pt.Stream("cpu")
    with stream:
        y = pt.ones(3) + 1.0
    event = stream.record()
    pt.Stream.current("cpu").wait(event)
    event.synchronize()
    stream.synchronize()
    assert event.done() and y.tolist() == [2.0, 2.0, 2.0] and "cpu" in repr(stream)


def test_work_runs_on_the_stream_of_the_thread(sim: Any) -> None:
    first, second = pt.Stream(), pt.Stream()
    with first:
        x = pt.ones(2)
        with second:
            y = pt.ones(2) * 3.0
        z = x + 1.0
    event = second.record()
    assert not event.done() and not first.record().done()
    event.synchronize()
    assert event.done() and not first.record().done()
    first.synchronize()
    assert y.tolist() == [3.0, 3.0] and z.tolist() == [2.0, 2.0]


def test_an_op_on_what_another_stream_writes_is_an_error_without_an_event(sim: Any) -> None:
    stream = pt.Stream()
    x = pt.ones(2) * 2.0
    with stream:
        with pytest.raises(sim.SimRaceError, match=r"(?s)multiply.*another stream writes.*wait"):
            x * 2.0
        stream.wait(pt.Stream.current("sim:1").record())  # an event of another device orders nothing here
        with pytest.raises(sim.SimRaceError):
            x * 2.0
    stream.wait(pt.Stream.current())
    with stream:
        y = x * 2.0
    assert y.tolist() == [4.0, 4.0]
    with stream:
        assert (x * 3.0).tolist() == [6.0, 6.0]


def test_an_event_also_orders_what_its_stream_waited_for(sim: Any) -> None:
    first, second, third = pt.Stream(), pt.Stream(), pt.Stream()
    with first:
        x = pt.ones(2)
    second.wait(first)
    with second:
        y = x + 1.0
    third.wait(second.record())
    with third:
        z = x + y
    assert third.record().done() is False
    third.synchronize()
    assert z.tolist() == [3.0, 3.0]


def test_overwriting_what_another_stream_reads_is_an_error(sim: Any) -> None:
    v = pt.Variable([1.0, 2.0])
    reader = pt.Stream()
    reader.wait(pt.Stream.current())
    with reader:
        y = v.read_value() * 1.0
    kernel = {kernel.op: kernel.fn for kernel in pt.get_backend("sim").kernels}["sgd_update"]
    g, rate = pt.ones(2), pt.asarray(0.5)
    with pytest.raises(sim.SimRaceError, match="another stream reads"):
        kernel(v.array, g.array, rate.array, spec=(((2,), np.dtype("float32")),))
    pt.Stream.current().wait(reader)
    kernel(v.array, g.array, rate.array, spec=(((2,), np.dtype("float32")),))
    assert y.tolist() == [1.0, 2.0] and v.numpy().tolist() == [0.5, 1.5]


def test_reading_on_the_host_waits_for_the_writer(sim: Any) -> None:
    stream = pt.Stream()
    with stream:
        x = pt.ones(2) + 1.0
    assert x.tolist() == [2.0, 2.0]  # outside the stream, without an event
    with pt.device("sim:1"):
        moved = x.to_device("sim:1") * 2.0
    assert moved.tolist() == [4.0, 4.0]


def test_failed_work_is_raised_with_its_op_and_never_read_as_data(sim: Any) -> None:
    stream = pt.Stream()
    with sim.inject("exp", ZeroDivisionError("flaw")):
        with stream:
            y = pt.exp(pt.ones(2))
            z = y + 1.0
            fine = pt.ones(2)
        with pytest.raises(ZeroDivisionError, match="flaw") as caught:
            stream.record().synchronize()
    assert "raised by exp" in caught.value.__notes__[0]
    for x in (y, z, y, z):
        with pytest.raises(ZeroDivisionError, match="flaw"):
            x.numpy()
        with pytest.raises(ZeroDivisionError, match="flaw"):
            x.to_device("sim:1")
    assert fine.tolist() == [1.0, 1.0]
    pt.synchronize("sim")


def test_each_thread_has_its_own_stream(sim: Any) -> None:
    stream = pt.Stream()
    results: list[Any] = []

    def work() -> None:
        with pt.device("sim"):
            results.append(pt.Stream.current().record())
            results.append((pt.ones(2) * 2.0).tolist())

    with stream:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        pt.ones(2)
    assert results[1] == [2.0, 2.0]
    assert not stream.record().done()


def test_a_dropped_stream_s_work_still_runs(sim: Any) -> None:
    with pt.Stream():
        x = pt.ones(2) * 5.0
    assert sim.pending(0) > 0
    pt.synchronize()
    assert sim.pending(0) == 0 and x.tolist() == [5.0, 5.0]


def test_an_event_is_not_made_by_hand() -> None:
    with pytest.raises(DeviceError, match=r"stream\.record\(\)"):
        pt.Event()
