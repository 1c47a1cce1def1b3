"""The fallback policies, and operands on different devices."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.dispatch.fallback import host_calls
from polytape.errors import DeviceError, KernelError, PolytapeWarning, SettingError


class Far:
    """An array of a separate type, which NumPy cannot read."""

    def __init__(self, values: Any) -> None:
        self.values = values
        self.shape = values.shape
        self.dtype = values.dtype


def far(fn: Any) -> Any:
    """A NumPy function as a kernel on such arrays."""

    def kernel(*arrays: Any, **attributes: Any) -> Far:
        return Far(np.asarray(fn(*[array.values for array in arrays], **attributes)))

    return kernel


def backend(name: str, **members: Any) -> pt.Backend:
    """A backend with two devices and few kernels."""
    kernels = {"add": np.add, "multiply": np.multiply, "sum": np.sum, "broadcast_to": np.broadcast_to}
    return pt.Backend(
        name=name,
        devices=lambda: [("cpu", 2)],
        array_type=Far,
        from_host=lambda array, device: Far(np.array(array)),
        to_host=lambda array: array.values.copy(),
        copy=lambda array, device: Far(array.values.copy()),
        empty=lambda shape, dtype, device: Far(np.empty(shape, dtype)),
        synchronize=lambda device: None,
        lift=lambda value, device: value,
        dtypes=("float32", "int32", "int64", "bool"),
        kernels=[pt.Kernel(op, far(fn)) for op, fn in kernels.items()],
        **members,
    )


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Reset the policies, since they belong to the process."""
    pt.asarray(0.0)
    with pt.register_backend(backend("away")), pt.register_backend(backend("beyond")):
        yield
    pt.set_fallback("error")
    pt.set_mixed_devices("explicit")


# --- fallback ---------------------------------------------------------------------------------------------------------


def test_by_default_nothing_runs_on_the_host() -> None:
    x = pt.asarray([1.0], device="away")
    with pytest.raises(KernelError, match=r"polytape.set_fallback\('warn'\)"):
        pt.exp(x)


def test_warn_runs_on_the_host_and_warns_once_per_op() -> None:
    assert pt.set_fallback("warn") == "error"
    x = pt.asarray([0.0], device="away")
    before = host_calls().get("log1p", 0)
    with pytest.warns(PolytapeWarning, match="log1p runs on the host: away:cpu:0 has no kernel"):
        y = pt.log1p(x)
    assert y.device.backend == "away" and type(y.array) is Far and y.item() == 0.0
    pt.log1p(x)
    assert host_calls()["log1p"] == before + 2


def test_allow_is_silent_and_differentiable() -> None:
    pt.set_fallback("allow")
    x = pt.asarray([0.0, 1.0], device="away")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = pt.exp(x) * 2.0
        gradient = tape.gradient(y, x)
    assert gradient.device.backend == "away"
    np.testing.assert_allclose(gradient, 2.0 * np.exp([0.0, 1.0]), rtol=1e-6)
    assert "the host, which" in pt.explain("exp", x)


def test_resetting_the_policy_takes_effect() -> None:
    pt.set_fallback("allow")
    x = pt.asarray([0.0], device="away")
    pt.exp(x)
    pt.set_fallback("error")
    with pytest.raises(KernelError):
        pt.exp(x)


def test_creation_and_attributes_work_on_the_host_too() -> None:
    pt.set_fallback("allow")
    x = pt.zeros((2, 3), device="away:1")
    assert str(x.device) == "away:cpu:1" and type(x.array) is Far
    assert pt.astype(x, "int32").dtype == "int32" and pt.max(x + 1.0, axis=0).tolist() == [1.0, 1.0, 1.0]
    assert pt.concat([x, x], axis=1).shape == (2, 6)


def test_an_op_that_the_backend_leaves_to_the_host_runs_there_and_no_other() -> None:
    with (
        pt.register_backend(backend("shared", host_ops=("exp", "cholesky"))),
        pt.register_backend(pt.Backend(name="heir", extends="shared")),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error")
        for name in ("shared", "heir"):
            x = pt.asarray([0.0, 1.0], device=name)
            y = pt.exp(x)
            assert y.device.backend == name and type(y.array) is Far
            np.testing.assert_allclose(y, np.exp([0.0, 1.0]), rtol=1e-6)
            assert "the host, which" in pt.explain("exp", x)
            with pytest.raises(KernelError, match="log has no kernel"):
                pt.log(x)
        status = next(status for status in pt.backends() if status.name == "shared")
        assert status.missing < next(status for status in pt.backends() if status.name == "away").missing


def test_an_unknown_policy_is_rejected() -> None:
    with pytest.raises(SettingError, match="fallback='host' is not a valid policy"):
        pt.set_fallback("host")
    with pytest.raises(SettingError, match="error or warn or allow"):
        pt.set_fallback("")


# --- mixed devices ----------------------------------------------------------------------------------------------------


def test_mixed_devices_are_an_error_that_names_each_argument() -> None:
    x, y = pt.asarray([1.0], device="away"), pt.asarray([2.0], device="beyond")
    for call in (lambda: x + y, lambda: pt.add(y, x), lambda: x + pt.asarray([1.0], device="away:1")):
        with pytest.raises(DeviceError, match="add got tensors on different devices") as caught:
            call()
        assert "x1 is float32[1] on" in caught.value.got and "x2 is float32[1] on" in caught.value.got
        assert ".to_device(" in caught.value.fix
    assert (x.item(), y.item()) == (1.0, 2.0)


def test_warn_moves_to_the_first_ones_device() -> None:
    pt.set_mixed_devices("warn")
    x, y = pt.asarray([1.0], device="away"), pt.asarray([2.0], device="beyond")
    with pytest.warns(PolytapeWarning, match=r"add: float32\[1\] moved from beyond:cpu:0 to away:cpu:0"):
        assert str((x + y).device) == "away:cpu:0"


def test_silent_moves_and_gradients_move_back() -> None:
    pt.set_mixed_devices("silent")
    x, y = pt.asarray([2.0], device="away"), pt.asarray([3.0], device="beyond:1")
    with pt.GradientTape() as tape:
        tape.watch([x, y])
        z = x * y
    gradients = tape.gradient(z, [x, y])
    assert [str(g.device) for g in gradients] == ["away:cpu:0", "beyond:cpu:1"]
    assert [g.item() for g in gradients] == [3.0, 2.0]


def test_numbers_lists_and_arrays_go_to_the_device_of_the_tensor() -> None:
    x = pt.asarray([1.0, 2.0], device="away")
    for host_value in (2.0, [1.0, 2.0], np.ones(2, "float32"), np.float32(2)):
        assert (x + host_value).device.backend == (host_value + x).device.backend == "away"


# --- moving -----------------------------------------------------------------------------------------------------------


def test_a_tensor_moves_between_devices_and_back() -> None:
    x = pt.asarray([1.0, 2.0])
    moved = x.to_device("away:1")
    assert str(moved.device) == "away:cpu:1" and moved.tolist() == [1.0, 2.0]
    assert moved.to_device("away:1") is moved
    assert moved.to_device("away:0").array is not moved.array
    assert moved.to_device("numpy").tolist() == [1.0, 2.0]


def test_moves_through_two_backends_have_second_derivatives() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as outer:
        outer.watch(x)
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = x.to_device("away:1")
            z = (y * y * y).to_device("beyond").to_device("numpy")
        gradient = tape.gradient(z, x)
    assert gradient.device.backend == "numpy" and gradient.tolist() == [3.0, 12.0]
    assert outer.gradient(gradient, x).tolist() == [6.0, 12.0]


def test_a_variable_stays_on_its_device() -> None:
    v = pt.Variable([1.0, 2.0], device="away:1")
    v.assign(pt.asarray([3.0, 4.0])).assign_add([1.0, 1.0])
    assert str(v.device) == "away:cpu:1" and v.tolist() == [4.0, 5.0] and type(v.array) is Far


def test_a_stream_is_rejected() -> None:
    with pytest.raises(pt.PolytapeError, match="does not accept a stream"):
        pt.asarray([1.0]).to_device("numpy", stream=1)
