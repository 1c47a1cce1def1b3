"""explain: which kernel would serve a call, and why the others would not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, KernelError, RegistrationError


def big(x: Any) -> bool:
    """A predicate with a name."""
    return bool(x.size > 5)


def test_explain_names_the_kernel_that_serves() -> None:
    text = pt.explain("add", pt.asarray([1.0]), 2.0)
    assert text.splitlines()[0] == "add(float32, float32) on numpy:cpu:0"
    assert "from polytape): CHOSEN" in text and text.endswith("output: float32[1]")
    assert pt.explain(pt.add, [1], 2).splitlines()[0] == "add(int32, int32) on numpy:cpu:0"


def test_predicates_are_evaluated_on_the_operands() -> None:
    with pt.kernel("exp", backend="numpy", when=big, priority=2)(np.exp):
        small, large = pt.explain("exp", pt.asarray([1.0])), pt.explain("exp", pt.zeros((10,)))
    assert "its predicate big is false for these operands" in small and "when=big" in small
    chosen = [line for line in large.splitlines() if line.endswith("CHOSEN")]
    assert len(chosen) == 1 and "when=big" in chosen[0]
    assert [line for line in large.splitlines() if line.endswith("not reached")]


def test_a_predicate_may_depend_on_attributes() -> None:
    def last(x: Any, *, axis: Any = None, **attributes: Any) -> bool:
        return axis == -1

    axes: list[Any] = []

    def kernel(x: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        axes.append(axis)
        return np.sum(x, axis=axis, dtype=dtype, keepdims=keepdims)

    x = pt.zeros((2, 2))
    with pt.kernel("sum", backend="numpy", when=last, priority=2)(kernel):
        pt.sum(x, axis=-1)
        pt.sum(x, axis=0)
        pt.sum(x)
        assert axes == [-1]
        assert "when=last, priority=2, from in-process): CHOSEN" in pt.explain("sum", x, axis=-1)
        assert "when=last, priority=2, from in-process): its predicate last is false" in pt.explain("sum", x, axis=0)
        assert "priority=2, from in-process): its predicate" in pt.explain("sum", x, dtype="float64")


def test_kernels_for_other_dtypes_and_devices_are_listed_with_the_reason() -> None:
    kernels = (
        pt.kernel("exp", backend="numpy", dtypes=["float64"], priority=2)(np.exp),
        pt.kernel("exp", backend="numpy", devices=["gpu"], priority=3)(np.exp),
    )
    with kernels[0], kernels[1]:
        text = pt.explain("exp", pt.asarray([1.0]))
    assert "serves only dtypes float64" in text and "serves only device kinds gpu" in text


def test_a_missing_primitive_raises_the_error_of_the_call() -> None:
    with pt.register_backend(_bare("explain_bare", {"multiply": np.multiply})):
        x = pt.asarray([2.0], device="explain_bare")
        assert "CHOSEN" in pt.explain("multiply", x, x)
        with pytest.raises(KernelError, match="exp has no kernel for"):
            pt.explain("exp", x)


def _bare(name: str, kernels: dict[str, Any]) -> pt.Backend:
    return pt.Backend(
        name=name,
        devices=lambda: [("cpu", 1)],
        array_type=np.ndarray,
        from_host=lambda array, device: array.copy(),
        to_host=lambda array: array,
        copy=lambda array, device: array.copy(),
        empty=lambda shape, dtype, device: np.empty(shape, dtype),
        synchronize=lambda device: None,
        lift=lambda value, device: np.asarray(value),
        dtypes=("float32", "int32", "bool"),
        kernels=[pt.Kernel(op, fn) for op, fn in kernels.items()],
    )


def test_explain_computes_nothing() -> None:
    def must_not_run(x: Any) -> Any:
        raise AssertionError("it ran")

    with pt.kernel("exp", backend="numpy", priority=2)(must_not_run):
        assert "must_not_run" in pt.explain("exp", pt.asarray([1.0]))


def test_the_error_for_an_unknown_op_suggests_the_nearest() -> None:
    with pytest.raises(RegistrationError, match="there is no op 'matmull'") as caught:
        pt.explain("matmull")
    assert "matmul" in caught.value.expected
    with pytest.raises(RegistrationError, match="there is no op"):
        pt.explain(len)


def test_a_dtype_that_the_op_rejects_raises_the_error_of_the_op() -> None:
    with pytest.raises(DTypeError, match=r"logical_and\(int32, int32\)"):
        pt.explain("logical_and", pt.asarray([1]), pt.asarray([1]))
