"""Resolution: backends registered in process, parent and child, decomposition, unchecked kernels, predicates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import BackendError, DeviceError, DTypeError, KernelError, RegistrationError, ShapeError
from polytape.registry import tables
from polytape_numpy.kernels import build


def copied(name: str, kernels: Any, **changes: Any) -> pt.Backend:
    """A backend with another name whose arrays are NumPy arrays."""
    members: dict[str, Any] = {
        "devices": lambda: [("cpu", 1)],
        "array_type": np.ndarray,
        "from_host": lambda array, device: np.array(array),
        "to_host": lambda array: array,
        "copy": lambda array, device: array.copy(),
        "empty": lambda shape, dtype, device: np.empty(shape, dtype),
        "synchronize": lambda device: None,
        "lift": lambda value, device: np.asarray(value),
        "dtypes": ("bool", "int32", "int64", "float32", "float64"),
    }
    return pt.Backend(name=name, kernels=kernels, **(members | changes))


@pytest.fixture
def child() -> Iterator[str]:
    """A backend that extends numpy and has one kernel of its own."""
    pt.asarray(0.0)  # loads numpy
    kernels = [pt.Kernel("tanh", lambda x: x * 0 + 7, dtypes=["float32"])]
    with pt.register_backend(pt.Backend(name="resolve_child", extends="numpy", kernels=kernels)):
        yield "resolve_child"


def test_a_child_backend_uses_its_own_kernels_first_and_then_its_parents(child: str) -> None:
    x = pt.asarray([1.0], device=child)
    assert pt.tanh(x).item() == 7.0 and pt.tanh(x).device.backend == child
    assert pt.exp(x).device.backend == child and pt.exp(x).item() == pytest.approx(np.e)
    assert pt.tanh(pt.astype(x, "float64")).item() == pytest.approx(np.tanh(1.0))
    assert pt.tanh(pt.asarray([1.0], device="numpy")).item() == pytest.approx(np.tanh(1.0))
    text = pt.explain("exp", x)
    assert f"{child}: no kernel registered" in text and "  numpy: " in text


def test_operands_of_parent_and_child_mix_without_a_copy_and_run_on_the_child(child: str) -> None:
    x, y = pt.asarray([1.0, 2.0], device=child), pt.asarray([3.0, 4.0], device="numpy")
    for result in (x + y, y + x, pt.where(x > 0, y, x), pt.concat([y, x])[:2] + 0):
        assert result.device.backend == child
    moved = y.to_device(child)
    assert moved.array is y.array and moved.device.backend == child
    with pt.GradientTape() as tape:
        tape.watch([x, y])
        z = x * y
    gradients = tape.gradient(z, [x, y])
    assert [g.device.backend for g in gradients] == [child, "numpy"]
    assert [g.tolist() for g in gradients] == [[3.0, 4.0], [1.0, 2.0]]


def test_a_variable_of_the_parent_accepts_a_value_of_the_child(child: str) -> None:
    v = pt.Variable([1.0, 2.0], device="numpy")
    v.assign(pt.asarray([5.0, 6.0], device=child))
    v.assign_add(pt.asarray([1.0, 1.0], device=child))
    assert v.device.backend == "numpy" and v.tolist() == [6.0, 7.0]


def test_the_error_for_a_missing_primitive_names_the_backend_and_a_remedy() -> None:
    with pt.register_backend(copied("resolve_bare", [pt.Kernel("add", np.add)])):
        x = pt.asarray([1.0], device="resolve_bare")
        assert (x + x).item() == 2.0
        with pytest.raises(KernelError, match=r"exp has no kernel for \(float32\) on resolve_bare:cpu:0") as caught:
            pt.exp(x)
        assert "register one with @polytape.kernel('exp', backend='resolve_bare')" in caught.value.fix


def test_kernels_for_other_dtypes_are_listed_if_none_fits() -> None:
    kernels = [pt.Kernel("exp", np.exp, dtypes=["float64"])]
    with pt.register_backend(copied("resolve_narrow", kernels)):
        with pytest.raises(KernelError, match="serves only dtypes float64"):
            pt.exp(pt.asarray([1.0], device="resolve_narrow"))
        assert pt.exp(pt.asarray(np.zeros(1), device="resolve_narrow")).item() == 1.0


def test_a_composite_is_decomposed_on_the_same_device() -> None:
    kernels = [kernel for kernel in build(np) if kernel.op not in ("softmax", "relu", "sgd_update")]
    with pt.register_backend(copied("resolve_thin", kernels)):
        x = pt.asarray([[1.0, 2.0]], device="resolve_thin")
        for name in ("softmax", "relu"):
            op: Any = tables.ops()[name]
            if op.primitive:
                continue
            expected = op(pt.asarray([[1.0, 2.0]], device="numpy")).numpy()
            with pt.GradientTape() as tape:
                tape.watch(x)
                y = op(x)
            np.testing.assert_allclose(y, expected, rtol=1e-6)
            assert y.device.backend == "resolve_thin" and tape.gradient(y, x) is not None
            assert "its body, run as ops on the same device" in pt.explain(name, x)


def test_an_unchecked_kernel_gets_the_spec_of_its_outputs_and_never_a_bad_shape() -> None:
    specs: list[Any] = []

    def unchecked(x1: Any, x2: Any, *, spec: Any) -> Any:
        specs.append(spec)
        return x1 @ x2

    x, y = pt.ones((2, 3)), pt.ones((3, 4))
    with pt.kernel("matmul", backend="numpy", priority=5, checked=False)(unchecked):
        assert pt.matmul(x, y).shape == (2, 4)
        assert specs == [(((2, 4), np.dtype("float32")),)]
        with pytest.raises(ShapeError, match=r"matmul\(\[3,4\], \[3,4\]\): the inner sizes differ"):
            pt.matmul(y, y)
        with pytest.raises(ShapeError), pt.GradientTape() as tape:
            tape.watch(y)
            pt.matmul(y, y)
    assert len(specs) == 1


def test_an_unchecked_kernel_gets_attributes_and_the_resolved_dtype() -> None:
    calls: list[Any] = []

    def unchecked(x: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False, spec: Any) -> Any:
        calls.append((spec, dtype, axis))
        return np.sum(x, axis=axis, dtype=dtype, keepdims=keepdims)

    with pt.kernel("sum", backend="numpy", priority=5, checked=False)(unchecked):
        assert pt.sum(pt.asarray([[1, 2]], dtype="int8"), axis=0).dtype == "int32"
        with pytest.raises(ShapeError):
            pt.sum(pt.asarray([1]), axis=4)
    assert calls == [((((2,), np.dtype("int32")),), np.dtype("int32"), 0)]


def test_the_shape_rule_runs_for_every_call_of_an_unchecked_kernel() -> None:
    with pt.kernel("add", backend="numpy", priority=5, checked=False)(lambda a, b, spec: np.add(a, b)):
        x = pt.ones((2,))
        assert (x + x).shape == (2,)
        with pytest.raises(ShapeError):
            x + pt.ones((3,))
        assert (x + pt.ones((5, 2))).shape == (5, 2) and (x + 1.0).tolist() == [2.0, 2.0]


def test_a_kernel_that_writes_gets_a_copy_if_core_does_not_own_the_array() -> None:
    def in_place(x: Any, gradient: Any, learning_rate: Any) -> Any:
        x -= learning_rate * gradient
        return x

    x = pt.ones((3,))
    op: Any = tables.ops()["sgd_update"]
    with pt.kernel("sgd_update", backend="numpy", priority=5, writes=["x"])(in_place):
        result = op(x, pt.ones((3,)), pt.asarray(0.5))
    assert result.tolist() == [0.5] * 3 and x.tolist() == [1.0] * 3


def test_a_primitive_with_only_predicated_kernels_works_if_a_predicate_is_true() -> None:
    kernels = [pt.Kernel("exp", np.exp, when=lambda x: x.size < 5)]
    with pt.register_backend(copied("resolve_partly", kernels)):
        assert pt.exp(pt.asarray([0.0], device="resolve_partly")).item() == 1.0
        with pytest.raises(KernelError, match="exp has no kernel"):
            pt.exp(pt.asarray(np.zeros(9), device="resolve_partly"))


def test_the_body_runs_if_all_predicates_are_false() -> None:
    op: Any = tables.ops()["softmax"]
    kernels = [kernel for kernel in build(np) if kernel.op != "softmax"]
    kernels.append(pt.Kernel("softmax", lambda x, axis=-1: x * 0, when=lambda x, axis=-1: x.shape[-1] == 1))
    with pt.register_backend(copied("resolve_guarded", kernels)):
        x, y = (pt.asarray([[0.0] * n], device="resolve_guarded") for n in (1, 2))
        assert op(x).tolist() == [[0.0]] and op(y).tolist() == [[0.5, 0.5]]


def test_the_error_for_a_dtype_that_a_backend_does_not_support_names_it() -> None:
    with (
        pt.register_backend(copied("resolve_small", list(build(np)), dtypes=("float32", "bool"))),
        pytest.raises(DTypeError, match="backend 'resolve_small' does not support float64"),
    ):
        pt.asarray(np.ones(2), device="resolve_small")


def test_a_backend_registered_in_a_block_cannot_be_used_after_it() -> None:
    with pt.register_backend(copied("resolve_gone", list(build(np)))) as backend:
        x = pt.asarray([1.0], device="resolve_gone")
        assert (x + x).tolist() == [2.0] and backend.provider == "in-process"
        with pytest.raises(RegistrationError, match="the backend name 'resolve_gone' is taken"):
            pt.register_backend(copied("resolve_gone", []))
    with pytest.raises(DeviceError):
        pt.asarray([1.0], device="resolve_gone")
    with pytest.raises(BackendError):
        x + x
    with pt.register_backend(copied("resolve_gone", [pt.Kernel("add", lambda a, b: a * 0)])):
        assert (pt.asarray([1.0], device="resolve_gone") + 1.0).tolist() == [0.0]
