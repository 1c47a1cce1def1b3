"""Bodies of ops on complex numbers: their error in ulp, beside a wider dtype and many digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt

# op, operand, result: computed by mpmath 1.3 with 320 digits, for the exact binary operands.
# They are where formulas that do not scale, or that round a sum near 1, lose digits.
HARD = [
    (pt.log, complex(0.6, 0.8), complex(2.2204460492503132e-17, 0.9272952180016123)),
    (pt.log, complex(0.5, 0.8660254037844386), complex(-4.345318932600586e-17, 1.0471975511965976)),
    (pt.log, complex(-0.6890724737688259, 0.6874084238343537), complex(-0.02704269155032056, 2.357403405715047)),
    (pt.log, complex(1.0, 1e-200), complex(0.0, 1e-200)),
    (pt.log, complex(1e200, 1e200), complex(460.8635921890891, 0.7853981633974483)),
    (pt.log, complex(3e-310, 4e-310), complex(-712.19194091572, 0.9272952180016122)),
    (pt.log, complex(-1.0000000000000002, 1e-09), complex(2.2254460492503127e-16, 3.141592652589793)),
    (pt.log1p, complex(-0.1, 0.43588989435406744), complex(3.2826717313733e-17, 0.45102681179626253)),
    (pt.log1p, complex(-1e-10, 1.414e-05), complex(-3.0199995000002525e-14, 1.4140000000471618e-05)),
    (pt.log1p, complex(1e-300, 1e-20), complex(5e-41, 1e-20)),
    (pt.log1p, complex(-0.4, 0.8), complex(2.2204460492503132e-17, 0.9272952180016123)),
    (pt.log1p, complex(-1e-17, 1e-09), complex(-9.5e-18, 1e-09)),
    (pt.log1p, complex(1e160, 1e160), complex(368.76018846932726, 0.7853981633974483)),
    (pt.sqrt, complex(1e308, 1e308), complex(1.09868411346781e154, 4.5508986056222734e153)),
    (pt.sqrt, complex(-1e-308, 1e-310), complex(4.999937502734199e-157, 1.0000124996093955e-154)),
    (pt.sqrt, complex(-4.0, 1e-300), complex(2.5e-301, 2.0)),
    (pt.sqrt, complex(3e-320, 4e-320), complex(1.999988867151698e-160, 9.99994433575849e-161)),
    (pt.exp, complex(710.0, 0.7853981633974483), complex(1.5796728482882015e308, 1.5796728482882013e308)),
    (pt.exp, complex(-745.0, 0.5), complex(5e-324, 0.0)),
    (pt.exp, complex(1e-20, 1e-20), complex(1.0, 1e-20)),
    (pt.expm1, complex(1e-17, 1e-09), complex(9.5e-18, 1e-09)),
    (pt.expm1, complex(-1e-09, 3e-12), complex(-9.999999995000045e-10, 2.9999999970000002e-12)),
    (pt.abs, complex(1e308, 1e308), complex(1.4142135623730951e308, 0.0)),
    (pt.abs, complex(3e-320, 4e-320), complex(5e-320, 0.0)),
    (pt.sin, complex(1e-09, 1e-09), complex(1e-09, 1e-09)),
    (pt.sin, complex(3.141592653589793, 1e-08), complex(1.2246467991473532e-16, -1e-08)),
    (pt.cos, complex(1.5707963267948966, 1e-08), complex(6.123233995736766e-17, -1e-08)),
]


def ulp(got: Any, expected: Any) -> Any:
    """The error in ulp of the result's size."""
    size = np.abs(expected).astype(got.real.dtype)
    return np.abs(got.astype("complex128") - expected) / np.spacing(np.maximum(size, np.finfo(size.dtype).tiny))


def body(op: Any, *operands: Any) -> Any:
    with np.errstate(all="ignore"):
        return op.run_body([pt.asarray(x) for x in operands], {}).numpy()


def numbers(radius: Any, rng: Any) -> Any:
    x = radius * np.exp(1j * rng.uniform(-np.pi, np.pi, radius.shape))
    return x.astype("complex64")


@pytest.mark.parametrize(
    ("op", "allowed"),
    [(pt.abs, 1.0), (pt.exp, 4.0), (pt.expm1, 4.0), (pt.log, 4.0), (pt.log1p, 4.0), (pt.sqrt, 2.0), (pt.sin, 4.0),
     (pt.cos, 4.0), (pt.tan, 6.0), (pt.sinh, 4.0), (pt.cosh, 4.0), (pt.tanh, 6.0), (pt.asin, 6.0), (pt.acos, 6.0),
     (pt.atan, 5.0), (pt.asinh, 6.0), (pt.acosh, 6.0), (pt.atanh, 5.0)],
    ids=str,
)  # fmt: skip
def test_single_precision_is_close_to_double(op: Any, allowed: float) -> None:
    rng = np.random.default_rng(7)
    near_circle = 1.0 + rng.uniform(-1.0, 1.0, 2000) * 10.0 ** -rng.uniform(0.0, 7.0, 2000)
    sizes = [near_circle, rng.uniform(0.0, 6.0, 2000), 10.0 ** -rng.uniform(0.0, 8.0, 2000)]
    if op.name in ("abs", "log", "sqrt"):
        sizes.append(10.0 ** rng.uniform(-44.0, 38.0, 2000))
    x = numbers(np.concatenate(sizes), rng)
    with np.errstate(all="ignore"):
        expected = op(pt.asarray(x.astype("complex128"))).numpy()  # NumPy's kernel; log1p's and expm1's are our own
    # NumPy's functions of real numbers err by up to 1 ulp with AVX2, and by up to 3 ulp more with AVX-512.
    assert ulp(body(op, x), expected).max() <= allowed


def test_powers_are_close_to_double() -> None:
    rng = np.random.default_rng(8)
    x1, x2 = numbers(rng.uniform(0.1, 4.0, 4000), rng), numbers(rng.uniform(0.0, 4.0, 4000), rng)
    expected = x1.astype("complex128") ** x2.astype("complex128")
    # The angle, of up to 16 here, is rounded, and the size is an exponential.
    assert ulp(body(pt.power, x1, x2), expected).max() <= 24.0
    zeros = np.zeros(5, "complex64")
    exponents = np.array([0, 1, 2, 0.5 + 0j, 3.0], "complex64")
    assert body(pt.power, zeros, exponents).tolist() == [1, 0, 0, 0, 0]
    assert np.isnan(body(pt.power, zeros[:2], np.array([-1, 1j], "complex64"))).all()
    assert body(pt.power, x1, np.full_like(x1, 2)).tolist() == (x1 * x1).tolist()


@pytest.mark.parametrize(("op", "operand", "expected"), HARD, ids=lambda value: getattr(value, "name", None))
def test_double_precision_is_that_of_many_digits(op: Any, operand: complex, expected: complex) -> None:
    got = body(op, np.array(operand))
    for part, wanted in ((got.real, expected.real), (got.imag, expected.imag)):
        assert abs(part - wanted) <= 4.0 * np.spacing(abs(wanted)), f"{op.name}({operand!r}) = {got!r}"
