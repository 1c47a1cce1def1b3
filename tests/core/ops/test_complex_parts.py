"""Complex numbers and their parts: dtypes, exact parts, and gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest

import polytape as pt
from polytape.ops.complex_parts import complex_


def test_parts_are_joined_without_arithmetic(backend: str) -> None:
    with pt.device(backend):
        z = complex_(pt.asarray([math.inf, -0.0, math.nan]), pt.asarray([0.0, -0.0, 1.0]))
    assert z.dtype == pt.complex64
    np.testing.assert_array_equal(pt.real(z).numpy(), np.array([math.inf, -0.0, math.nan], "float32"))
    assert np.signbit(pt.imag(z).numpy()).tolist() == [False, True, False]
    assert np.signbit(pt.imag(pt.conj(z)).numpy()).tolist() == [True, False, True]


def test_a_real_tensor_is_its_own_real_part_and_conjugate(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([1, -2], dtype="int16")
    assert pt.real(x).tolist() == pt.conj(x).tolist() == [1, -2] and pt.real(x).dtype == pt.int16
    assert pt.imag(x).tolist() == [0, 0]


def test_gradients_reach_both_parts() -> None:
    a, b = pt.asarray([3.0]), pt.asarray([4.0])
    for f, expected in ((pt.real, (1.0, 0.0)), (pt.imag, (0.0, 1.0)), (pt.abs, (0.6, 0.8)), (pt.angle, (-0.16, 0.12))):
        with pt.GradientTape() as tape:
            tape.watch([a, b])
            y = f(complex_(a, b))
        gradients = [g.item() for g in tape.gradient(y, [a, b])]
        assert gradients == pytest.approx(expected, rel=1e-6)
    pt.check_gradients(lambda a, b: pt.angle(complex_(a, b)), [a, b], order=2)


def test_the_sign_of_a_complex_number_has_a_gradient_and_that_of_a_real_one_has_none(backend: str) -> None:
    with pt.device(backend):
        parts = [pt.asarray(np.array([3.0, -1.0, 0.0])), pt.asarray(np.array([4.0, 0.5, 2.0]))]
        for part in (pt.real, pt.imag):
            pt.check_gradients(lambda a, b, part=part: part(pt.sign(complex_(a, b))), parts, order=2)
        for x, expected in ((pt.asarray([0j, 2.0 + 0j]), [0j, 0.5j]), (pt.asarray([1.0, 2.0]), None)):
            with pt.GradientTape() as tape:
                tape.watch(x)
                y = pt.sign(x)
            g = tape.gradient(y, x, output_gradients=pt.ones_like(y) * (1 + 1j if y.dtype.kind == "c" else 1))
            assert (g if g is None else g.tolist()) == expected


def test_half_precision_has_no_complex_dtype() -> None:
    with pytest.raises(TypeError, match="no complex dtype of this precision"):
        complex_(pt.ones(2, dtype="float16"), pt.ones(2, dtype="float16"))
