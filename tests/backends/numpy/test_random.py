"""Philox4x32-10 against its published known answers, and the draws that use it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from polytape.device import get_device
from polytape_numpy.kernels import random

KERNELS = {kernel.op: kernel.fn for kernel in random.kernels(np)}
CPU = get_device("numpy", "cpu", 0)
ONES = 0xFFFFFFFF

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


def _state(key: int, counter: int) -> Any:
    return np.asarray([key, counter], "uint64")


def _draw(op: str, shape: Any, dtype: str, key: int = 7, counter: int = 0, **attributes: Any) -> Any:
    return KERNELS[op](_state(key, counter), shape=shape, dtype=np.dtype(dtype), device=CPU, **attributes)


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_reproduces_the_published_answers(counter: Any, key: Any, answer: Any) -> None:
    assert random.philox_block(counter, key) == answer


@pytest.mark.parametrize("key", [0, 0x299F31D0A4093822, 2**64 - 1])
@pytest.mark.parametrize("counter", [0, 2**32 - 3, 2**64 - 5])
def test_an_array_of_blocks_equals_the_single_blocks_in_order(key: int, counter: int) -> None:
    # Counters carry into the second word and wrap at 2**64.
    words = random._words(np)(key, counter, 40_000)
    for block in (0, 1, 4, 8, 8191, 8192, 9999):
        block_counter = (counter + block) % 2**64
        low_and_high = block_counter & ONES, block_counter >> 32
        expected = random.philox_block((*low_and_high, 0, 0), (key & ONES, key >> 32))
        assert tuple(words[4 * block : 4 * block + 4].tolist()) == expected
    few = random._words(np)(key, counter, 12)
    assert few.tolist() == words[:12].tolist()


@pytest.mark.parametrize("counter", [0, 2**64 - 8200])
def test_a_draw_in_chunks_uses_the_stream_without_gaps(counter: int) -> None:
    for n in (32_769, 70_001):
        words = random._words(np)(7, counter, 2 * n)
        y = _draw("random_uniform", (n,), "float32", counter=counter)
        np.testing.assert_array_equal(y, (words[:n] >> 8) * np.float32(2**-24))
        y = _draw("random_integers", (n,), "uint64", counter=counter, low=0, high=2**64)
        np.testing.assert_array_equal(y, words[: 2 * n].view("uint64"))
        for dtype in ("float32", "float64"):
            whole = _draw("random_normal", (n + 1,), dtype, counter=counter)
            np.testing.assert_array_equal(_draw("random_normal", (n,), dtype, counter=counter), whole[:n])
            later = (counter + 16_384 * whole.itemsize // 16) % 2**64
            tail = _draw("random_normal", (n - 16_384,), dtype, counter=later)
            np.testing.assert_array_equal(tail, whole[16_384:n])


def test_uniform_numbers_are_the_upper_bits_of_the_words() -> None:
    words = random._words(np)(7, 0, 64)
    np.testing.assert_array_equal(_draw("random_uniform", (64,), "float32"), (words >> 8) * np.float32(2**-24))
    np.testing.assert_array_equal(_draw("random_uniform", (64,), "float16"), (words >> 21).astype("f4") * 2.0**-11)
    wide = words[0::2].astype("uint64") | words[1::2].astype("uint64") << np.uint64(32)
    matrix = _draw("random_uniform", (4, 8), "float64")
    np.testing.assert_array_equal(matrix.ravel(), (wide >> np.uint64(11)) * 2.0**-53)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (7,), (3, 5)])
def test_draws_have_the_requested_shape_and_dtype(dtype: str, shape: tuple[int, ...]) -> None:
    for op in ("random_uniform", "random_normal"):
        y = _draw(op, shape, dtype)
        assert (np.shape(y), y.dtype) == (shape, np.dtype(dtype))
        assert np.isfinite(y).all()
    y = _draw("random_integers", shape, "int16", low=-3, high=4)
    assert (np.shape(y), y.dtype) == (shape, np.dtype("int16"))


def test_a_longer_draw_starts_with_the_shorter_one() -> None:
    for op in ("random_uniform", "random_normal"):
        np.testing.assert_array_equal(_draw(op, (1000,), "float32")[:10], _draw(op, (10,), "float32"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_draws_follow_their_distributions(dtype: str) -> None:
    uniform, normal = _draw("random_uniform", (100_000,), dtype), _draw("random_normal", (100_000,), dtype)
    assert 0.0 <= uniform.min() <= uniform.max() < 1.0
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    assert stats.kstest(normal, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(normal[0::2], normal[1::2])[0, 1]) < 0.02


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [(0, 6, "int32"), (-5, 5, "int64"), (0, 2**32 - 1, "uint32"), (0, 2**32, "int64"), (0, 3 * 2**40, "int64"),
     (-(2**63), 2**63 - 1, "int64"), (-(2**63), 2**63, "int64"), (0, 2**64, "uint64"), (2**63, 2**63 + 3, "uint64")],
)  # fmt: skip
def test_integers_agree_with_the_formula_in_exact_arithmetic(low: int, high: int, dtype: str) -> None:
    words = random._words(np)(7, 0, 400).tolist()
    span = high - low
    expected = []
    for first, second in zip(words[0::2], words[1::2], strict=True):
        r = first | second << 32
        expected.append(low + ((r * span >> 64) if span < 2**32 else r % span))
    y = _draw("random_integers", (200,), dtype, low=low, high=high)
    assert y.tolist() == expected
