"""Draws by rejection as ops: attempts, extreme parameters, dtypes and devices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import polytape as pt
from polytape.ops.distributions import random_binomial, random_gamma, random_poisson, random_von_mises

STATE = np.array([42, 7], "uint64")
SAMPLERS: list[tuple[Any, list[Any]]] = [
    (random_gamma, [np.linspace(0.05, 20.0, 500)]),
    (random_poisson, [np.linspace(0.0, 80.0, 500)]),
    (random_binomial, [np.full(500, 60.0), np.linspace(0.0, 1.0, 500)]),
    (random_von_mises, [np.linspace(0.0, 90.0, 500)]),
]


def state_at(counter: int) -> pt.Tensor:
    return pt.asarray(np.array([42, counter], "uint64"), device="numpy")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("op", "parameters"), SAMPLERS, ids=[op.name for op, _ in SAMPLERS])
def test_the_body_draws_the_same_numbers_as_the_kernel(op: Any, parameters: list[Any], dtype: str) -> None:
    operands = [pt.asarray(STATE), *(pt.asarray(parameter.astype(dtype)) for parameter in parameters)]
    with np.errstate(all="ignore"):
        body = op.run_body(operands, {}).numpy()
    np.testing.assert_allclose(body, op(*operands).numpy(), rtol=1e-5 if dtype == "float32" else 1e-13, atol=1e-6)


@pytest.mark.parametrize(("op", "parameters"), SAMPLERS, ids=[op.name for op, _ in SAMPLERS])
def test_element_i_uses_the_blocks_of_element_i(backend: str, op: Any, parameters: list[Any]) -> None:
    device = pt.get_backend(backend).device_list()[0]
    operands = [pt.asarray(parameter.astype("float32"), device=device) for parameter in parameters]
    whole = op(state_at(7), *operands).numpy()
    later = op(state_at(7 + 300), *(operand[300:] for operand in operands)).numpy()
    np.testing.assert_array_equal(later, whole[300:])


def test_more_elements_than_one_chunk_of_a_kernel_continue_the_same_stream(backend: str) -> None:
    device = pt.get_backend(backend).device_list()[0]
    rate = pt.full((20_000,), 25.0, device=device)
    whole = random_poisson(state_at(2**64 - 9000), rate).numpy()
    np.testing.assert_array_equal(random_poisson(state_at(1000), rate[:10_000]).numpy(), whole[10_000:])


@pytest.mark.parametrize("a", [1e-3, 1.0, 1e8])
def test_logarithms_of_gamma_numbers_neither_underflow_nor_lose_their_spread(backend: str, a: float) -> None:
    device = pt.get_backend(backend).device_list()[0]
    parameter = pt.full((5000,), a, dtype="float64", device=device)
    logs = random_gamma(state_at(0), parameter, in_logs=True).numpy()
    assert np.isfinite(logs).all()
    assert stats.kstest(logs, stats.loggamma(a).cdf).pvalue > 1e-3


def test_extreme_parameters_give_the_limits(backend: str) -> None:
    device = pt.get_backend(backend).device_list()[0]

    def numbers(*values: float) -> pt.Tensor:
        return pt.asarray(np.array(values, "float32"), device=device)

    assert random_poisson(state_at(0), numbers(0.0, 1e-30)).tolist() == [0.0, 0.0]
    large = random_poisson(state_at(0), numbers(1e12)).numpy()
    assert abs(large[0] / 1e12 - 1.0) < 1e-5
    assert random_binomial(state_at(0), numbers(0.0, 9.0, 9.0), numbers(0.5, 0.0, 1.0)).tolist() == [0.0, 0.0, 9.0]
    assert random_binomial(state_at(0), numbers(1e6, 1e6), numbers(0.0, 1.0)).tolist() == [0.0, 1e6]
    assert np.abs(random_von_mises(state_at(0), numbers(1e30)).numpy())[0] < 1e-14


def test_other_dtypes_are_rejected() -> None:
    with pytest.raises(pt.errors.DTypeError, match=r"random_gamma.*draws in float32 or float64"):
        random_gamma(state_at(0), pt.ones(3, dtype="int32"))
    with pytest.raises(pt.errors.DTypeError, match="draws in float32 or float64"):
        random_binomial(state_at(0), pt.ones(3), pt.ones(3, dtype="float64"))
