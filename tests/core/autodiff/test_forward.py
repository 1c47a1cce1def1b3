"""Forward mode of every op agrees with its gradient, whose transpose the tangent is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.registry.tables import get_op
from polytape.testing.calls import attributes_on, device_of
from polytape.testing.case import Case, call, tensors
from polytape.testing.cases import CASES
from polytape.testing.samples import Sample

DIFFERENTIABLE = [case for case in CASES if not case.gradient]


def drawn(rng: np.random.Generator, x: pt.Tensor) -> pt.Tensor:
    values = rng.uniform(-1.0, 1.0, x.shape) + (1j * rng.uniform(-1.0, 1.0, x.shape) if x.dtype.kind == "c" else 0.0)
    return pt.asarray(values.astype(x.dtype))


def inner(a: pt.Tensor, b: pt.Tensor) -> float:
    """The inner product of the real and imaginary parts."""
    return float((np.conj(a.numpy()) * b.numpy()).real.sum())


def first_samples(case: Case) -> list[tuple[Sample, str]]:
    """The first smooth sample in float64, and in complex128 if there is one."""
    found = []
    for dtype in ("float64", "complex128"):
        fitting = [sample for sample in case.samples if sample.smooth and dtype in sample.dtypes()]
        found += [(sample, dtype) for sample in fitting[:1]]
    return found


@pytest.mark.parametrize("row", DIFFERENTIABLE, ids=str)
def test_the_tangent_of_every_op_is_the_transpose_of_its_gradient(row: Case) -> None:
    case = row
    device = device_of("numpy")
    for sample, dtype in first_samples(case):
        hosts = sample.untied() if case.avoid and dtype == "float64" else sample.hosts(dtype)
        fixed = tensors(case.op, hosts, device)
        positions = [position for position, maker in enumerate(sample.operands) if maker.varies]

        def f(*xs: pt.Tensor, fixed: Any = fixed, positions: Any = positions, sample: Any = sample) -> list[pt.Tensor]:
            operands = list(fixed)
            for position, x in zip(positions, xs, strict=True):
                operands[position] = x
            outputs = call(case.op, operands, attributes_on(case, sample, device))
            return [y for y in outputs if y.dtype.kind in "fc"]

        rng = np.random.default_rng(0)
        xs = [pt.identity(fixed[position]) for position in positions]
        tangents = [drawn(rng, x) for x in xs]
        ys, pushed = pt.jvp(f, xs, tangents)
        weights = [drawn(rng, y) for y in ys]
        with pt.GradientTape() as tape:
            tape.watch(xs)
            outputs = f(*xs)
        pulled = tape.gradient(outputs, xs, weights)
        assert [(y.shape, y.dtype) for y in ys] == [(t.shape, t.dtype) for t in pushed]
        left = sum(inner(v, t) for v, t in zip(weights, pushed, strict=True))
        right = sum(inner(g, t) for g, t in zip(pulled, tangents, strict=True) if g is not None)
        size = sum(np.abs(v.numpy() * t.numpy()).sum() for v, t in zip(weights, pushed, strict=True))
        assert abs(left - right) <= 1e-10 * max(1.0, size), f"{case} {sample} {dtype}: {left} and {right}"


def test_an_op_without_gradient_rules_is_pushed_through_its_body() -> None:
    assert not get_op("glu").rules
    step = 1e-6
    t = np.ones((2, 4))
    x = np.linspace(0.1, 1.0, 8).reshape(2, 4)
    _, pushed = pt.jvp(pt.nn.glu, (x,), (t,))
    expected = (pt.nn.glu(x + step * t).numpy() - pt.nn.glu(x - step * t).numpy()) / (2 * step)
    np.testing.assert_allclose(pushed.numpy(), expected, rtol=1e-8)


def test_one_tensor_as_two_operands_has_two_tangents() -> None:
    x = pt.asarray([1.0, 2.0], dtype="float64")
    _, pushed = pt.jvp(lambda x: pt.nn.glu(pt.concat([x, x])), (x,), (pt.ones(2, dtype="float64"),))
    s = 1 / (1 + np.exp(-x.numpy()))
    np.testing.assert_allclose(pushed.numpy(), s + x.numpy() * s * (1 - s))


def test_a_hand_written_gradient_decides_the_tangent() -> None:
    @pt.custom_gradient
    def doubled(x: pt.Tensor) -> Any:
        return x * 1.0, lambda g: g * 2.0

    _, pushed = pt.jvp(lambda x: doubled(x) * x, (3.0,), (1.0,))
    assert float(pushed) == 9.0


def test_a_hand_written_gradient_that_leaves_polytape_is_rejected() -> None:
    @pt.custom_gradient
    def outside(x: pt.Tensor) -> Any:
        return x * 1.0, lambda g: pt.asarray(2.0 * np.array(g.numpy()))

    with pytest.raises(pt.PolytapeError, match="forward mode cannot use the gradient of outside"):
        pt.jvp(outside, (3.0,), (1.0,))


def test_several_hand_written_outputs_have_tangents() -> None:
    @pt.custom_gradient
    def both(x: pt.Tensor, y: pt.Tensor) -> Any:
        return (x * y, x + y), lambda g1, g2: (g1 * y + g2, g1 * x + g2)

    _, (product, total) = pt.jvp(both, (2.0, 5.0), (1.0, 10.0))
    assert (float(product), float(total)) == (25.0, 11.0)


def test_a_traced_function_is_pushed_through_its_record() -> None:
    f = pt.function(lambda x: pt.sin(x) * x)
    y, pushed = pt.jvp(f, (2.0,), (1.0,))
    np.testing.assert_allclose(float(y), 2 * np.sin(2.0), rtol=1e-6)
    np.testing.assert_allclose(float(pushed), np.sin(2.0) + 2 * np.cos(2.0), rtol=1e-5)
