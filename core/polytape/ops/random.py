"""Random draws as ops of a generator's state. Users call `polytape.random`.

All draws are made of `random_bits`. The bodies give the same bits as the kernels of polytape-numpy, whose module
`random` lists which words each number uses.
"""

from __future__ import annotations

from math import pi, prod
from typing import Any

from .. import dtypes
from ..dtypes import DType
from ..errors import OutOfRangeError
from ..tensors.tensor import Tensor
from . import dtype_rules, shape_rules
from .declaration import op, primitive, states

__all__: list[str] = []

Shape = tuple[int, ...]
_DRAWN = "a random draw is not a differentiable function of its state"
_MASK32, _MASK64 = 2**32 - 1, 2**64 - 1


@states(returns="uint32")
def _words(state: DType) -> DType:
    return dtypes.uint32


@states(returns="[``n``]", rejects="``n`` is negative, or ``lane`` is not from 0 to 2**64 - 1", n="how many words.")
def _counted(state: Shape, *, n: int, lane: int) -> Shape:
    if not 0 <= lane <= _MASK64:
        raise OutOfRangeError(
            f"there is no lane {lane}.", expected="from 0 to 2**64 - 1", got=str(lane), fix="count lanes from 0"
        )
    return shape_rules.as_shape(n)


@op(dtype=_words, shape=_counted, host=("state",), no_gradient=_DRAWN, internal="the functions of polytape.random")
def random_bits(state: Tensor, *, lane: int = 0, n: int, device: Any = None) -> Tensor:
    """Words of random bits, starting at the counter.

    Args:
        state: uint64[2] on the host: key and counter of Philox4x32-10. Word i is word ``i % 4`` of the block at
            ``counter + i // 4`` (modulo 2**64).
        lane: the upper 64 bits of the counter. Attempt k of a rejection sampler uses lane k.
    Source:
        J. Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3, SC11.
    """
    return primitive()


def integers53(low: Tensor, high: Tensor) -> Tensor:
    """The upper 53 bits of a 64-bit integer, given as two words, in float64."""
    from .bitwise import bitwise_right_shift
    from .manipulation import astype

    upper = astype(high, dtypes.float64) * 2.0**21  # exact, as is the sum
    return upper + astype(bitwise_right_shift(low, 11), dtypes.float64)


def integers24(words: Tensor) -> Tensor:
    """The upper 24 bits of each word, in float32."""
    from .bitwise import bitwise_right_shift
    from .manipulation import astype

    return astype(bitwise_right_shift(words, 8), dtypes.float32)


@op(
    dtype=dtype_rules.given_floating,
    shape=shape_rules.given_shape,
    host=("state",),
    no_gradient=_DRAWN,
    internal="polytape.random.uniform",
)
def random_uniform(state: Tensor, *, shape: Shape, dtype: Any, device: Any = None) -> Tensor:
    """Uniform numbers in [0, 1), starting at the counter.

    Args:
        state: uint64[2] on the host, as for `random_bits`. float32 uses the upper 24 bits of a word, float16 11,
            bfloat16 8, float64 53 bits of two words.
        shape, dtype, device: of the result.
    Raises:
        DTypeError: ``dtype`` is not real floating.
    Source:
        J. Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3, SC11.
    """
    from .bitwise import bitwise_right_shift
    from .manipulation import astype, reshape

    dtype = dtypes.lookup(dtype)
    if dtype is dtypes.float64:
        pairs = reshape(random_bits(state, n=2 * prod(shape), device=device), (*shape, 2))
        return integers53(pairs[..., 0], pairs[..., 1]) * 2.0**-53
    bits = {"float32": 24, "float16": 11, "bfloat16": 8}[dtype.name]
    words = reshape(random_bits(state, n=prod(shape), device=device), shape)
    numbers = astype(bitwise_right_shift(words, 32 - bits), dtypes.float32) * 2.0**-bits
    return astype(numbers, dtype)


@op(
    dtype=dtype_rules.given_floating,
    shape=shape_rules.given_shape,
    host=("state",),
    no_gradient=_DRAWN,
    internal="polytape.random.normal",
)
def random_normal(state: Tensor, *, shape: Shape, dtype: Any, device: Any = None) -> Tensor:
    """Standard normal numbers, starting at the counter.

    Args:
        state: uint64[2] on the host, as for `random_bits`; each pair of numbers uses two words, in float64 four.
        shape, dtype, device: of the result.
    Returns:
        ``shape``, ``dtype``; backends agree to 4 ulp.
    Raises:
        DTypeError: ``dtype`` is not real floating.
    Source:
        G. Box, M. Muller (1958), Annals of Mathematical Statistics 29 (2), pp. 610-611.
    """
    from .manipulation import astype, concat, reshape
    from .trigonometric import cos, sin

    dtype = dtypes.lookup(dtype)
    pairs = -(-prod(shape) // 2)
    if dtype is dtypes.float64:
        words = reshape(random_bits(state, n=4 * pairs, device=device), (pairs, 4))
        first, second = integers53(words[:, 0], words[:, 1]), integers53(words[:, 2], words[:, 3])
    else:
        words = reshape(random_bits(state, n=2 * pairs, device=device), (pairs, 2))
        first, second = integers24(words[:, 0]), integers24(words[:, 1])
    radius, angle = polar(first, second)
    both = concat([reshape(radius * f(angle), (pairs, 1)) for f in (cos, sin)], axis=1)
    return reshape(astype(reshape(both, -1)[: prod(shape)], dtype), shape)


def polar(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """The radius and the angle of two normal numbers, from two integers of 24 bits, or 53 in float64.

    The angle is one product, so that backends differ only in their log, cos and sin.
    """
    from .exponential import log, sqrt

    step = 2.0**-53 if first.dtype is dtypes.float64 else 2.0**-24
    return sqrt(log((first + 1) * step) * -2), second * (2 * pi * step)


@op(
    dtype=dtype_rules.given_integer,
    shape=shape_rules.given_shape,
    host=("state",),
    no_gradient=_DRAWN,
    internal="polytape.random.integers",
)
def random_integers(state: Tensor, *, low: int, high: int, shape: Shape, dtype: Any, device: Any = None) -> Tensor:
    """Integers from ``low`` to ``high - 1``, starting at the counter.

    Args:
        state: uint64[2] on the host, as for `random_bits`; each integer uses two words.
        low, high: the range; the bias is below (high - low) / 2**64.
        shape, dtype, device: of the result.
    Raises:
        DTypeError: ``dtype`` is not an integer dtype.
    Source:
        D. Lemire (2019), ACM TOMACS 29 (1), 3: multiply and shift, without the rejection step.
    """
    from .bitwise import bitwise_right_shift
    from .manipulation import astype, reshape

    span = high - low
    words = astype(reshape(random_bits(state, n=2 * prod(shape), device=device), (*shape, 2)), dtypes.uint64)
    first, second = words[..., 0], words[..., 1]
    if span <= _MASK32:
        # The upper 64 bits of the 96-bit product; neither the products nor the sum overflow.
        y = bitwise_right_shift(bitwise_right_shift(first * span, 32) + second * span, 32)
    else:
        from .rounding import remainder

        y = first + second * 2**32
        if span <= _MASK64:
            y = remainder(y, span)
    return astype(y + (low & _MASK64), dtype)  # two's complement: correct modulo 2**64 for a negative low


@states(returns="int64")
def _positions(state: DType) -> DType:
    return dtypes.int64


@states(returns="[``n``]", rejects="``n`` is negative", n="how many positions.")
def _listed(state: Shape, *, n: int) -> Shape:
    return shape_rules.as_shape(n)


@op(dtype=_positions, shape=_listed, host=("state",), no_gradient=_DRAWN, internal="polytape.random.permutation")
def random_permutation(state: Tensor, *, n: int, device: Any = None) -> Tensor:
    """The numbers from 0 to ``n - 1`` in random order: the order of ``n`` random 64-bit integers.

    Args:
        state: uint64[2] on the host, as for `random_bits`; each number uses two words. Equal integers, which make
            the order uneven, have probability below n**2 / 2**65.
    Source:
        D. Knuth (1998), The Art of Computer Programming 3, 5: sorting by random keys.
    """
    from .manipulation import astype, reshape
    from .sorting import argsort

    words = astype(reshape(random_bits(state, n=2 * n, device=device), (n, 2)), dtypes.uint64)
    return argsort(words[:, 0] + words[:, 1] * 2**32)


@states(returns="bool")
def _truths(state: DType) -> DType:
    return dtypes.bool_


@op(dtype=_truths, shape=shape_rules.given_shape, host=("state",), no_gradient=_DRAWN, internal="polytape.nn.dropout")
def random_mask(state: Tensor, *, rate: float, shape: Shape, device: Any = None) -> Tensor:
    """False with probability ``rate``, otherwise true.

    Args:
        state: uint64[2] on the host, as for `random_bits`; a mask of any shape uses four words, the key of a stream of
            Philox4x64-10. A number has 16 bits of it, and 32 more if those do not decide.
        rate: from 0 to 1; it is rounded to a multiple of 2**-48.
        device: of the result.
    Source:
        J. Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3, SC11.
    """
    from .bitwise import bitwise_and, bitwise_right_shift
    from .creation import arange
    from .manipulation import astype, reshape

    threshold, n = round(rate * 2.0**48), prod(shape)
    digits = 3 if threshold & _MASK32 else 1
    halves = reshape(astype(random_bits(state, n=4, device=device), dtypes.uint64), (2, 2))
    places: dict[str, Any] = {"dtype": dtypes.uint64, "device": halves.device}
    blocks, rows = arange(-(-n // 16), **places), reshape(arange(digits, **places), (-1, 1))
    words = _philox64(blocks + rows * 0, blocks * 0 + rows, halves[:, :1] + halves[:, 1:] * 2**32)
    pieces = bitwise_and(bitwise_right_shift(reshape(words, (-1, 1)), arange(0, 64, 16, **places)), 0xFFFF)
    pieces = reshape(pieces, (digits, -(-n // 16) * 16))
    number = pieces[0]
    for digit in range(1, digits):
        number = number * 2**16 + pieces[digit]
    return reshape(number[:n], shape) >= threshold >> 16 * (3 - digits)


_M0, _M1 = 0xD2E7470EE14C6C93, 0xCA5A826395121157
_W0, _W1 = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B


def _philox64(first: Tensor, second: Tensor, key: Tensor) -> Tensor:
    """Blocks of Philox4x64-10, uint64[n, 4], whose counters start with two words; the other two are 0.

    Args:
        first, second: uint64[...] of n elements.
        key: uint64[2, 1].
    """
    from .bitwise import bitwise_xor
    from .creation import arange
    from .joining import stack
    from .manipulation import permute_dims, reshape

    # The rows of x and y are the words 0 and 2, and 1 and 3.
    first, second = reshape(first, -1), reshape(second, -1)
    x, y = stack([first, first * 0]), stack([second, second * 0])
    row = reshape(arange(2, dtype=dtypes.uint64, device=x.device), (2, 1))
    factor, increment = row * ((_M1 - _M0) & _MASK64) + _M0, row * ((_W1 - _W0) & _MASK64) + _W0
    for _ in range(10):
        high, low = _product128(x, factor)
        x, y, key = bitwise_xor(bitwise_xor(high[::-1], y), key), low[::-1], key + increment
    return reshape(permute_dims(stack([x, y], axis=-1), (1, 0, 2)), (-1, 4))


def _product128(x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    """The upper and the lower 64 bits of a product of unsigned 64-bit integers, by products of their halves."""
    from .bitwise import bitwise_and, bitwise_right_shift

    low1, high1 = bitwise_and(x1, _MASK32), bitwise_right_shift(x1, 32)
    low2, high2 = bitwise_and(x2, _MASK32), bitwise_right_shift(x2, 32)
    first = high1 * low2 + bitwise_right_shift(low1 * low2, 32)
    second = low1 * high2 + bitwise_and(first, _MASK32)
    return high1 * high2 + bitwise_right_shift(first, 32) + bitwise_right_shift(second, 32), x1 * x2
