"""T5 to T7: short programs with variables, checkpoints, graphs, threads and several devices.

Each computes the same on the backend and on the host, whose results are the expected ones.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable
from typing import Any, Final

import numpy as np

import polytape as pt

from .. import dtypes, plugins
from ..device import Device
from ..errors import DeviceError, ShapeError
from ..tensors.tensor import Tensor
from .calls import device_of
from .compare import assert_close
from .limits import Inapplicable

__all__ = ["FAULTS", "GRAPHS", "STATES"]


class _Line:
    """A model with two variables, fitted to points by least squares."""

    def __init__(self, device: Device, dtype: str) -> None:
        self.w = pt.Variable(pt.asarray([0.5, -0.25], dtype=dtype, device=device))
        self.b = pt.Variable(pt.asarray(0.125, dtype=dtype, device=device))
        self.x = pt.asarray([[1.0, 2.0], [0.5, -1.0], [-2.0, 0.25]], dtype=dtype, device=device)
        self.y = pt.asarray([1.0, -1.0, 0.5], dtype=dtype, device=device)

    def loss(self) -> Tensor:
        error = pt.sum(self.x * self.w, axis=1) + self.b - self.y
        return pt.sum(error * error)

    def gradients(self) -> list[Tensor]:
        with pt.GradientTape() as tape:
            loss = self.loss()
        found: list[Tensor] = tape.gradient(loss, [self.w, self.b])
        return found

    def values(self) -> list[Any]:
        return [self.w.numpy().copy(), self.b.numpy().copy()]


def _floating(backend: str) -> str:
    """A floating dtype that the backend has."""
    for name in ("float32", "float64", "bfloat16", "float16"):
        if name in plugins.get_backend(backend).dtypes:
            return name
    raise Inapplicable(f"{backend} has no floating dtype")


def _host() -> Device:
    return plugins.host_backend().device_list()[0]


def _require(condition: bool, what: str, expected: Any, got: Any) -> None:
    if not condition:
        raise AssertionError(f"{what}\n  expected: {expected}\n  got: {got}")


def _same(got: list[Any], expected: list[Any], what: str) -> None:
    for y, z in zip(got, expected, strict=True):
        assert_close(y, z.astype("float64"), what, ulp=16.0, scale=4.0)


# --- T5: state and checkpoints ---


def check_variables(backend: str) -> None:
    """An update changes the variable and no tensor that was read from it before; a failed one changes nothing."""
    dtype = _floating(backend)
    v = pt.Variable(pt.asarray([1.0, 2.0], dtype=dtype, device=device_of(backend)))
    before = v.read_value()
    v.assign_add(pt.asarray([0.5, 0.5], dtype=dtype, device=device_of(backend)))
    _require(v.tolist() == [1.5, 2.5], f"assign_add on {backend}", [1.5, 2.5], v.tolist())
    _require(before.tolist() == [1.0, 2.0], f"a value read before, on {backend}", [1.0, 2.0], before.tolist())
    try:
        v.assign_add(pt.asarray([1.0, 1.0, 1.0], dtype=dtype, device=device_of(backend)))
    except ShapeError:
        _require(v.tolist() == [1.5, 2.5], f"a failed update on {backend}", [1.5, 2.5], v.tolist())
        return
    raise AssertionError(f"assign_add of a wrong shape on {backend}\n  expected: ShapeError\n  got: {v!r}")


def check_optimizers(backend: str) -> None:
    """Three steps of each optimizer give the host's values."""
    dtype = _floating(backend)
    makers: list[Callable[[], Any]] = [lambda: pt.optim.SGD(0.0625), lambda: pt.optim.Adam(0.0625)]
    for make in makers:
        values = []
        for device in (device_of(backend), _host()):
            line, optimizer = _Line(device, dtype), make()
            for _ in range(3):
                optimizer.apply_gradients(list(zip(line.gradients(), [line.w, line.b], strict=True)))
            values.append(line.values())
        _same(values[0], values[1], f"three steps of {type(make()).__name__} on {backend}")


def check_checkpoints(backend: str) -> None:
    """A checkpoint of every dtype, saved on the backend, is restored on the host bit by bit, and the other way."""
    here, host = device_of(backend), _host()
    rng = np.random.default_rng(5)
    names = plugins.get_backend(backend).dtypes
    hosts = {name: rng.integers(0, 2, (2, 3)).astype(dtypes.lookup(name)) for name in names}
    with tempfile.TemporaryDirectory() as folder:
        for source, target in ((here, host), (host, here), (here, here)):
            path = os.path.join(folder, "state")
            saved = {name: pt.Variable(pt.asarray(array, device=source)) for name, array in hosts.items()}
            written = pt.Checkpoint(values=saved).save(path)
            empty = {
                name: pt.Variable(pt.asarray(np.zeros_like(array), device=target)) for name, array in hosts.items()
            }
            pt.Checkpoint(values=empty).restore(written).assert_consumed()
            for name, v in empty.items():
                what = f"{name}, saved on {source} and restored on {target}"
                _require(v.numpy().tobytes() == hosts[name].tobytes(), what, hosts[name], v.numpy())
                _require(v.device is target, what, target, v.device)


def check_random_state(backend: str) -> None:
    """A generator draws the same bits on the backend and on the host, and goes on from its counter."""
    dtype = _floating(backend)
    draws = []
    for device in (device_of(backend), _host()):
        generator = pt.random.Generator(7)
        with pt.device(device):
            draws.append([pt.random.uniform((5,), dtype=dtype, generator=generator).numpy() for _ in range(2)])
    for first, second in zip(*draws, strict=True):
        _require(first.tobytes() == second.tobytes(), f"draws on {backend}", second, first)


# --- T6: graphs ---


def check_traced_step(backend: str) -> None:
    """A traced training step, which assigns variables, gives the values of the eager one."""
    dtype = _floating(backend)
    values = []
    for traced in (True, False):
        line = _Line(device_of(backend), dtype)

        def step(line: _Line = line) -> Tensor:
            g_w, g_b = line.gradients()
            line.w.assign_sub(g_w * 0.0625)
            line.b.assign_sub(g_b * 0.0625)
            return line.loss()

        with pt.device(device_of(backend)):
            run = pt.function(step) if traced else step
            losses = [run().numpy().copy() for _ in range(3)]
        values.append([*line.values(), *losses])
    _same(values[0], values[1], f"three traced steps on {backend}")


def check_traced_again(backend: str) -> None:
    """A traced function called with other values of the same shape computes from these, on the same device."""
    dtype, device = _floating(backend), device_of(backend)
    run = pt.function(lambda x: x * x + 1.0)
    for values in ([1.0, 2.0], [3.0, -1.0], [0.5, 0.25]):
        x = pt.asarray(values, dtype=dtype, device=device)
        y = run(x)
        expected = [v * v + 1.0 for v in values]
        _require(y.tolist() == expected, f"a traced function on {backend}", expected, y.tolist())
        _require(y.device is device, f"a traced function on {backend}", device, y.device)


# --- T7: faults, several threads, several devices ---


def check_threads(backend: str) -> None:
    """Threads that differentiate at the same time get the results that one thread gets."""
    dtype, device = _floating(backend), device_of(backend)

    def work(scale: float) -> Any:
        x = pt.asarray([scale, -scale, 0.5], dtype=dtype, device=device)
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = pt.sum(x * x * x)
        return tape.gradient(y, x).numpy()

    scales = [0.25, 0.5, 1.0, 2.0]
    expected = [work(scale) for scale in scales]
    wrong: list[str] = []

    def repeat(position: int) -> None:
        try:
            for _ in range(20):
                got = work(scales[position])
                if got.tobytes() != expected[position].tobytes():
                    wrong.append(f"expected: {expected[position]}\n  got: {got}")
        except Exception as error:
            wrong.append(f"expected: {expected[position]}\n  got: {error!r}")

    threads = [threading.Thread(target=repeat, args=(position,)) for position in range(len(scales))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise AssertionError(f"a gradient in four threads on {backend}\n  {wrong[0]}")


def check_a_fault_passes(backend: str) -> None:
    """After a call that raises, the operands are unchanged and the next call is right."""
    dtype, device = _floating(backend), device_of(backend)
    x, y = (pt.asarray(values, dtype=dtype, device=device) for values in ([1.0, 2.0], [1.0, 2.0, 3.0]))
    for _ in range(3):
        try:
            z = x + y
        except ShapeError:
            continue
        raise AssertionError(f"an addition of [2] and [3] on {backend}\n  expected: ShapeError\n  got: {z!r}")
    pt.synchronize(device)
    _require((x + x).tolist() == [2.0, 4.0], f"an addition after an error on {backend}", [2.0, 4.0], (x + x).tolist())


def check_mixed_devices(backend: str) -> None:
    """Operands on the backend and on the host raise an error that names both devices, unless the policy allows it."""
    host, here, dtype = _host(), device_of(backend), _floating(backend)
    if plugins.host_backend() in plugins.get_backend(backend).chain():
        raise Inapplicable(f"{backend} shares the host's memory")
    x = pt.asarray([1.0, 2.0], dtype=dtype, device=here)
    y = pt.asarray([3.0, 4.0], dtype=dtype, device=host)
    old = pt.set_mixed_devices("explicit")
    try:
        try:
            z = x + y
        except DeviceError as error:
            named = str(here) in str(error) and str(host) in str(error)
            _require(named, f"the error for operands on {here} and {host}", "both devices", str(error))
        else:
            raise AssertionError(f"operands on {here} and {host}\n  expected: DeviceError\n  got: {z!r}")
        pt.set_mixed_devices("silent")
        for first, second in ((x, y), (y, x)):
            z = first + second
            _require(z.device is first.device, f"operands on {here} and {host}, moved", first.device, z.device)
            _require(z.tolist() == [4.0, 6.0], f"operands on {here} and {host}, moved", [4.0, 6.0], z.tolist())
    finally:
        pt.set_mixed_devices(old)


def check_absent_devices(backend: str) -> None:
    """A device that the backend does not have raises an error that lists those that it has."""
    for kind, count in plugins.get_backend(backend).devices():
        name = f"{backend}:{kind}:{count}"
        try:
            x = pt.zeros((1,), dtype=plugins.get_backend(backend).dtypes[0], device=name)
        except DeviceError:
            continue
        raise AssertionError(f"a tensor on {name}, which does not exist\n  expected: DeviceError\n  got: {x!r}")


def check_memory_comes_back(backend: str) -> None:
    """Memory of tensors that are gone is no longer counted."""
    tested, device, dtype = plugins.get_backend(backend), device_of(backend), _floating(backend)
    if tested.memory_info is None:
        raise Inapplicable(f"{backend} does not report memory use")
    pt.synchronize(device)
    before = tested.info(device).allocated_nbytes
    for _ in range(3):
        x = pt.zeros((1000,), dtype=dtype, device=device)
        y = x + x
        pt.synchronize(device)
        during = tested.info(device).allocated_nbytes
        del x, y
    pt.synchronize(device)
    after = tested.info(device).allocated_nbytes
    _require(after <= before, f"memory of {device} after tensors are gone", f"at most {before} bytes in use", after)
    _require(before < 0 or during > before, f"memory of {device} with two tensors", f"more than {before} bytes", during)


STATES: Final = (check_variables, check_optimizers, check_checkpoints, check_random_state)
GRAPHS: Final = (check_traced_step, check_traced_again)
FAULTS: Final = (
    check_threads,
    check_a_fault_passes,
    check_mixed_devices,
    check_absent_devices,
    check_memory_comes_back,
)
