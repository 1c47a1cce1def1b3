"""Tests of the kit itself: it must detect each defect that is planted in a backend."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import ShapeError
from polytape.ops import dtype_rules, shape_rules
from polytape.ops.declaration import primitive
from polytape.registry import tables
from polytape.testing import (
    CASES,
    CHECKS,
    TRANSFERS,
    Case,
    case_of,
    floats,
    incomplete_ops,
    integers,
    unreached_kernels,
)
from polytape.testing.checks import check_gradient, check_kernel_equals_decomposition

_buffers: dict[Any, Any] = {}
_calls = [0]


def _wider(x1: Any, x2: Any) -> Any:
    return np.add(x1, x2, dtype="float64") if x1.dtype == np.float32 else np.add(x1, x2)


def _broadcasts_wrongly(x1: Any, x2: Any) -> Any:
    return np.multiply(x1, x2) if x1.shape == x2.shape else np.multiply(x1, x2.ravel()[:1])


def _truncates(x1: Any, x2: Any) -> Any:
    if x1.ndim == x2.ndim == 0 or x1.shape == x2.shape or 1 in x1.shape + x2.shape:
        return np.add(x1, x2)
    n = min(x1.shape[-1:] + x2.shape[-1:])
    return np.add(x1[..., :n], x2[..., :n])


def _single_precision(x: Any) -> Any:
    return np.exp(x.astype("float32")).astype("float64") if x.dtype == np.float64 else np.exp(x)


def _in_place(x: Any) -> Any:
    return np.multiply(x, x, out=x)


def _same_buffer(x: Any) -> Any:
    buffer = _buffers.setdefault((x.shape, x.dtype), np.empty_like(x))
    return np.tanh(x, out=buffer)


def _last_axis(x: Any, *, axis: Any = None, dtype: Any, keepdims: bool = False) -> Any:
    return x.sum(axis=-1 if axis is None and x.ndim else axis, dtype=dtype, keepdims=keepdims)


def _drops_keepdims(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    return x.mean(axis)


def _skips_nan(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    return np.fmax.reduce(x, axis, keepdims=keepdims)


def _last_tie(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    if axis is None:
        return np.asarray(x.size - 1 - x.ravel()[::-1].argmax()).reshape((1,) * x.ndim if keepdims else ())
    return x.shape[axis] - 1 - np.flip(x, axis).argmax(axis, keepdims=keepdims)


def _narrow_index(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    return np.asarray(x.argmax(axis, keepdims=keepdims)).astype("int32")


def _memory_order(x: Any) -> Any:
    return np.sqrt(np.ravel(x, order="K")).reshape(x.shape)


def _unsteady(x: Any) -> Any:
    _calls[0] += 1
    return np.log1p(x) * (1 + _calls[0] % 2 * np.finfo(x.dtype).eps) if x.dtype == np.float64 else np.log1p(x)


def _overflows(x: Any, *, axis: int = -1) -> Any:
    e = np.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


def _overwrites(x: Any, value: Any, *indices: Any, key: Any) -> Any:
    arrays = iter(indices)
    index = tuple(
        {"slice": lambda p: slice(*p[1:]), "int": lambda p: p[1], "array": lambda p: next(arrays)}.get(
            part[0], lambda p: Ellipsis
        )(part)
        for part in key
    )
    x[index] = value
    return x


def _backwards(*arrays: Any, axis: Any = 0) -> Any:
    return np.concatenate(arrays[::-1], axis=axis)


def _other_bits(state: Any, *, shape: Any, dtype: Any, device: Any) -> Any:
    return np.random.default_rng(int(state[0])).random(shape).astype(dtype)


def _keeps_last(values: Any, *indices: Any, key: Any, shape: Any) -> Any:
    y = np.zeros(shape, values.dtype)
    if len(key) == 1 and key[0][0] == "array":
        y[indices[0]] = values
        return y
    return _NUMPY["scatter_add"](values, *indices, key=key, shape=shape)


def _ignores_betas(x: Any, m: Any, v: Any, g: Any, rate: Any, step: Any, hyperparameters: Any) -> Any:
    fixed = np.asarray([0.9, 0.999, 1e-7, 0.125])
    return _NUMPY["adam_update"](x.copy(), m.copy(), v.copy(), g, rate, step, fixed)


def _rounds(x: Any, *, dtype: Any) -> Any:
    return np.rint(x).astype(dtype) if x.dtype.kind == "f" and dtype.kind in "iu" else x.astype(dtype)


def _wrong_class(incoming: Any, labels: Any, logits: Any) -> Any:
    return _NUMPY["softmax_cross_entropy_gradient"](incoming, (labels + 1) % logits.shape[-1], logits)


def _half_sum(x: Any, *, axis: Any = None, dtype: Any, keepdims: bool = False) -> Any:
    if dtype != np.float16 or x.ndim != 1 or not x.size:
        return x.sum(axis, dtype, keepdims=keepdims)
    return np.add.accumulate(x)[-1].reshape((1,) if keepdims else ())


_NUMPY = {kernel.op: kernel.fn for kernel in pt.get_backend("numpy").all_kernels()}

DEFECTS: list[tuple[str, str, Callable[..., Any]]] = [
    ("a wider dtype than declared", "add", _wider),
    ("swapped operands", "subtract", lambda x1, x2: np.subtract(x2, x1)),
    ("wrong broadcasting", "multiply", _broadcasts_wrongly),
    ("bad shapes accepted", "add", _truncates),
    ("float64 computed in float32", "exp", _single_precision),
    ("an operand overwritten", "square", _in_place),
    ("one buffer for all results", "tanh", _same_buffer),
    ("a different default axis", "sum", _last_axis),
    ("keepdims ignored", "mean", _drops_keepdims),
    ("NaN skipped", "max", _skips_nan),
    ("the last of equal maxima", "argmax", _last_tie),
    ("a narrower index dtype", "argmax", _narrow_index),
    ("operands read in memory order", "sqrt", _memory_order),
    ("different digits in each call", "log1p", _unsteady),
    ("digits lost near zero", "log1p", lambda x: np.log(1 + x)),
    ("the sign of zero lost", "negative", lambda x: (0 - x).astype(x.dtype)),
    ("overflow where the result is finite", "softmax", _overflows),
    ("overflow to NaN", "sigmoid", lambda x: np.exp(x) / (1 + np.exp(x))),
    ("assignment into the operand", "setitem", _overwrites),
    ("joined in another order", "concat", _backwards),
    ("other random bits", "random_uniform", _other_bits),
    ("repeated indices counted once", "scatter_add", _keeps_last),
    ("operands ignored", "adam_update", _ignores_betas),
    ("rounding where it should truncate", "astype", _rounds),
    ("another row's label", "softmax_cross_entropy_gradient", _wrong_class),
    ("NaN equal to NaN", "equal", lambda x1, x2: (x1 == x2) | ((x1 != x1) & (x2 != x2))),
    ("infinity treated as finite", "isfinite", lambda x: ~np.isnan(x)),
    ("branches swapped", "where", lambda condition, x1, x2: np.where(condition, x2, x1)),
    ("axes in the inverse order", "permute_dims", lambda x, *, axes: np.transpose(x, np.argsort(axes))),
    ("a half-precision running sum", "sum", _half_sum),
    ("integer division", "divide", lambda x1, x2: np.divide(np.trunc(x1), x2)),
]


@pytest.mark.parametrize(("op", "fn"), [defect[1:] for defect in DEFECTS], ids=[defect[0] for defect in DEFECTS])
def test_the_kit_detects_a_planted_defect(op: str, fn: Callable[..., Any]) -> None:
    case = case_of(op)
    kernel = pt.Kernel(op, fn)
    failures = []
    with pt.register_backend(pt.Backend(name="faulty", extends="numpy", kernels=[kernel])):
        for check in CHECKS:
            try:
                check(case, "faulty")
            except Exception as error:
                failures.append(f"{check.__name__}: {type(error).__name__}: {error}")
    assert failures
    assert any(op in text and "faulty" in text for text in failures), failures


def test_the_kit_passes_a_backend_without_defects() -> None:
    with pt.register_backend(pt.Backend(name="faultless", extends="numpy", kernels=[pt.Kernel("add", np.add)])):
        for check in CHECKS:
            check(case_of("add"), "faultless")
        for transfer in TRANSFERS:
            transfer("faultless")


MEMORY_DEFECTS: list[tuple[str, dict[str, Callable[..., Any]]]] = [
    ("host data shared", {"from_host": lambda array, device: np.asarray(array)}),
    (
        "memory order mistaken for logical order",
        {"from_host": lambda array, device: array.ravel("K").reshape(array.shape)},
    ),
    ("rank 0 made rank 1", {"from_host": lambda array, device: np.atleast_1d(array.copy())}),
    ("NaN payloads lost", {"to_host": lambda array: np.where(array != array, np.nan, array).astype(array.dtype)}),
    ("reversed on the way to the host", {"to_host": lambda array: array[::-1] if array.ndim else array}),
    ("a copy that is the same array", {"copy": lambda array, device: array}),
    ("a copy that is a view", {"copy": lambda array, device: array.view()}),
    ("another dtype allocated", {"empty": lambda shape, dtype, device: np.empty(shape, "float32")}),
    ("another shape allocated", {"empty": lambda shape, dtype, device: np.empty(shape[:1], dtype)}),
]


@pytest.mark.parametrize(
    "members", [defect[1] for defect in MEMORY_DEFECTS], ids=[defect[0] for defect in MEMORY_DEFECTS]
)
def test_the_kit_detects_a_planted_memory_defect(members: Any) -> None:
    failures = 0
    with pt.register_backend(pt.Backend(name="faulty", extends="numpy", **members)):
        for check in TRANSFERS:
            try:
                check("faulty")
            except Exception:
                failures += 1
    assert failures


def test_a_kernel_that_no_sample_reaches_is_reported() -> None:
    def never(*arrays: Any) -> bool:
        return False

    def always(*arrays: Any) -> bool:
        return True

    kernels = [
        pt.Kernel("add", np.add, when=never),
        pt.Kernel("exp", np.exp, when=always),
        pt.Kernel("tanh", np.tanh, when=lambda x: bool(x.size > 3)),
        pt.Kernel("sqrt", np.sqrt, dtypes=("float16",)),
        pt.Kernel("sqrt", np.sqrt, dtypes=("float16",), priority=1),
    ]
    with pt.register_backend(pt.Backend(name="hidden", extends="numpy", kernels=kernels)):
        missing = unreached_kernels("hidden", CASES)
    assert [line.split(",")[0] for line in missing] == ["Kernel('add'", "Kernel('exp'", "Kernel('sqrt'"]
    assert "no sample of add's row reaches it" in missing[0]
    assert "makes its predicate false" in missing[1]


@pytest.fixture
def declare() -> Iterator[Callable[[Callable[..., Any]], Any]]:
    """A function that declares an op of one floating operand; the op is removed after the test."""
    names = []

    def declare_op(body: Callable[..., Any]) -> Any:
        op: Any = pt.op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True)(body)
        names.append(op.name)
        return op

    yield declare_op
    for name in names:
        del tables.ops()[name]


def cube(x: pt.Tensor, /) -> pt.Tensor:
    """The third power."""
    return pt.multiply(pt.multiply(x, x), x)


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (lambda g, x: g * x * x * 3.0, ""),
        (lambda g, x: g * x * x * 3.00001, "order 1 with respect to input 0 is wrong"),
        (lambda g, x: g * pt.stop_gradient(x) * x * 3.0, "order 2 with respect to input 0 is wrong"),
        (
            lambda g, x: pt.stop_gradient(g) * x * x * 3.0,
            "order 2 with respect to the incoming gradient of output 0 is wrong",
        ),
        # The rounding to float32 is visible in the differences.
        (lambda g, x: pt.astype(g * x * x * 3.0, "float32"), "order 2 with respect to"),
    ],
)
def test_a_wrong_gradient_rule_is_detected(declare: Any, rule: Any, problem: str) -> None:
    op = declare(cube)
    op.gradient(x=rule)
    case = Case(op, floats(2, 3), reference=lambda x: x**3)
    if not problem:
        check_gradient(case, "numpy")
        return
    with pytest.raises(AssertionError, match=r"cube\(floats\(.*\)\) of float64 on numpy: ") as caught:
        check_gradient(case, "numpy")
    assert problem in str(caught.value)


def test_an_incomplete_op_is_reported(declare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(x: pt.Tensor, /) -> pt.Tensor:
        return primitive()

    op = declare(nothing)
    monkeypatch.setattr(sys.modules[op.__module__], "__all__", [], raising=False)
    missing = incomplete_ops({"nothing": op}, CASES)
    assert all(line.startswith("nothing: ") for line in missing)
    for part in ("0 rows", "neither a gradient rule nor a reason", "lacks Args, Returns, Source", "__all__"):
        assert any(part in line for line in missing), part
    missing = incomplete_ops({"nothing": op}, [Case(op, integers(3), reference=lambda x: x)])
    assert any("no smooth sample in float64 for its gradient" in line for line in missing)


def test_a_body_that_differs_from_its_kernel_is_detected() -> None:
    kernel = pt.Kernel("relu", lambda x: np.abs(x))
    with (
        pt.register_backend(pt.Backend(name="faulty", extends="numpy", kernels=[kernel])),
        pytest.raises(AssertionError, match="its body"),
    ):
        check_kernel_equals_decomposition(case_of("relu"), "faulty")


def test_a_wrong_error_is_detected() -> None:
    def raises_a_bare_error(x1: Any, x2: Any) -> Any:
        if x1.shape != x2.shape:
            raise ShapeError("no")
        return np.matmul(x1, x2)

    from polytape.testing.checks import check_errors

    with (
        pt.register_backend(
            pt.Backend(name="faulty", extends="numpy", kernels=[pt.Kernel("matmul", raises_a_bare_error)])
        ),
        pytest.raises(AssertionError, match="expected: ShapeError with"),
    ):
        check_errors(case_of("matmul"), "faulty")
