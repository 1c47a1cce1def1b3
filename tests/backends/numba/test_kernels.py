"""The Numba kernels against the NumPy kernels: values within the stated ulps, special values, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape import buildinfo
from polytape.optim import Adam
from polytape.registry import tables
from polytape_numba.kernels import kernels
from polytape_numpy.kernels import build

pytest.importorskip("numba")

NUMBA = {kernel.op: kernel for kernel in kernels()}
NUMPY = {kernel.op: kernel.fn for kernel in build(np)}
LOSS, GRADIENT = "sparse_softmax_cross_entropy_with_logits", "softmax_cross_entropy_gradient"
SHAPES = [(300,), (300, 1), (26, 10), (1000, 10), (5, 513), (3, 5000), (2, 3, 4, 50)]
REAL = ["float32", "float64"]
# The exponential is accurate to 1 ulp, NumPy's to 3 ulp, and their sums are rounded in different orders.
ULP = 8
# The Numba kernel subtracts the largest logit of a row, and the NumPy kernel does not where no exponential overflows.
# Differences up to 32 are rounded to 2**-20, which is 16 ulp of their exponential.
SHIFTED_ULP = 24


def ulps(result: Any, expected: Any) -> float:
    """The largest difference in units in the last place of the expected number, or of 1e-30 if that is larger."""
    unit = np.spacing(np.maximum(np.abs(expected), 1e-30).astype(expected.dtype))
    return float(np.max(np.abs(result - expected) / unit, initial=0.0))


def logits(shape: tuple[int, ...], dtype: str, spread: float = 4.0) -> Any:
    """Seeded logits."""
    return (np.random.default_rng(0).standard_normal(shape) * spread).astype(dtype)


def labels_of(x: Any, dtype: str = "int32") -> Any:
    """Seeded labels, one per row."""
    return np.asarray(np.random.default_rng(1).integers(0, x.shape[-1], x.shape[:-1]), dtype)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_softmax_agrees_with_the_numpy_kernel(shape: tuple[int, ...], dtype: str) -> None:
    x = logits(shape, dtype)
    before = x.copy()
    y = NUMBA["softmax"].fn(x)
    assert y.dtype == x.dtype and y.shape == shape
    assert ulps(y, NUMPY["softmax"](x)) <= SHIFTED_ULP
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("dtype", REAL)
def test_softmax_returns_subnormal_numbers_and_zero(dtype: str) -> None:
    low = -103.9 if dtype == "float32" else -744.5
    x = np.concatenate([[0.0], np.linspace(2 * low, 0.0, 999)]).astype(dtype).reshape(1, -1)
    y, expected = NUMBA["softmax"].fn(x), NUMPY["softmax"](x)
    tiny = np.finfo(dtype).tiny
    normal = expected > tiny
    assert ulps(y[normal], expected[normal]) <= ULP
    assert np.max(np.abs(y[~normal] - expected[~normal])) <= 2 * np.finfo(dtype).smallest_subnormal
    assert np.count_nonzero((y > 0) & (y < tiny)) > 5


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("special", [[np.nan], [np.inf], [-np.inf], [np.inf, -np.inf], [-np.nan, np.inf]], ids=str)
def test_special_values_give_the_same_results_as_in_numpy(special: list[float], dtype: str) -> None:
    x = logits((40, 20), dtype)
    x[3, : len(special)] = special
    x[5, :] = special[0]
    x[7, 1:] = -np.inf
    labels, g = labels_of(x), np.ones(40, dtype)
    with np.errstate(all="ignore"):
        pairs = [
            (NUMBA["softmax"].fn(x), NUMPY["softmax"](x)),
            (NUMBA[LOSS].fn(labels, x), NUMPY[LOSS](labels, x)),
            (NUMBA[GRADIENT].fn(g, labels, x), NUMPY[GRADIENT](g, labels, x)),
        ]
    for result, expected in pairs:
        np.testing.assert_array_equal(np.isnan(result), np.isnan(expected))
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("label_dtype", ["int32", "int64"])
@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_cross_entropy_and_its_gradient_agree_with_the_numpy_kernels(
    shape: tuple[int, ...], dtype: str, label_dtype: str
) -> None:
    x = logits(shape, dtype)
    labels = labels_of(x, label_dtype)
    g = np.asarray(np.random.default_rng(2).standard_normal(shape[:-1]), dtype)
    loss, gradient = NUMBA[LOSS].fn(labels, x), NUMBA[GRADIENT].fn(g, labels, x)
    assert (loss.dtype, loss.shape, gradient.dtype, gradient.shape) == (x.dtype, shape[:-1], x.dtype, shape)
    # The loss is a difference of numbers as large as the logits, the gradient a difference of numbers up to 1.
    unit = np.finfo(dtype).eps
    assert np.max(np.abs(loss - NUMPY[LOSS](labels, x))) <= ULP * unit * np.max(np.abs(x))
    assert np.max(np.abs(gradient - NUMPY[GRADIENT](g, labels, x))) <= ULP * unit * np.max(np.abs(g))


@pytest.mark.parametrize("label", [-1, -10, -11, 10, 2**31 - 1])
def test_a_label_that_is_not_a_class_is_handled_as_in_numpy(label: int) -> None:
    x = logits((40, 10), "float32")
    labels, g = labels_of(x), np.ones(40, "float32")
    labels[17] = label

    def outcome(fn: Callable[..., Any], *operands: Any) -> Any:
        try:
            return fn(*operands)
        except IndexError as error:
            return str(error)

    for op, operands in ((LOSS, (labels, x)), (GRADIENT, (g, labels, x))):
        result, expected = outcome(NUMBA[op].fn, *operands), outcome(NUMPY[op], *operands)
        if isinstance(expected, str):
            assert result == expected
        else:
            np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("op", [LOSS, GRADIENT])
def test_rows_that_do_not_match_the_logits_are_rejected(op: str) -> None:
    x = logits((40, 10), "float32")
    g = () if op == LOSS else (np.ones(40, "float32"),)
    with pytest.raises(ValueError, match="do not match"):
        NUMBA[op].fn(*g, labels_of(x)[:39], x)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("step", [1, 1000])
@pytest.mark.parametrize("shape", [(256,), (300, 301), (70_000,)], ids=str)
def test_adam_writes_the_same_values_as_numpy_to_its_operands(shape: tuple[int, ...], step: int, dtype: str) -> None:
    rng = np.random.default_rng(0)
    x, m, g = (rng.standard_normal(shape).astype(dtype) for _ in range(3))
    operands = [x, m, np.abs(m), g, np.asarray(1e-2, dtype), np.asarray(step)]
    operands.append(np.asarray([0.8, 0.999, 1e-4, 0.125]))
    expected = NUMPY["adam_update"](*(array.copy() for array in operands))
    assert NUMBA["adam_update"].when(*operands)
    results = NUMBA["adam_update"].fn(*operands)
    unit = np.finfo(dtype).eps
    for y, operand, reference in zip(results, operands, expected, strict=False):
        assert y is operand
        # The results are sums of two terms up to 5; they differ only by one rounding that fused products save.
        assert np.max(np.abs(y - reference)) <= 4 * unit * np.max(np.abs(reference))


@pytest.mark.parametrize("dtype", REAL)
def test_ftrl_writes_the_bits_of_the_body_to_its_operands(dtype: str) -> None:
    rng = np.random.default_rng(0)
    x, total, linear, g = (rng.standard_normal(3000).astype(dtype) for _ in range(4))
    total, linear[:400] = abs(total), linear[:400] * 0.01
    total[:8], g[:8] = (
        [0.0, -0.0, np.inf, np.nan, -np.inf, -1.0, 0.0, 1.0],
        [0.0, -0.0, 1.0, 1.0, 1.0, 0.5, np.nan, 1e30],
    )
    kernel, op = NUMBA["ftrl_update"], tables.get_op("ftrl_update")
    for l1 in (0.25, 0.0):
        scalars = [np.asarray(0.125, dtype), np.asarray([-0.5, l1, 0.5])]
        operands = [x.copy(), total.copy(), linear.copy(), g, *scalars]
        with pt.device("numpy"), np.errstate(all="ignore"):
            expected = [y.numpy() for y in op.run_body([pt.asarray(operand) for operand in operands], {})]
        assert kernel.when(*operands)
        results = kernel.fn(*operands)
        for result, operand, value in zip(results, operands, expected, strict=False):
            assert result is operand
            np.testing.assert_array_equal(result, value)
            np.testing.assert_array_equal(np.signbit(result[8:]), np.signbit(value[8:]))
    assert not kernel.when(*operands[:-1], np.asarray([-0.75, 0.25, 0.5]))  # another power: the body


def test_a_compiled_adam_updates_the_buffer_of_the_variable_in_place() -> None:
    with pt.device("numba"):
        w = pt.Variable(np.linspace(-1.0, 1.0, 1000, dtype="float32"))
        optimizer = Adam(0.1)
        gradient = pt.ones((1000,))
        optimizer.apply_gradients([(gradient, w)])
        address, before = w.array.ctypes.data, w.numpy().copy()
        optimizer.apply_gradients([(gradient, w)])
    assert (w.array.ctypes.data == address) == buildinfo.compiled()
    np.testing.assert_allclose(w.numpy(), before - 0.1, rtol=1e-4, atol=1e-5)


def test_small_and_strided_operands_and_other_axes_are_left_to_numpy() -> None:
    x = logits((40, 10), "float32")
    slots = [logits((40, 10), "float32") for _ in range(3)]
    scalars = np.asarray(0.1, "float32"), np.asarray(1), np.asarray([0.9, 0.999, 1e-7, 0.0])
    softmax, adam = NUMBA["softmax"].when, NUMBA["adam_update"].when
    assert softmax(x) and softmax(x, axis=1) and not softmax(x, axis=0)
    assert not softmax(logits((1000, 10), "float32")) and softmax(logits((20, 100), "float32"))  # many short rows
    assert not softmax(x.T) and not softmax(x[:1, :7]) and not softmax(x, axis=7)
    assert adam(x, *slots, *scalars)
    assert not adam(x[0, :7], *(slot[0, :7] for slot in slots), *scalars)
    assert not adam(x, slots[0].T, *slots[1:], *scalars)
    gradient = slots[2].view()
    gradient.flags.writeable = False  # Numba has another type for it, and would compile in the middle of an update
    assert not adam(x, *slots[:2], gradient, *scalars)
