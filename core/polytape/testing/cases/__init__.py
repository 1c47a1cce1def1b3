"""The rows, one per op, in modules with the names of the op families."""

from __future__ import annotations

import importlib
from typing import Final

from ..case import Case

__all__ = ["CASES", "case_of"]

_FAMILIES: Final = (
    "arithmetic", "exponential", "trigonometric", "rounding", "representation", "elementwise", "complex_parts",
    "bitwise", "logic", "predicates", "creation", "reduction", "cumulative", "sorting", "sets", "manipulation",
    "movement", "joining", "likeness", "padding", "indexing", "gathering", "segment", "products", "numerical",
    "linalg.factorizations", "linalg.eigen", "linalg.functions", "linalg.solving", "linalg.norms", "fft.transforms",
    "special.error", "special.gamma", "special.bessel", "special.incomplete", "special.information", "nn.activations",
    "nn.rectifiers", "nn.smooth", "nn.losses", "nn.norms", "nn.norm_gradients", "nn.convolution",
    "nn.convolution_gradients", "nn.pooling", "nn.attention", "nn.attention_gradients", "nn.regularization", "optim",
    "scaled_updates", "rooted_updates", "random", "distributions",
)  # fmt: skip
CASES: tuple[Case, ...] = tuple(
    case for family in _FAMILIES for case in importlib.import_module(f"{__name__}.{family}").CASES
)


def case_of(op: str) -> Case:
    """The row of the op with the name ``op``.

    Raises:
        KeyError: the op has no row.
    """
    return {case.op.name: case for case in CASES}[op]
