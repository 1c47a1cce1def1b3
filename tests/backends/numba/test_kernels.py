"""Numba's kernels against numpy's: the same numbers within stated ulps, the same NaN, the same errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.optim import Adam
from polytape_numba.kernels import kernels
from polytape_numpy.kernels import build

pytest.importorskip("numba")

OWN = {kernel.op: kernel for kernel in kernels()}
PLAIN = {kernel.op: kernel.fn for kernel in build(np)}
LOSS, BACK = "sparse_softmax_cross_entropy_with_logits", "softmax_cross_entropy_gradient"
SHAPES = [(300,), (300, 1), (26, 10), (1000, 10), (5, 513), (3, 5000), (2, 3, 4, 50)]
REAL = ["float32", "float64"]
# The exponential is within 1 ulp; numpy's within 3, and the sums of both are rounded in other orders.
ULP = 8


def ulps(found: Any, expected: Any) -> float:
    """The largest difference in units in the last place of the expected number's size, or of 1e-30's below it."""
    unit = np.spacing(np.maximum(np.abs(expected), 1e-30).astype(expected.dtype))
    return float(np.max(np.abs(found - expected) / unit, initial=0.0))


def logits(shape: tuple[int, ...], dtype: str, spread: float = 4.0) -> Any:
    """Seeded logits."""
    return (np.random.default_rng(0).standard_normal(shape) * spread).astype(dtype)


def labels_of(x: Any, dtype: str = "int32") -> Any:
    """Seeded labels, one per row."""
    return np.asarray(np.random.default_rng(1).integers(0, x.shape[-1], x.shape[:-1]), dtype)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_softmax_equals_numpy_s(shape: tuple[int, ...], dtype: str) -> None:
    x = logits(shape, dtype)
    kept = x.copy()
    assert OWN["softmax"].when(x)
    y = OWN["softmax"].fn(x)
    assert y.dtype == x.dtype and y.shape == shape
    assert ulps(y, PLAIN["softmax"](x)) <= ULP
    np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize("dtype", REAL)
def test_softmax_reaches_the_subnormal_numbers_and_zero(dtype: str) -> None:
    low = -103.9 if dtype == "float32" else -744.5
    x = np.concatenate([[0.0], np.linspace(2 * low, 0.0, 999)]).astype(dtype).reshape(1, -1)
    found, expected = OWN["softmax"].fn(x), PLAIN["softmax"](x)
    tiny = np.finfo(dtype).tiny
    normal = expected > tiny
    assert ulps(found[normal], expected[normal]) <= ULP
    assert np.max(np.abs(found[~normal] - expected[~normal])) <= 2 * np.finfo(dtype).smallest_subnormal
    assert np.count_nonzero((found > 0) & (found < tiny)) > 5


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("special", [[np.nan], [np.inf], [-np.inf], [np.inf, -np.inf], [-np.nan, np.inf]], ids=str)
def test_special_values_give_what_numpy_gives(special: list[float], dtype: str) -> None:
    x = logits((40, 20), dtype)
    x[3, : len(special)] = special
    x[5, :] = special[0]
    x[7, 1:] = -np.inf
    labels, g = labels_of(x), np.ones(40, dtype)
    with np.errstate(all="ignore"):
        pairs = [
            (OWN["softmax"].fn(x), PLAIN["softmax"](x)),
            (OWN[LOSS].fn(labels, x), PLAIN[LOSS](labels, x)),
            (OWN[BACK].fn(g, labels, x), PLAIN[BACK](g, labels, x)),
        ]
    for found, expected in pairs:
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("label_dtype", ["int32", "int64"])
@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_cross_entropy_and_its_gradient_equal_numpy_s(shape: tuple[int, ...], dtype: str, label_dtype: str) -> None:
    x = logits(shape, dtype)
    labels = labels_of(x, label_dtype)
    g = np.asarray(np.random.default_rng(2).standard_normal(shape[:-1]), dtype)
    loss, back = OWN[LOSS].fn(labels, x), OWN[BACK].fn(g, labels, x)
    assert (loss.dtype, loss.shape, back.dtype, back.shape) == (x.dtype, shape[:-1], x.dtype, shape)
    # The loss is a difference of numbers of the size of the logits, the gradient one of numbers up to 1.
    unit = np.finfo(dtype).eps
    assert np.max(np.abs(loss - PLAIN[LOSS](labels, x))) <= ULP * unit * np.max(np.abs(x))
    assert np.max(np.abs(back - PLAIN[BACK](g, labels, x))) <= ULP * unit * np.max(np.abs(g))


@pytest.mark.parametrize("label", [-1, -10, -11, 10, 2**31 - 1])
def test_a_label_that_is_no_class_is_met_as_by_numpy(label: int) -> None:
    x = logits((40, 10), "float32")
    labels, g = labels_of(x), np.ones(40, "float32")
    labels[17] = label

    def outcome(fn: Callable[..., Any], *operands: Any) -> Any:
        try:
            return fn(*operands)
        except IndexError as error:
            return str(error)

    for op, operands in ((LOSS, (labels, x)), (BACK, (g, labels, x))):
        found, expected = outcome(OWN[op].fn, *operands), outcome(PLAIN[op], *operands)
        if isinstance(expected, str):
            assert found == expected
        else:
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("op", [LOSS, BACK])
def test_rows_that_do_not_fit_raise(op: str) -> None:
    x = logits((40, 10), "float32")
    g = () if op == LOSS else (np.ones(40, "float32"),)
    with pytest.raises(ValueError, match="do not fit"):
        OWN[op].fn(*g, labels_of(x)[:39], x)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("step", [1, 1000])
@pytest.mark.parametrize("shape", [(256,), (300, 301), (70_000,)], ids=str)
def test_adam_writes_what_numpy_writes_into_the_same_buffers(shape: tuple[int, ...], step: int, dtype: str) -> None:
    rng = np.random.default_rng(0)
    x, m, g = (rng.standard_normal(shape).astype(dtype) for _ in range(3))
    operands = [x, m, np.abs(m), g, np.asarray(1e-2, dtype), np.asarray(step)]
    expected = PLAIN["adam_update"](*(array.copy() for array in operands), beta1=0.8, epsilon=1e-4)
    assert OWN["adam_update"].when(*operands)
    found = OWN["adam_update"].fn(*operands, beta1=0.8, epsilon=1e-4)
    unit = np.finfo(dtype).eps
    for y, own, reference in zip(found, operands, expected, strict=False):
        assert y is own
        # Sums of two terms of size up to 5: one rounding fewer by fused products is all that differs.
        assert np.max(np.abs(y - reference)) <= 4 * unit * np.max(np.abs(reference))


def test_adam_steps_in_the_variable_s_own_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polytape.state.update._count", lambda: 0)  # a test runner's threads do not look at variables
    with pt.device("numba"):
        w = pt.Variable(np.linspace(-1.0, 1.0, 1000, dtype="float32"))
        optimizer = Adam(0.1)
        gradient = pt.ones((1000,))
        optimizer.apply_gradients([(gradient, w)])
        before, seen = w.array.ctypes.data, w.numpy().copy()
        optimizer.apply_gradients([(gradient, w)])
    assert w.array.ctypes.data == before
    np.testing.assert_allclose(w.numpy(), seen - 0.1, rtol=1e-4, atol=1e-5)


def test_what_is_small_strided_or_along_another_axis_is_left_to_numpy() -> None:
    x = logits((40, 10), "float32")
    slots = [logits((40, 10), "float32") for _ in range(3)]
    scalars = np.asarray(0.1, "float32"), np.asarray(1)
    softmax, adam = OWN["softmax"].when, OWN["adam_update"].when
    assert softmax(x) and softmax(x, axis=1) and not softmax(x, axis=0)
    assert not softmax(x.T) and not softmax(x[:10]) and not softmax(x, axis=7)
    assert adam(x, *slots, *scalars)
    assert not adam(x[:10], *(slot[:10] for slot in slots), *scalars)
    assert not adam(x, slots[0].T, *slots[1:], *scalars)
