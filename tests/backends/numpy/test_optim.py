"""The optimizer kernels against their formulas in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.registry import tables
from polytape_numpy.kernels import optim, scaled_updates, update_formulas

ALL = [*optim.kernels(np), *scaled_updates.kernels(np)]
KERNELS = {kernel.op: kernel.fn for kernel in ALL}
FORMULAS = [kernel for kernel in ALL if getattr(kernel.fn, "func", None) is update_formulas.update_by_formula]
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


@pytest.mark.parametrize("kernel", FORMULAS, ids=lambda kernel: kernel.op)
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_formulas_overwrite_their_operands_in_chunks_with_the_body_s_numbers(kernel: Any, dtype: str) -> None:
    rng = np.random.default_rng(0)
    op = tables.get_op(kernel.op)
    count = 1 + max(int(name[-1]) for name in kernel.fn.args[2][1:])
    vector = np.asarray([-0.5 if kernel.op == "ftrl_update" else 0.5, 0.75, 0.25, 0.1])[:count]
    scalars = {"learning_rate": np.asarray(0.125, dtype), "step": np.asarray(3), "hyperparameters": vector}
    whole = {name: scalars.get(name, abs(rng.standard_normal((30, 700))).astype(dtype)) for name in op.operands}
    expected = op.run_body([pt.asarray(x) for x in whole.values()], {})
    for layout in (np.ascontiguousarray, np.asfortranarray):
        operands = [x if name in scalars else layout(x.copy()) for name, x in whole.items()]
        results = kernel.fn(*operands)
        for k, result in enumerate(results if isinstance(results, tuple) else (results,)):
            assert result is operands[k]
            np.testing.assert_array_equal(result, (expected[k] if isinstance(expected, tuple) else expected).numpy())
    with pytest.raises(ValueError, match="hyperparameters"):
        kernel.fn(*operands[:-1], np.ones(7))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("step", [1, 7])
def test_nadam_update_writes_the_body_s_numbers_into_its_operands(dtype: str, step: int) -> None:
    rng = np.random.default_rng(0)
    x, m, g = (np.asarray(rng.standard_normal((30, 700)), dtype) for _ in range(3))
    operands = [x, m, abs(m), np.asarray(0.4, dtype), g, np.asarray(0.125, dtype), np.asarray(step)]
    operands.append(np.asarray([0.9, 0.99, 1e-7, 0.004]))
    expected = tables.get_op("nadam_update").run_body([pt.asarray(x) for x in operands], {})
    results = KERNELS["nadam_update"](*operands)
    for result, operand, value in zip(results, operands, expected, strict=False):
        assert result is operand
        np.testing.assert_array_equal(result, value.numpy())
    with pytest.raises(ValueError, match="the product of the momenta must have rank 0"):
        KERNELS["nadam_update"](*operands[:3], np.ones(1, dtype), *operands[4:])
    with pytest.raises(ValueError, match="hyperparameters"):
        KERNELS["nadam_update"](*operands[:-1], np.ones(3))


@pytest.mark.parametrize("power", [0.0, -0.25, -1.0, -1.5, -2.0])
def test_ftrl_with_another_power_of_the_learning_rate_computes_what_its_body_does(power: float) -> None:
    rng = np.random.default_rng(0)
    x, total, linear, g = (np.asarray(rng.standard_normal((30, 700)), "float32") for _ in range(4))
    operands = [x, abs(total), linear, g, np.asarray(0.125, "float32"), np.asarray([power, 0.5, 0.25])]
    expected = tables.get_op("ftrl_update").run_body([pt.asarray(x) for x in operands], {})
    for result, value in zip(KERNELS["ftrl_update"](*operands), expected, strict=True):
        np.testing.assert_allclose(result, value.numpy(), rtol=1e-4, atol=1e-4)


def test_parts_and_rows_outside_the_array_are_errors() -> None:
    x = np.arange(6.0)
    with pytest.raises(ValueError, match="reshape"):
        optim.flat_part(x, start=4, shape=(3,))
    with pytest.raises(IndexError):
        KERNELS["set_rows"](x, np.asarray([0, 6]), np.ones(2))
    assert x.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
