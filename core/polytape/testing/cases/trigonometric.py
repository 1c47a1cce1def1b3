"""Rows of the trigonometric and hyperbolic functions."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from ...ops import trigonometric
from ..case import Case
from ..makers import each, floats, reals
from ..samples import sample
from .complex_parts import at_limits

__all__ = ["CASES"]

# A complex function is made of several real ones, whose errors add up.
_ULP: Final = {"float32": 5.0, "bfloat16": 5.0, "complex64": 32.0, "complex128": 32.0}
# Imaginary parts for which all libraries give the zero the same sign.
_INFINITE: Final = [complex(x, y) for x in (math.inf, -math.inf) for y in (1.0, -1.0)]
# C leaves the sign of the imaginary part of their cosines open.
_REAL_INFINITIES: Final = [complex(x, y) for x in (math.inf, -math.inf) for y in (0.0, -0.0)]
_INTEGERS: Final = [sample(reals(5), smooth=False)]


def _row(name: str, reference: str = "", low: float = -2.0, high: float = 2.0, **options: Any) -> Case:
    op = getattr(trigonometric, name)
    options.setdefault("ulp", _ULP)
    return Case(op, floats(2, 3, low=low, high=high), reference=getattr(np, reference or name), **options)


CASES = [
    Case(trigonometric.sin, near=[3.1416, 100.0, 1e-8], scale=0.1, more=[at_limits()]),
    Case(trigonometric.cos, near=[1.5708, 100.0, 1e-8], scale=0.1, more=[at_limits(*_REAL_INFINITIES)]),
    Case(trigonometric.tan, near=[3.1416, 1e-8], ulp=_ULP, scale=0.1, more=_INTEGERS),
    _row("asin", "arcsin", -0.9, 0.9, near=[1e-8, 2.0]),
    _row("acos", "arccos", -0.9, 0.9, near=[1e-8, 2.0], scale=0.1),
    Case(trigonometric.atan, reference=np.arctan, near=[1e-8, 1e30], ulp=_ULP),
    Case(trigonometric.atan2, floats(2, 3), floats(2, 3, low=0.5), reference=np.arctan2, near=[1e30], ulp=_ULP),
    Case(trigonometric.sinh, near=[1e-8, 89.0, -89.0, 100.0], ulp=_ULP),
    Case(trigonometric.cosh, near=[1e-8, 89.0, -89.0, 100.0], ulp=_ULP),
    Case(
        trigonometric.tanh,
        near=[1e-8, 20.0, -20.0],
        ulp=_ULP,
        more=[
            sample(each(_INFINITE, "complex64", "complex128"), smooth=False, signs=True),
            sample(each([0.5 + 1j, complex(math.nan, 1.0)], "complex64", "complex128"), smooth=False),
        ],
    ),
    Case(trigonometric.asinh, reference=np.arcsinh, near=[1e-8, 1e9, -1e30], ulp=_ULP),
    _row("acosh", "arccosh", 1.1, 4.0, near=[1.0001, 1e9, 1e30]),
    _row("atanh", "arctanh", -0.9, 0.9, near=[1e-8, 0.999, 2.0]),
    Case(trigonometric.hypot, near=[1e30, 1e-30], ulp=_ULP),
]
