"""Formulas: how the numbers of a graph depend on unknown sizes, found from their values in several traces.

A function of n and m is traced for (7, 11), (7, 71), (67, 11) and (67, 71), and for two more pairs. A number that is
``a + b n + c m + d n m`` in the first four traces, with fractions a to d, is checked with the other two. So are a
number divided by such an expression, as in the gradient of a mean, and a rounded quotient, as ``n // 2``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, Final

__all__ = ["CHECKS", "MOST", "Formula", "Sizes", "formula", "grid"]

Sizes = tuple[int, ...]  # a number for each unknown size
Formula = Callable[[Sizes], Any]

# For each unknown size two numbers that span a range, and two to check with: these have other remainders.
PAIRS: Final = ((7, 67), (11, 71), (13, 73))
CHECKS: Final = ((30, 42, 36), (64, 96, 80))
MOST: Final = len(PAIRS)
NUMERATORS: Final = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)
# Divisor, step, and whether it rounds up: normal draws take pairs of words, blocks of random bits have four words.
ROUNDINGS: Final = (
    (4, 1, True),
    (2, 2, True),
    (2, 1, False),
    (2, 1, True),
    (3, 1, False),
    (4, 1, False),
    (8, 1, False),
)


def grid(count: int) -> list[Sizes]:
    """The sizes to trace for, those of `CHECKS` last."""
    return [*itertools.product(*PAIRS[:count]), *(check[:count] for check in CHECKS)]


def formula(values: Sequence[Any], count: int, stored: Callable[[Any], Any] = lambda x: x) -> Formula | None:
    """A function of the sizes that has these values, or None if there is none of a known form.

    Args:
        values: one for each of ``grid(count)``; not all equal.
        stored: rounds a number as these are rounded.
    """
    if all(type(x) is int for x in values):
        candidates: Iterable[Formula | None] = itertools.chain([_linear(values, count)], _rounded(values, count))
    elif all(type(x) is float and math.isfinite(x) for x in values):
        candidates = [_real(values, count), *[_reciprocal(values, count, numerator) for numerator in NUMERATORS]]
    else:
        return None
    for found in candidates:
        if found is not None and all(stored(found(sizes)) == x for sizes, x in zip(grid(count), values, strict=True)):
            return found
    return None


def _coefficients(values: Sequence[int], count: int) -> list[Fraction]:
    """The coefficients of the products of some of the sizes; bit k of an index is the k-th last size."""
    table = [Fraction(x) for x in values[: 1 << count]]
    for bit, (low, high) in enumerate(reversed(PAIRS[:count])):
        for index in range(len(table)):
            if not index >> bit & 1:
                first, second = table[index], table[index | 1 << bit]
                slope = (second - first) / (high - low)
                table[index], table[index | 1 << bit] = first - slope * low, slope
    return table


def _linear(values: Sequence[int], count: int) -> Formula:
    """The integer that is linear in each of the sizes; not an integer where the formula gives none."""
    terms = [
        (coefficient, [k for k in range(count) if index >> (count - 1 - k) & 1])
        for index, coefficient in enumerate(_coefficients(values, count))
        if coefficient
    ]

    def evaluate(sizes: Sizes) -> Any:
        total = sum(
            (coefficient * math.prod([sizes[k] for k in factors]) for coefficient, factors in terms), Fraction(0)
        )
        return int(total) if total.denominator == 1 else total

    return evaluate


def _real(values: Sequence[float], count: int) -> Formula | None:
    """As `_linear`, for floats that are whole numbers."""
    if not all(x.is_integer() for x in values):
        return None
    whole = _linear([int(x) for x in values], count)
    return lambda sizes: float(whole(sizes))


def _reciprocal(values: Sequence[float], count: int, numerator: float) -> Formula | None:
    """A number divided by a linear expression."""
    if not all(values):
        return None
    below = _linear([round(numerator / x) for x in values], count)

    def evaluate(sizes: Sizes) -> float:
        divisor = below(sizes)
        return numerator / divisor if divisor else math.inf

    return evaluate


def _rounded(values: Sequence[int], count: int) -> Iterator[Formula]:
    """A multiple of a product of sizes, divided by a small number and rounded down or up to a multiple of a step."""
    top = (1 << count) - 1  # of the grid: all sizes are the larger ones of their pairs
    subsets = [x for r in range(count) for x in itertools.combinations(range(count), r + 1)]
    for factors, (divisor, step, up) in itertools.product(subsets, ROUNDINGS):
        product = math.prod([PAIRS[k][1] for k in factors])
        # The least multiple that is not rounded below the value, or the greatest that is not rounded above it.
        multiple = values[top] * divisor // (step * product) if up else -(-values[top] * divisor // product)
        yield partial(_evaluated, factors=factors, multiple=multiple, divisor=divisor, step=step, up=up)


def _evaluated(sizes: Sizes, factors: tuple[int, ...], multiple: int, divisor: int, step: int, up: bool) -> int:
    product = multiple * math.prod([sizes[k] for k in factors])
    return step * (-(-product // divisor) if up else product // divisor)
