"""The draws that use Philox; `test_philox` tests the generators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from polytape.device import get_device
from polytape_numpy.kernels import random
from polytape_numpy.kernels.philox import block32, block64

KERNELS = {kernel.op: kernel.fn for kernel in random.kernels(np)}
CPU = get_device("numpy", "cpu", 0)
ONES = 0xFFFFFFFF


def _state(key: int, counter: int) -> Any:
    return np.asarray([key, counter], "uint64")


def _draw(op: str, shape: Any, dtype: str, key: int = 7, counter: int = 0, **attributes: Any) -> Any:
    return KERNELS[op](_state(key, counter), shape=shape, dtype=np.dtype(dtype), device=CPU, **attributes)


@pytest.mark.parametrize("key", [0, 0x299F31D0A4093822, 2**64 - 1])
@pytest.mark.parametrize("counter", [0, 2**32 - 3, 2**64 - 5])
def test_an_array_of_blocks_equals_the_single_blocks_in_order(key: int, counter: int) -> None:
    # Counters carry into the second word and wrap at 2**64.
    words = random._words(np)(key, counter, 40_000)
    for block in (0, 1, 4, 8, 8191, 8192, 9999):
        block_counter = (counter + block) % 2**64
        low_and_high = block_counter & ONES, block_counter >> 32
        expected = block32((*low_and_high, 0, 0), (key & ONES, key >> 32))
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


def _mask(n: Any, rate: float, key: int = 7, counter: int = 0) -> Any:
    shape = n if isinstance(n, tuple) else (n,)
    return KERNELS["random_mask"](_state(key, counter), rate=rate, shape=shape, device=CPU)


def _numbers(n: int, digits: int, key: int = 7, counter: int = 0) -> list[int]:
    """The numbers of a mask's elements, as integers of so many digits of 16 bits."""
    w0, w1, w2, w3 = block32((counter & ONES, counter >> 32, 0, 0), (key & ONES, key >> 32))
    stream = (w0 | w1 << 32, w2 | w3 << 32)
    numbers = [0] * n
    for digit in range(digits):
        words = [word for i in range(-(-n // 16)) for word in block64((i, digit, 0, 0), stream)]
        pieces = [word >> shift & 0xFFFF for word in words for shift in (0, 16, 32, 48)]
        numbers = [number << 16 | piece for number, piece in zip(numbers, pieces, strict=False)]
    return numbers


@pytest.mark.parametrize("counter", [0, 2**64 - 1])
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.25, 0.5, 0.999, 1.0, 2.0**-17, 2.0**-60])
def test_a_mask_is_true_where_its_number_is_at_least_the_rate(rate: float, counter: int) -> None:
    numbers = _numbers(333, 3, counter=counter)
    assert _mask(333, rate, counter=counter).tolist() == [x >= round(rate * 2**48) for x in numbers]


def test_later_digits_decide_where_the_first_one_does_not() -> None:
    numbers = _numbers(1000, 3)
    for position in (0, 5, 18, 999):
        for delta in (-1, 0, 1, 2**16, -(2**16)):
            threshold = numbers[position] + delta
            mask = _mask(1000, threshold * 2.0**-48)
            assert mask.tolist() == [x >= threshold for x in numbers]
            assert bool(mask[position]) == (delta <= 0)


def test_masks_of_later_counters_are_unrelated() -> None:
    masks = np.stack([_mask(4096, 0.5, counter=counter) for counter in range(40)]).astype("float64")
    correlations = np.corrcoef(masks)[np.triu_indices(40, 1)]
    assert np.abs(correlations).max() < 5.5 / np.sqrt(4096)


@pytest.mark.parametrize("rate", [0.01, 0.2, 0.5])
def test_masks_follow_their_distribution(rate: float) -> None:
    mask = _mask((500, 400), rate)
    assert (mask.shape, mask.dtype) == ((500, 400), np.dtype("bool"))
    assert stats.binomtest(int((~mask).sum()), mask.size, rate).pvalue > 1e-3
    spread = (((~mask).sum(1) - 400 * rate) ** 2).sum() / (400 * rate * (1 - rate))
    assert 1e-3 < stats.chi2.cdf(spread, 500) < 1 - 1e-3  # of the counts per row
    same = (mask.reshape(-1)[:-1] == mask.reshape(-1)[1:]).sum()
    assert stats.binomtest(int(same), mask.size - 1, rate**2 + (1 - rate) ** 2).pvalue > 1e-3


def test_a_longer_mask_starts_with_the_shorter_one() -> None:
    whole = _mask(100_000, 0.3)
    for n in (1, 15, 17, 99_999):
        np.testing.assert_array_equal(_mask(n, 0.3), whole[:n])


def test_masks_have_the_requested_shape() -> None:
    for shape in ((), (0,), (3, 0), (2, 3, 4)):
        assert np.shape(_mask(shape, 0.5)) == shape
    with pytest.raises(ValueError, match="negative size"):
        _mask((-1,), 0.5)
