"""Streams of the CuPy backend, on the stand-in; and on a GPU, where there is one."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.testing.programs import check_memory_comes_back, check_streams
from polytape_cupy.kernels import kernels
from polytape_cupy.streams import Queues


@pytest.fixture
def cuda(xp: Any) -> Iterator[Any]:
    """The stand-in's `cupy.cuda`, with the backend's device as the default one."""
    import standin_cuda

    with pt.device("cupy:gpu:0"):
        yield standin_cuda
    standin_cuda.broken.clear()
    pt.synchronize("cupy:gpu:0")


def test_the_kit_s_check_of_streams_passes(cuda: Any) -> None:
    check_streams("cupy")


def test_memory_comes_back_after_a_program_has_used_streams(cuda: Any) -> None:
    with pt.Stream():
        x = pt.ones(1000) + 1.0
    assert x[0] == 2.0
    del x
    check_memory_comes_back("cupy")


def test_work_is_queued_on_the_stream_of_the_thread_and_a_program_s_own_stream_comes_back(cuda: Any, xp: Any) -> None:
    own = xp.cuda.Stream()
    own.use()
    try:
        stream, inner = pt.Stream(), pt.Stream()
        with stream:
            x = pt.ones(2) + 1.0
            with inner:
                y = pt.ones(2) + 1.0
            z = pt.ones(2) + 1.0
        assert xp.cuda.get_current_stream() is own
    finally:
        xp.cuda.Stream.null.use()
    writers = [tensor.array._mem.writer for tensor in (x, y, z)]
    assert writers[0] is writers[2] and writers[0] is not writers[1] and own not in writers


@pytest.mark.parametrize("inside", [False, True])
def test_reading_waits_for_the_writer(cuda: Any, inside: bool) -> None:
    stream, other = pt.Stream(), pt.Stream()
    with stream:
        x = pt.ones(3) + 1.0
        y = pt.ones(3) + 2.0
        z = pt.ones(3) + 3.0
    with other if inside else pt.device("cupy:gpu:0"):
        assert not stream.record().done()
        assert x.tolist() == [2.0, 2.0, 2.0]
    with stream:
        y = y * 2.0
    moved = y.to_device("cupy:gpu:1")
    assert moved.tolist() == [6.0, 6.0, 6.0]
    with stream:
        z = z * 2.0
    z.__dlpack__()
    assert z.array.get().tolist() == [8.0, 8.0, 8.0]  # what a consumer on the same stream would read


def test_the_work_of_a_dropped_stream_is_waited_for(cuda: Any) -> None:
    with pt.Stream():
        x = pt.ones(2) * 5.0
    gc.collect()
    pt.Stream()
    assert x.tolist() == [5.0, 5.0]


def test_the_memory_of_an_operand_is_kept_until_the_work_on_another_stream_is_done(cuda: Any) -> None:
    stream = pt.Stream()
    x = pt.ones(1000)
    stream.wait(pt.Stream.current())
    before = cuda.used_nbytes[0]
    with stream:
        y = x * 2.0
    del x
    assert cuda.used_nbytes[0] >= before + y.nbytes
    stream.synchronize()
    with stream:
        y = pt.zeros(1)  # the next launch drops what is done
    assert cuda.used_nbytes[0] < before


def test_events_are_done_when_the_work_before_them_is(cuda: Any) -> None:
    first, second = pt.Stream(), pt.Stream()
    with first:
        x = pt.ones(2) + 1.0
    early = first.record()
    second.wait(early)
    with second:
        y = x + 1.0
    late = second.record()
    assert not early.done() and not late.done()
    late.synchronize()
    assert early.done() and late.done() and y.tolist() == [3.0, 3.0]


def test_an_error_names_the_ops_that_it_may_be_from_and_is_raised_by_every_read(cuda: Any, xp: Any) -> None:
    stream = pt.Stream()
    with stream:
        x = pt.ones(2)
        first = pt.exp(x)
    stream.synchronize()
    with stream:
        second = pt.sqrt(first)
        fine = pt.negative(x)
    event = stream.record()
    calls = [second.numpy, second.numpy, fine.numpy, event.synchronize, stream.synchronize, lambda: pt.sin(x)]
    for call in calls:
        # The CUDA runtime raises new errors with the same text.
        cuda.broken[:] = [cuda.CUDARuntimeError("cudaErrorIllegalAddress: an illegal memory access was encountered")]
        with pytest.raises(xp.cuda.runtime.CUDARuntimeError, match="illegal memory access") as caught:
            call()
        note = caught.value.__notes__[0]
        assert "sqrt, negative" in note and "exp" not in note and "CUDA_LAUNCH_BLOCKING=1" in note
    assert "done: sin, " in note


def test_a_program_without_streams_records_nothing(cuda: Any, xp: Any) -> None:
    queues = Queues(xp)
    (add,) = (kernel.fn for kernel in kernels(xp, 1, queues) if kernel.op == "add")
    x = xp.asarray([1.0, 2.0])
    assert add(x, x).tolist() == [2.0, 4.0] and add.__name__ == "add"
    queues.settle(0)
    assert not queues.used and queues._work == {}


# --- On a GPU ---


@pytest.fixture
def gpu(standin: ModuleType) -> None:
    """Skip without cupy and a GPU."""
    if not standin.cupy_is_installed():
        pytest.skip("cupy is not installed")
    status = {status.name: status for status in pt.backends()}["cupy"]
    if status.status != "ready":
        pytest.skip(f"cupy is not ready: {status.reason}")


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
def test_on_a_gpu_a_long_computation_on_a_stream_is_read_complete() -> None:
    check_streams("cupy")
    host = np.random.default_rng(0).uniform(-1.0, 1.0, (1500, 1500)).astype("float32") / 40.0
    with pt.device("cupy:gpu:0"):
        x = pt.asarray(host)
        expected = x
        for _ in range(20):
            expected = expected @ x
        stream = pt.Stream()
        stream.wait(pt.Stream.current())
        with stream:
            y = x
            for _ in range(20):
                y = y @ x
        np.testing.assert_array_equal(y.numpy(), expected.numpy())


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
def test_on_a_gpu_an_error_of_a_kernel_names_its_op() -> None:
    # In a process of its own: after such an error the CUDA runtime is of no use.
    code = """
import cupy, polytape as pt
flaw = cupy.ElementwiseKernel("T x", "T y", "y = *(T*)((size_t)8 + i)", "flaw")
with pt.kernel("exp", backend="cupy", priority=9)(lambda x: flaw(x)), pt.device("cupy:gpu:0"):
    x, stream = pt.ones(8), pt.Stream()
    stream.wait(pt.Stream.current())
    for read in range(2):
        try:
            with stream:
                y = pt.exp(x)
            y.numpy()
        except cupy.cuda.runtime.CUDARuntimeError as error:
            print(error.__notes__[0])
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    notes = result.stdout.splitlines()
    assert len(notes) == 2 and all("exp" in note for note in notes), result.stdout + result.stderr
