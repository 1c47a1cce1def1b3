"""The CuPy backend on two simulated devices: memory, the current device, results, and its own CUDA kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.backend import Backend
from polytape.ops import optim
from polytape.optim import Adam
from polytape.plugins import get_backend
from polytape_numpy.kernels import build

pytestmark = pytest.mark.usefixtures("xp")
NUMPY = {kernel.op: kernel.fn for kernel in build(np)}
GPUS = ["cupy:gpu:0", "cupy:gpu:1"]


@pytest.fixture
def cupy_backend(xp: Any) -> Backend:
    """The CuPy backend on the stand-in."""
    return get_backend("cupy")


def test_arrays_are_created_and_copied_on_the_given_device(cupy_backend: Backend, xp: Any) -> None:
    first, second = cupy_backend.device_list()
    values = np.arange(6.0).reshape(2, 3).T
    array = cupy_backend.from_host(values, second)
    assert type(array) is xp.ndarray and array.device.id == 1 and array.flags.c_contiguous
    moved = cupy_backend.copy(array, first)
    assert moved.device.id == 0 and cupy_backend.copy(array, second).data.ptr != array.data.ptr
    np.testing.assert_array_equal(cupy_backend.to_host(moved), values)
    assert cupy_backend.empty((2, 3), np.dtype("float16"), second).device.id == 1
    assert xp.cuda.runtime.getDevice() == 0


def test_from_host_copies_the_values_immediately(cupy_backend: Backend) -> None:
    values = np.zeros(3)
    array = cupy_backend.from_host(values, cupy_backend.device_list()[0])
    values[:] = 1.0
    assert cupy_backend.to_host(array).tolist() == [0.0, 0.0, 0.0]


def test_synchronize_waits_for_the_given_device(cupy_backend: Backend) -> None:
    import standin_cuda

    cupy_backend.synchronize(cupy_backend.device_list()[1])
    assert standin_cuda.synchronized[-1] == 1


def test_only_an_array_of_pool_memory_that_is_not_a_view_is_exclusive(cupy_backend: Backend, xp: Any) -> None:
    array = cupy_backend.empty((4, 4), np.dtype("float32"), cupy_backend.device_list()[0])
    assert cupy_backend.exclusive(array)
    assert not cupy_backend.exclusive(array[0]) and not cupy_backend.exclusive(array.reshape(-1))
    borrowed = cupy_backend.empty((4,), np.dtype("float32"), cupy_backend.device_list()[0])
    borrowed._mem = xp.cuda.memory.UnownedMemory(16)
    assert not cupy_backend.exclusive(borrowed)


def test_memory_is_counted_per_device(cupy_backend: Backend) -> None:
    first, second = cupy_backend.device_list()
    before = cupy_backend.info(second).allocated_nbytes, cupy_backend.info(first).allocated_nbytes
    array = cupy_backend.empty((1000,), np.dtype("float64"), second)
    assert cupy_backend.info(second).allocated_nbytes == before[0] + array.nbytes
    assert cupy_backend.info(first).allocated_nbytes == before[1]
    assert cupy_backend.info(first).total_nbytes == 1 << 30


def test_the_error_for_bfloat16_names_the_dtype(cupy_backend: Backend) -> None:
    with pytest.raises(pt.errors.DTypeError, match="backend 'cupy' does not support bfloat16"):
        pt.zeros((2,), dtype="bfloat16", device="cupy")


@pytest.mark.parametrize("device", GPUS)
def test_ops_run_on_the_device_of_their_operands_not_on_the_current_one(device: str, xp: Any) -> None:
    with xp.cuda.Device(0):
        x = pt.asarray(np.linspace(-2.0, 2.0, 12, dtype="float32").reshape(3, 4), device=device)
        y = pt.nn.softmax(x @ pt.permute_dims(x, (1, 0)) + 1.0)
        drawn = pt.random.normal((5,), device=device)
        created = pt.arange(3, device=device)
        assert {str(tensor.device) for tensor in (y, drawn, created)} == {device}
        assert xp.cuda.runtime.getDevice() == 0
    host = x.numpy()
    np.testing.assert_allclose(y.numpy(), NUMPY["softmax"](host @ host.T + 1.0), rtol=1e-6)


def test_random_bits_equal_those_of_numpy() -> None:
    draws = [pt.random.uniform((1000,), device=device, generator=pt.random.Generator(7)) for device in ("numpy", *GPUS)]
    for draw in draws[1:]:
        np.testing.assert_array_equal(draw.numpy(), draws[0].numpy())


def test_an_op_with_operands_on_two_devices_is_rejected() -> None:
    with pytest.raises(pt.errors.DeviceError, match="different devices"):
        pt.zeros((2,), device=GPUS[0]) + pt.zeros((2,), device=GPUS[1])


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "int8", "uint8", "complex64", "complex128"])
def test_scatter_add_supports_dtypes_that_cupy_cannot_add_atomically(dtype: str, cupy_backend: Backend) -> None:
    scatter_add = {kernel.op: kernel.fn for kernel in cupy_backend.kernels}["scatter_add"]
    values = np.asarray([[1, 2], [3, 4], [5, 6]], dtype)
    values = values - values.dtype.type(4) if dtype != "uint8" else values * values.dtype.type(60)
    values = values * (1 + 2j) if values.dtype.kind == "c" else values
    values, indices = values.astype(dtype), np.asarray([2, 0, 2])
    device = cupy_backend.device_list()[0]
    operands = cupy_backend.from_host(values, device), cupy_backend.from_host(indices, device)
    y = scatter_add(*operands, key=(("array",),), shape=(4, 2))
    expected = np.zeros((4, 2), dtype)
    np.add.at(expected, indices, values)
    assert y.dtype == expected.dtype
    np.testing.assert_array_equal(cupy_backend.to_host(y), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("step", [1, 2, 1000, 100_000])
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.0, 0.5), (0.99, 0.99999)], ids=str)
def test_the_cuda_kernel_of_adam_computes_algorithm_1(
    step: int, dtype: str, betas: tuple[float, float], cupy_backend: Backend
) -> None:
    rng = np.random.default_rng(0)
    x, m, g = (rng.standard_normal((7, 9)).astype(dtype) for _ in range(3))
    operands = [x, m, np.abs(m), g, np.asarray(1e-2, dtype), np.asarray(step)]
    operands.append(np.asarray([*betas, 1e-7, 0.125]))
    with pt.device(GPUS[1]):
        results = optim.adam_update(*map(pt.asarray, operands))
    wide = [array.astype("float64") if array.dtype.kind == "f" else array for array in operands]
    # The reference computes 1 - beta**step by subtraction, with an error of 1e-11 if step is small and beta near 1.
    scale = 1e-12 if dtype == "float64" else 1e-6
    for y, reference in zip(results, NUMPY["adam_update"](*wide), strict=True):
        assert np.max(np.abs(y.numpy() - reference)) <= scale * np.max(np.abs(reference))


def test_adam_does_not_synchronize(xp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pt.device(GPUS[1]):
        w = pt.Variable(np.linspace(-1.0, 1.0, 8, dtype="float32"))
        optimizer, gradient = Adam(0.1), pt.ones((8,))
        optimizer.apply_gradients([(gradient, w)])
        before = w.numpy().copy()
        for name in ("get", "item", "__float__", "__int__", "__bool__"):
            monkeypatch.setattr(xp.ndarray, name, _fail)
        optimizer.apply_gradients([(gradient, w)])
        monkeypatch.undo()
    np.testing.assert_allclose(w.numpy(), before - 0.1, rtol=1e-4, atol=1e-5)


def _fail(*_: object, **__: object) -> None:
    raise AssertionError("the host waits for the device")


def test_adam_rejects_shapes_that_it_would_broadcast(cupy_backend: Backend) -> None:
    adam_update = next(
        kernel.fn
        for kernel in cupy_backend.kernels
        if kernel.op == "adam_update" and kernel.dtypes == ("float32", "float64")
    )
    device = cupy_backend.device_list()[0]
    x, row, scalar = (cupy_backend.from_host(np.ones(shape, "float32"), device) for shape in ((3, 4), (4,), ()))
    with pytest.raises(ValueError, match="differ in shape"):
        adam_update(x, x.copy(), x.copy(), row, scalar, scalar, row)


def test_half_precision_uses_the_shared_kernel() -> None:
    x = pt.ones((4,), dtype="float16", device="cupy")
    rate, step = pt.asarray(np.float16(0.1), device="cupy"), pt.asarray(1, device="cupy")
    text = pt.explain("adam_update", x, x, x, x, rate, step, pt.ones((4,), device="cupy"))
    assert next(line for line in text.splitlines() if line.endswith("CHOSEN")).count("('any',)") == 1
