"""The optimizer kernels against their formulas in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from polytape_numpy.kernels import optim

KERNELS = {kernel.op: kernel.fn for kernel in optim.kernels(np)}
DEFAULTS = np.asarray([0.9, 0.999, 1e-7, 0.0])
SHAPES = [(), (10,), (3, 4), (70_000,), (300, 300), (0,)]


def _arrays(shape: tuple[int, ...]) -> list[Any]:
    rng = np.random.default_rng(0)
    x, m, g = (np.asarray(rng.standard_normal(shape), "float32") for _ in range(3))
    return [x, m, np.asarray(np.abs(m)), g]


def _adam(x: Any, m: Any, v: Any, g: Any, rate: float, step: int, beta1: float, beta2: float, epsilon: float) -> Any:
    x, m, v, g = (array.astype("float64") for array in (x, m, v, g))
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    return x - rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v


@pytest.mark.parametrize("shape", SHAPES)
def test_sgd_update_writes_to_the_variable(shape: tuple[int, ...]) -> None:
    x, _, _, g = _arrays(shape)
    expected = x.astype("float64") - 0.1 * g
    y = KERNELS["sgd_update"](x, g, np.asarray(0.1, "float32"))
    assert y is x
    np.testing.assert_allclose(x, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("step", [1, 1000])
def test_adam_update_computes_algorithm_1_in_place(shape: tuple[int, ...], step: int) -> None:
    x, m, v, g = _arrays(shape)
    expected = _adam(x, m, v, g, 1e-2, step, 0.9, 0.999, 1e-7)
    results = KERNELS["adam_update"](x, m, v, g, np.asarray(1e-2, "float32"), np.asarray(step), DEFAULTS)
    for result, operand, value in zip(results, (x, m, v), expected, strict=True):
        assert result is operand
        np.testing.assert_allclose(result, value, rtol=2e-6, atol=1e-6)


def test_adam_update_supports_its_hyperparameters_and_a_strided_variable() -> None:
    x, m, v, g = (array.T for array in _arrays((300, 400)))
    expected = _adam(x, m, v, g, 1e-2, 3, 0.8, 0.9, 1e-3)
    rate, step = np.asarray(1e-2, "float32"), np.asarray(3)
    KERNELS["adam_update"](x, m, v, g, rate, step, np.asarray([0.8, 0.9, 1e-3, 0.0]))
    np.testing.assert_allclose(x, expected[0], rtol=1e-5, atol=1e-5)


def test_half_precision_is_updated_in_float32() -> None:
    x, m, v, g = (np.asarray([value, 1.0], "float16") for value in (1.0, 0.0, 0.0, 0.0))
    g[1] = m[1] = v[1] = 1e-3
    rate = np.asarray(0.1, "float16")
    expected = _adam(x, m, v, g, float(rate), 1, 0.9, 0.999, 1e-7)
    assert KERNELS["adam_update"](x, m, v, g, rate, np.asarray(1), DEFAULTS)[0] is x
    np.testing.assert_allclose(x, expected[0], rtol=1e-3)
    np.testing.assert_allclose(m, expected[1], rtol=1e-3)


def test_a_gradient_can_be_a_broadcast_view() -> None:
    x = np.zeros(70_000, "float32")
    KERNELS["sgd_update"](x, np.broadcast_to(np.float32(2.0), x.shape), np.asarray(0.5, "float32"))
    assert (x == -1.0).all()


def test_operands_of_different_shapes_are_rejected_before_anything_is_written() -> None:
    x, m, v, _ = _arrays((3, 4))
    before = x.copy()
    with pytest.raises(ValueError, match="its gradient differ in shape"):
        KERNELS["sgd_update"](x, np.ones((4,), "float32"), np.asarray(0.1, "float32"))
    with pytest.raises(ValueError, match="its gradient differ in shape"):
        KERNELS["adam_update"](x, m, v, np.ones((1, 4), "float32"), np.asarray(0.1, "float32"), np.asarray(1), DEFAULTS)
    with pytest.raises(ValueError, match="the learning rate must have rank 0"):
        KERNELS["sgd_update"](x, x, np.ones((4,), "float32"))
    np.testing.assert_array_equal(x, before)
