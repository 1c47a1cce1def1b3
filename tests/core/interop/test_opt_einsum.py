"""opt_einsum on tensors; its own tests run with tests/run_ecosystem.py."""

from __future__ import annotations

import numpy as np
import pytest

import polytape as pt

opt_einsum = pytest.importorskip("opt_einsum", reason="the extra `test` is not installed")
SHAPES = {"a": 2, "b": 3, "c": 4, "d": 5}


@pytest.mark.parametrize("equation", ["ab,bc,cd->da", "ab,bc->ac", "ab,cd->dbac", "ab,ab->", "abc,bd,d->ca"])
def test_contractions_are_those_of_numpy_and_have_gradients(backend: str, equation: str) -> None:
    generator = np.random.default_rng(0)
    terms = equation.split("->")[0].split(",")
    hosts = [generator.random([SHAPES[label] for label in term]) for term in terms]
    tensors = [pt.asarray(host, device=backend) for host in hosts]
    result = opt_einsum.contract(equation, *tensors)
    assert result.device.backend == backend
    np.testing.assert_allclose(result.numpy(), np.einsum(equation, *hosts), rtol=1e-12)
    (gradient,) = pt.gradients_function(lambda x: pt.sum(opt_einsum.contract(equation, x, *tensors[1:])))(tensors[0])
    ones = np.ones_like(result.numpy())
    back = f"{equation.split('->')[1]},{','.join(terms[1:])}->{terms[0]}"
    np.testing.assert_allclose(gradient.numpy(), np.einsum(back, ones, *hosts[1:]), rtol=1e-12)
