"""Exponential and trigonometric functions: the standard's special values, complex numbers, and gradients."""

from __future__ import annotations

import cmath
import itertools
import math
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.ops.complex_parts import complex_

INF, NAN = math.inf, math.nan
PI = math.pi
# Array API standard 2025.12: the special cases of real operands that IEEE arithmetic does not settle.
SPECIAL = [
    (pt.acos, 1.0, 0.0), (pt.acos, 1.1, NAN), (pt.acos, -1.0, PI), (pt.acosh, 1.0, 0.0), (pt.acosh, 0.5, NAN),
    (pt.acosh, -INF, NAN), (pt.acosh, INF, INF), (pt.asin, 1.1, NAN), (pt.asin, -0.0, -0.0), (pt.asinh, -0.0, -0.0),
    (pt.asinh, -INF, -INF), (pt.asinh, 3e38, math.asinh(3e38)), (pt.atan, -0.0, -0.0), (pt.atan, INF, PI / 2),
    (pt.atan, -INF, -PI / 2), (pt.atanh, 1.0, INF), (pt.atanh, -1.0, -INF), (pt.atanh, 1.1, NAN),
    (pt.atanh, -0.0, -0.0), (pt.cos, INF, NAN), (pt.cosh, -INF, INF), (pt.cosh, 89.0, math.cosh(89.0)),
    (pt.exp, -INF, 0.0), (pt.expm1, -INF, -1.0), (pt.expm1, -0.0, -0.0), (pt.log, -1.0, NAN), (pt.log, 0.0, -INF),
    (pt.log1p, -1.0, -INF), (pt.log1p, -0.0, -0.0), (pt.log2, 1.0, 0.0), (pt.log2, 0.0, -INF), (pt.log2, 1e-45, -149.0),
    (pt.log10, 1e30, 30.0), (pt.log10, -0.5, NAN), (pt.sin, -0.0, -0.0), (pt.sin, INF, NAN), (pt.sinh, -0.0, -0.0),
    (pt.sinh, -89.0, math.sinh(-89.0)), (pt.sinh, -INF, -INF), (pt.sqrt, -0.0, -0.0), (pt.sqrt, -1.0, NAN),
    (pt.tan, -0.0, -0.0), (pt.tan, INF, NAN), (pt.tanh, -0.0, -0.0), (pt.tanh, -INF, -1.0), (pt.cbrt, -0.0, -0.0),
    (pt.cbrt, -INF, -INF), (pt.exp2, -INF, 0.0), (pt.rsqrt, 0.0, INF), (pt.rsqrt, INF, 0.0),
]  # fmt: skip
COMPLEX = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "cos",
    "cosh",
    "exp",
    "log",
    "log10",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
]
PARTS = [0.0, -0.0, 1.0, -1.0, 2.0, -2.5, 0.5, INF, -INF, NAN]


def results(op: Any, *operands: pt.Tensor) -> list[Any]:
    """The result of the kernel, and that of the body."""
    with np.errstate(all="ignore"):
        both = [op(*operands)]
        if not op.needs_kernel([x.dtype.name for x in operands]):
            both.append(op.run_body([*operands], {}))
        return [y.numpy() for y in both]


@pytest.mark.parametrize(("op", "x", "expected"), SPECIAL, ids=lambda value: getattr(value, "name", str(value)))
def test_special_values_are_the_standard_s(op: Any, x: float, expected: float, backend: str) -> None:
    with pt.device(backend):
        operand = pt.asarray(x, dtype="float32")
    for y in results(op, operand):
        np.testing.assert_allclose(y, np.float32(expected), rtol=5e-7)
        assert math.isnan(expected) or np.signbit(y) == np.signbit(np.float32(expected))


def test_atan2_has_the_standard_s_table_of_signs(backend: str) -> None:
    values = [0.0, -0.0, 1.0, -1.0, INF, -INF]
    with pt.device(backend):
        x1, x2 = (pt.asarray(axis) for axis in np.array(list(itertools.product(values, values))).T)
    expected = [math.atan2(a, b) for a, b in itertools.product(values, values)]
    for y in results(pt.atan2, x1, x2):
        np.testing.assert_allclose(y, expected, rtol=1e-15)
        assert (np.signbit(y) == np.signbit(expected)).all()


def test_hypot_and_logaddexp_neither_overflow_nor_make_nan_of_infinities() -> None:
    def operands(*values: float) -> list[pt.Tensor]:
        return [pt.asarray(value, dtype="float32") for value in values]

    for y in results(pt.hypot, *operands(3e38, 0.0)):
        assert y == np.float32(3e38)
    for pair in ((INF, NAN), (NAN, -INF)):
        assert [float(y) for y in results(pt.hypot, *operands(*pair))] == [INF, INF]
    for a, b, expected in ((INF, INF, INF), (-INF, -INF, -INF), (-INF, 1.0, 1.0), (1000.0, 1000.0, 1000.6931472)):
        assert all(y == np.float32(expected) for y in results(pt.logaddexp, *operands(a, b)))


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_special_values_are_those_of_c(name: str, backend: str) -> None:
    with pt.device(backend):
        numbers = [complex(a, b) for a, b in itertools.product(PARTS, PARTS)]
        x = pt.asarray(np.array(numbers))
    for y in results(getattr(pt, name), x):
        for number, got in zip(numbers, y, strict=True):
            try:
                expected = getattr(cmath, name)(number)
            except (ValueError, OverflowError):
                continue  # C sets a flag here, and Python raises an error
            infinite = any(math.isinf(part) or math.isnan(part) for part in (number.real, number.imag))
            for part, wanted in ((got.real, expected.real), (got.imag, expected.imag)):
                if math.isnan(wanted) and infinite:
                    continue  # where the standard has a number, C may leave it open
                # C leaves the signs of some results at infinity and NaN open.
                a, b = (abs(part), abs(wanted)) if infinite else (part, wanted)
                assert a == pytest.approx(b, rel=1e-14), f"{name}({number}) = {got}, expected {expected}"
                assert infinite or np.signbit(part) == np.signbit(wanted), f"{name}({number}) = {got}, not {expected}"


@pytest.mark.parametrize("name", [*COMPLEX, "expm1", "log1p", "log2", "exp2", "reciprocal", "conj"])
def test_complex_gradients_agree_with_differences_of_the_parts(name: str) -> None:
    a, b = pt.asarray(np.array([0.4, -1.3, 2.1])), pt.asarray(np.array([0.7, -0.2, 1.6]))
    op = getattr(pt, name)
    pt.check_gradients(lambda a, b: pt.real(op(complex_(a, b))) + 2.0 * pt.imag(op(complex_(a, b))), [a, b])


def test_the_gradient_of_atan2_does_not_overflow() -> None:
    x1, x2 = pt.asarray(3e30, dtype="float32"), pt.asarray(-4e30, dtype="float32")
    with pt.GradientTape() as tape:
        tape.watch([x1, x2])
        y = pt.atan2(x1, x2)
    first, second = tape.gradient(y, [x1, x2])
    assert first.item() == pytest.approx(-0.16e-30, rel=1e-6) and second.item() == pytest.approx(-0.12e-30, rel=1e-6)


def test_powers_of_the_base_have_whole_logarithms() -> None:
    exponents = np.arange(-126, 128)
    for y in results(pt.log2, pt.asarray((2.0**exponents).astype("float32"))):
        assert (y == exponents).all()
    for y in results(pt.log10, pt.asarray(10.0 ** np.arange(11), dtype="float32")):
        np.testing.assert_array_max_ulp(y, np.arange(11, dtype="float32"), 1)  # NumPy's SIMD loops are not exact
