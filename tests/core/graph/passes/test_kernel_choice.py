"""Kernel choice: predicates that attributes decide, and those that stay."""

from __future__ import annotations

from typing import Any

import numpy as np

import polytape as pt
from polytape.graph.passes import kernel_choice
from polytape.registry.resolution import Guarded


def how(f: Any, *tensors: Any) -> list[tuple[str, bool]]:
    """For each equation after the pass what serves it, and whether a predicate is left."""
    graph = kernel_choice(pt.function(f).trace(*tensors))
    return [(x.resolution.how, type(x.resolution.fn) is Guarded) for x in graph.equations]


def test_attributes_choose_a_kernel_or_the_body() -> None:
    x = pt.asarray(np.array([1.0, -2.0], "float32"), device="numpy")
    assert how(lambda x: pt.nn.leaky_relu(x, negative_slope=0.5), x) == [("kernel", False)]
    assert how(lambda x: pt.nn.leaky_relu(x, negative_slope=2.0), x) == [("body", False)]
    for slope in (0.5, 2.0):
        expected = np.where(x.numpy() > 0, x.numpy(), x.numpy() * np.float32(slope))
        np.testing.assert_array_equal(
            pt.function(lambda x, s=slope: pt.nn.leaky_relu(x, negative_slope=s))(x), expected
        )


def test_a_predicate_that_reads_an_operand_stays() -> None:
    predicates: list[Any] = [
        lambda x: x.shape == (2,), lambda x: bool(x), lambda x: len(x) > 1, lambda x: x[0] > 0, lambda x: x == 1,
        lambda x: x > 0, lambda x: np.asarray(x).size > 1, lambda x: x is not None and x.ndim > 0,
    ]  # fmt: skip
    x = pt.asarray(np.array([1.0, 2.0], "float32"), device="numpy")
    for when in predicates:
        kernel = pt.Kernel("tanh", np.tanh, when=when)
        with pt.register_backend(pt.Backend(name="choosy", extends="numpy", kernels=[kernel])):
            assert how(lambda x: pt.tanh(x), pt.asarray(x.numpy(), device="choosy")) == [("kernel", True)]


def test_a_chosen_kernel_can_be_fused() -> None:
    x = pt.asarray(np.linspace(-1, 1, 70_000, dtype="float32"), device="numpy")
    f = pt.function(lambda x: pt.nn.leaky_relu(x * 2.0, negative_slope=0.5) + 1.0)
    assert [equation.op.name for equation in f.graph(x).equations] == ["fused[multiply, leaky_relu, add]"]
    expected = pt.nn.leaky_relu(x * 2.0, negative_slope=0.5) + 1.0
    np.testing.assert_array_equal(f(x).numpy(), expected.numpy())
