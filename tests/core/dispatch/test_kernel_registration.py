"""explain: which kernel would serve, and why the others would not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, KernelError, RegistrationError


def big(x: Any) -> bool:
    """A predicate with a name."""
    return bool(x.size > 5)


def test_it_names_the_kernel_that_serves() -> None:
    text = pt.explain("add", pt.asarray([1.0]), 2.0)
    assert text.splitlines()[0] == "add(float32, float32) on numpy:cpu:0"
    assert "from polytape): CHOSEN" in text and text.endswith("output: float32")
    assert pt.explain(pt.add, [1], 2).splitlines()[0] == "add(int32, int32) on numpy:cpu:0"


def test_predicates_are_evaluated_on_these_operands() -> None:
    with pt.kernel("exp", backend="numpy", when=big, priority=2)(np.exp):
        small, large = pt.explain("exp", pt.asarray([1.0])), pt.explain("exp", pt.zeros((10,)))
    assert "its predicate big is false for these operands" in small and "when=big" in small
    chosen = [line for line in large.splitlines() if line.endswith("CHOSEN")]
    assert len(chosen) == 1 and "when=big" in chosen[0]
    assert [line for line in large.splitlines() if line.endswith("not reached")]


def test_a_predicate_may_ask_for_attributes() -> None:
    def last(x: Any, *, axis: Any = None, **others: Any) -> bool:
        return axis == -1

    seen: list[Any] = []

    def kernel(x: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        seen.append(axis)
        return np.sum(x, axis=axis, dtype=dtype, keepdims=keepdims)

    x = pt.zeros((2, 2))
    with pt.kernel("sum", backend="numpy", when=last, priority=2)(kernel):
        pt.sum(x, axis=-1)
        pt.sum(x, axis=0)
        pt.sum(x)
        assert seen == [-1]
        assert "when=last, priority=2, from in-process): CHOSEN" in pt.explain("sum", x, axis=-1)
        assert "when=last, priority=2, from in-process): its predicate last is false" in pt.explain("sum", x, axis=0)
        assert "priority=2, from in-process): its predicate" in pt.explain("sum", x, dtype="float64")


def test_dtypes_and_devices_that_do_not_fit_are_named() -> None:
    kernels = (
        pt.kernel("exp", backend="numpy", dtypes=["float64"], priority=2)(np.exp),
        pt.kernel("exp", backend="numpy", devices=["gpu"], priority=3)(np.exp),
    )
    with kernels[0], kernels[1]:
        text = pt.explain("exp", pt.asarray([1.0]))
    assert "serves only dtypes float64" in text and "serves only device kinds gpu" in text


def test_a_decomposition_is_said_to_be_one() -> None:
    with pt.register_backend(_bare("explain_bare", {"multiply": np.multiply})):
        x = pt.asarray([2.0], device="explain_bare")
        text = pt.explain("zeros", shape=(2,), device="explain_bare") if False else pt.explain("multiply", x, x)
        assert "CHOSEN" in text
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


def test_nothing_is_computed() -> None:
    def refuse(x: Any) -> Any:
        raise AssertionError("it ran")

    with pt.kernel("exp", backend="numpy", priority=2)(refuse):
        assert "refuse" in pt.explain("exp", pt.asarray([1.0]))


def test_an_unknown_op_offers_the_nearest() -> None:
    with pytest.raises(RegistrationError, match="there is no op 'matmull'") as caught:
        pt.explain("matmull")
    assert "matmul" in caught.value.expected
    with pytest.raises(RegistrationError, match="there is no op"):
        pt.explain(len)


def test_a_dtype_the_op_refuses_is_its_own_error() -> None:
    with pytest.raises(DTypeError, match=r"exp\(int32\): needs floating numbers"):
        pt.explain("exp", pt.asarray([1]))
