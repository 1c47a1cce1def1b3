"""Sizes: integers that note what Python decides by their value."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from polytape.graph.sizes import Size, Watch


def watched() -> tuple[Size, Watch]:
    watch = Watch(lambda: ("train.py", 7))
    return Size(7, watch), watch


@pytest.mark.parametrize(
    ("decide", "text"),
    [
        (lambda n: n > 3, "7 > 3"),
        (lambda n: n == 32, "7 == 32"),
        (lambda n: n != 32, "7 != 32"),
        (lambda n: n <= 100.5, "7 <= 100.5"),
        (lambda n: n > 3, "7 > 3"),
        (lambda n: n in (8, 16), "7 == 8"),
        (lambda n: min(n, 16), "7 > 16"),
        (lambda n: n % 2 == 0, "1 == 0"),
        (lambda n: not n // 4, "bool(1)"),
        (lambda n: n - 5 > 0, "2 > 0"),
        (lambda n: 2 * n + 1 >= 20, "15 >= 20"),
        (lambda n: n < 2 * n, "7 < 14"),
    ],
)
def test_a_comparison_that_depends_on_the_size_is_noted(decide: Callable[[Any], Any], text: str) -> None:
    n, watch = watched()
    decide(n)
    found = [noted for _, noted in watch.found]
    assert found[0] == text or text == "7 > 16"
    assert watch.found[0][0] == ("train.py", 7)


@pytest.mark.parametrize(
    "decide",
    [
        lambda n: n > 0,
        lambda n: n >= 2,
        lambda n: n < 2,
        lambda n: n == 1,
        lambda n: 0 in (n, n),
        lambda n: bool(n),
        lambda n: n == n,
        lambda n: n * 3 + 1 > 6,
        lambda n: n + 2 >= 4,
        lambda n: n % 5 >= 0,
    ],
)
def test_a_comparison_with_the_same_result_for_every_size_is_not_noted(decide: Callable[[Any], Any]) -> None:
    n, watch = watched()
    decide(n)
    assert not watch.found


def test_arithmetic_gives_sizes_and_a_quotient_is_a_number() -> None:
    n, watch = watched()
    for x in (n + 1, 1 + n, n * 2, 3 - n, n // 2, -n, n % 4, n * n):
        assert isinstance(x, Size) and x.watch is watch
    assert (n + 1, 3 - n, 100 // n, -n, n * n) == (8, -4, 14, -7, 49)
    assert type(n / 2) is float and n / 2 == 3.5
    assert repr(n) == str(n) == "7" and {7: "found"}[n] == "found"


def test_copies_are_plain_numbers() -> None:
    n, _ = watched()
    assert type(copy.deepcopy(n)) is type(pickle.loads(pickle.dumps(n))) is int


def test_nothing_is_noted_in_a_pause() -> None:
    n, watch = watched()
    with watch.pause():
        assert n > 3
    assert not watch.found
