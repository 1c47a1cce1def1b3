"""Philox4x32-10 and Philox4x64-10 against their published known answers, and the words that NumPy computes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from numpy.random import Philox

from polytape_numpy.kernels import philox
from polytape_numpy.kernels.philox import block32, block64, streams64

ONES = 0xFFFFFFFF
ALL = 2**64 - 1

# Random123, kat_vectors, "philox4x32 10": counter, key, answer.
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES, ONES, ONES, ONES), (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
# The same, "philox4x64 10".
WIDE_KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B)),
    ((ALL,) * 4, (ALL,) * 2, (0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0)),
    (
        (0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89),
        (0x452821E638D01377, 0xBE5466CF34E90C6C),
        (0xA528F45403E61D95, 0x38C72DBD566E9788, 0xA5A1610E72FD18B5, 0x57BD43B5E52B7FE6),
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox4x32_reproduces_the_published_answers(counter: Any, key: Any, answer: Any) -> None:
    assert block32(counter, key) == answer


@pytest.mark.parametrize(("counter", "key", "answer"), WIDE_KNOWN_ANSWERS)
def test_philox4x64_reproduces_the_published_answers(counter: Any, key: Any, answer: Any) -> None:
    assert block64(counter, key) == answer


@pytest.mark.parametrize("key", [(0, 0), (ALL, ALL), (5, 2**63 + 1)])
def test_words_from_numpy_are_the_blocks_from_the_counter_0(key: Any) -> None:
    words64 = streams64()
    words = words64(key, 37)
    expected = [word for i in range(10) for word in block64((i, 0, 0, 0), key)]
    assert words.tolist() == expected[:37]
    assert words64(key, 3).tolist() == expected[:3]  # from the beginning, though NumPy's generator has moved on


def test_threads_get_the_words_of_their_keys() -> None:
    words64 = streams64()
    expected = [words64((key, 1), 500).tolist() for key in range(4)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda k: words64((k % 4, 1), 500).tolist(), range(200)))
    assert results == [expected[k % 4] for k in range(200)]


class _Interrupted:
    """A generator during whose work a signal handler draws."""

    def __init__(self, handler: Callable[[], Any]) -> None:
        self.generator, self.handler = Philox(), handler

    @property
    def state(self) -> Any:
        return self.generator.state

    @state.setter
    def state(self, value: Any) -> None:
        self.generator.state = value

    def random_raw(self, n: int) -> Any:
        self.handler()
        return self.generator.random_raw(n)


def test_a_signal_handler_that_draws_does_not_disturb_a_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    made = [_Interrupted(lambda: drawn.append(words64((9, 1), 8).tolist())), Philox()]
    monkeypatch.setattr(philox, "_new_generator", lambda: made.pop(0))
    words64 = streams64()
    assert words64((5, 1), 8).tolist() == [word for i in (0, 1) for word in block64((i, 0, 0, 0), (5, 1))]
    assert drawn == [[word for i in (0, 1) for word in block64((i, 0, 0, 0), (9, 1))]]
