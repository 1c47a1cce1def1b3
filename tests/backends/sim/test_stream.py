"""The queue: it runs lazily and in order, and raises errors late; and the injected faults."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from polytape.device import get_device
from polytape.errors import BackendError
from polytape_numpy.kernels import build
from polytape_sim import (
    OutOfDeviceMemory,
    SimAccessError,
    SimArray,
    inject,
    pending,
    set_limit,
    synchronize,
    unsafe_peek as peek,
)
from polytape_sim.kernels import kernels
from polytape_sim.memory import pools

plugin = pytest.importorskip("polytape_sim.plugin")

BACKEND = plugin.polytape_backend()
KERNELS = {kernel.op: kernel.fn for kernel in BACKEND.kernels}
DEVICES = [get_device("sim", "sim", 0), get_device("sim", "sim", 1)]
F4 = np.dtype("float32")


@pytest.fixture(autouse=True)
def _empty_queues() -> Iterator[None]:
    synchronize()
    yield
    synchronize()


def _put(values: Any, device: int = 0) -> SimArray:
    array: SimArray = BACKEND.from_host(np.asarray(values, "float32"), DEVICES[device])
    return array


def _call(op: str, *operands: Any, shape: tuple[int, ...], dtype: Any = F4, **attributes: Any) -> Any:
    return KERNELS[op](*operands, spec=((shape, dtype),), **attributes)


def _uniform(state: Any) -> Any:
    return KERNELS["random_uniform"](state, spec=(((3,), F4),), shape=(3,), dtype=F4, device=DEVICES[0])


def test_every_numpy_kernel_is_wrapped_as_unchecked() -> None:
    assert set(KERNELS) == {kernel.op for kernel in build(np)}
    assert not any(kernel.checked for kernel in kernels())


def test_nothing_runs_before_the_program_waits() -> None:
    x = _put([1.0, 2.0])
    y = _call("add", x, x, shape=(2,))
    assert (y.shape, y.dtype, pending(0)) == ((2,), F4, 2)
    assert np.isnan(peek(x)).all()
    assert np.isnan(peek(y)).all()
    assert BACKEND.to_host(y).tolist() == [2.0, 4.0]
    assert pending(0) == 0


def test_host_data_is_copied_at_the_call() -> None:
    host = np.ones(3, "float32")
    x = BACKEND.from_host(host, DEVICES[0])
    state = np.asarray([7, 0], "uint64")
    u = _uniform(state)
    host[:] = 5.0
    state[:] = 0
    assert BACKEND.to_host(x).tolist() == [1.0, 1.0, 1.0]
    fresh = _uniform(np.asarray([7, 0], "uint64"))
    assert BACKEND.to_host(u).tolist() == BACKEND.to_host(fresh).tolist()


def test_an_in_place_update_is_ordered_with_reads_before_and_after_it() -> None:
    x, g = _put([1.0, 2.0]), _put([1.0, 1.0])
    before = _call("stop_gradient", x, shape=(2,))
    y = KERNELS["sgd_update"](x, g, _put(0.5), spec=(((2,), F4),))
    after = _call("add", x, x, shape=(2,))
    assert y is x
    assert BACKEND.to_host(before).tolist() == [1.0, 2.0]
    assert BACKEND.to_host(after).tolist() == [1.0, 3.0]


def test_several_outputs_are_returned_as_a_tuple() -> None:
    x, m, v, g = (_put([1.0]) for _ in range(4))
    step = BACKEND.from_host(np.asarray(1), DEVICES[0])
    outputs = KERNELS["adam_update"](x, m, v, g, _put(0.1), step, _put([0.9, 0.999, 1e-7, 0.0]), spec=(((1,), F4),) * 3)
    assert outputs[0] is x and outputs[1] is m and outputs[2] is v
    assert BACKEND.to_host(x)[0] < 1.0


def test_an_op_cannot_mix_devices_without_a_copy() -> None:
    x, y = _put([1.0]), _put([2.0], device=1)
    with pytest.raises(SimAccessError, match="two devices"):
        _call("add", x, y, shape=(1,))
    moved = BACKEND.copy(x, DEVICES[1])
    assert moved.index == 1
    assert BACKEND.to_host(_call("add", moved, y, shape=(1,))).tolist() == [3.0]
    assert BACKEND.to_host(BACKEND.copy(y, DEVICES[1])).tolist() == [2.0]


def test_an_output_that_does_not_match_its_spec_is_reported() -> None:
    x = _put([1.0, 2.0])
    for shape, dtype in (((1,), F4), ((), F4), ((2,), np.dtype("float64"))):
        _call("exp", x, shape=shape, dtype=dtype)
        with pytest.raises(BackendError, match="does not match its shape and dtype rules"):
            synchronize(0)


def test_a_queued_error_is_raised_late_and_once_and_poisons_its_output() -> None:
    x = _put([1.0])
    with inject("exp", ZeroDivisionError("flaw")) as fault:
        y = _call("exp", x, shape=(1,))
        z = _call("exp", x, shape=(1,))
        with pytest.raises(ZeroDivisionError, match="flaw") as caught:
            BACKEND.to_host(z)
    assert "raised by exp" in caught.value.__notes__[0]
    assert fault.hits == 1
    for _ in range(2):
        with pytest.raises(ZeroDivisionError, match="flaw"):
            BACKEND.to_host(y)  # what failed is never read as data
    assert np.isnan(peek(y)).all()
    assert BACKEND.to_host(z)[0] == np.exp(np.float32(1.0))


def test_a_fault_at_launch_raises_at_the_call() -> None:
    x = _put([1.0])
    with inject("*", ValueError("refused"), at="launch", times=None) as fault:
        for op in ("exp", "sqrt"):
            with pytest.raises(ValueError, match="refused"):
                _call(op, x, shape=(1,))
    assert fault.hits == 2
    _call("exp", x, shape=(1,))


def test_a_copy_to_the_host_can_fail() -> None:
    x = _put([1.0])
    with inject("to_host", OSError("cable")), pytest.raises(OSError, match="cable"):
        BACKEND.to_host(x)
    assert BACKEND.to_host(x).tolist() == [1.0]


def test_a_delay_takes_effect_when_the_program_waits() -> None:
    x = _put([1.0])
    with inject("exp", delay_s=0.05):
        _call("exp", x, shape=(1,))
        start = time.perf_counter()
        synchronize(0)
    assert time.perf_counter() - start >= 0.05


def test_queued_work_does_not_count_as_a_reference_to_memory() -> None:
    before = pools[0].allocated_nbytes
    x = _put([1.0, 2.0])
    y = _call("exp", x, shape=(2,))
    assert pools[0].allocated_nbytes == before + 16
    del x, y
    assert pools[0].allocated_nbytes == before
    assert BACKEND.memory_info(DEVICES[0]).allocated_nbytes == before


def test_out_of_memory_is_raised_at_the_call_and_queues_nothing() -> None:
    x = _put([1.0, 2.0])
    queued = pending(0)
    old = set_limit(pools[0].allocated_nbytes + 4)
    try:
        with pytest.raises(OutOfDeviceMemory):
            _call("exp", x, shape=(2,))
    finally:
        set_limit(old)
    assert pending(0) == queued


def test_threads_that_wait_at_the_same_time_run_each_op_once_and_in_order() -> None:
    x = _put(np.zeros(8))
    gradient = _put(np.ones(8))
    learning_rate = _put(-1.0)
    for _ in range(200):
        KERNELS["sgd_update"](x, gradient, learning_rate, spec=(((8,), F4),))
    threads = [threading.Thread(target=synchronize) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert BACKEND.to_host(x).tolist() == [200.0] * 8


def test_a_long_queue_runs_before_it_grows_without_limit() -> None:
    x = _put([1.0])
    for _ in range(10_050):
        _call("negative", x, shape=(1,))
    assert pending(0) < 10_000
