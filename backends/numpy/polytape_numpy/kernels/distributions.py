"""Kernels: random draws by rejection. They compute what the ops' bodies do, but only for what is not yet accepted."""

from __future__ import annotations

from collections.abc import Callable
from math import pi
from typing import Any, Final

from polytape.backend import Kernel

from .philox import blocks_at
from .quiet import silent

__all__ = ["kernels"]

Array = Any
Integers = Callable[[int, int], list[Array]]  # (lane, count) -> integers of 24 or 53 bits for the waiting elements
Attempt = Callable[..., tuple[Array, Array]]  # (integers, *parameters) -> candidates and acceptances
Sampler = Callable[..., Array]  # (integers of lane 0, rejection loop, *parameters) -> numbers

_CHUNK: Final = 8192  # elements at a time: their working arrays stay in a core's second-level cache
_MASK64: Final = 0xFFFFFFFFFFFFFFFF
_STEPS: Final = 64


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the distributions family on the arrays of ``xp``."""
    samplers = {"random_poisson": _poisson(xp), "random_binomial": _binomial(xp), "random_von_mises": _von_mises(xp)}
    return [
        Kernel("random_gamma", _random_gamma(xp)),
        *(Kernel(name, _kernel(name, _chunks(xp, 2, sampler))) for name, sampler in samplers.items()),
    ]


def _kernel(name: str, draw: Callable[..., Array]) -> Callable[..., Array]:
    """A kernel with the op's number of operands."""
    if name == "random_binomial":
        return lambda state, n, p: draw(state, n, p)
    return lambda state, parameter: draw(state, parameter)


def _integers(xp: Any, state: Array, start: int, count: int, dtype: Any) -> Callable[[Array, int], list[Array]]:
    """A function of element numbers and a lane that returns ``count`` integers for each element, as floats.

    Args:
        xp: the module of arrays.
        state: the generator's.
        start: the position of element 0.
        count: how many integers each element takes.
        dtype: float32 for integers of 24 bits, float64 for 53.
    """
    key, counter = int(state[0]), int(state[1])
    wide = dtype == xp.float64
    blocks = -(-count * (2 if wide else 1) // 4)
    first = xp.uint64(counter + start * blocks & _MASK64)

    def integers(elements: Array, lane: int) -> list[Array]:
        counters = xp.empty((len(elements), blocks), "uint64")
        for block in range(blocks):
            counters[:, block] = elements * xp.uint64(blocks) + xp.uint64(block)
        counters += first
        words = blocks_at(xp, key, counters.reshape(-1), lane).reshape(len(elements), 4 * blocks)
        if wide:
            pairs = words.view("uint64") >> xp.uint64(11)
            return [pairs[:, k].astype("float64") for k in range(count)]
        words >>= xp.uint32(8)
        return [words[:, k].astype("float32") for k in range(count)]

    return integers


def _chunks(xp: Any, count: int, sampler: Sampler) -> Callable[..., Array]:
    """A draw that passes the elements to ``sampler`` in chunks."""

    def part(state: Array, start: int, *parameters: Array) -> Array:
        n, dtype = len(parameters[0]), parameters[0].dtype
        integers = _integers(xp, state, start, count, dtype)
        elements = xp.arange(n, dtype="uint64")

        def first_accepted(y: Array, attempts: int, attempt: Attempt, *arrays: Array, among: Array = None) -> Array:
            """``y`` with the first accepted candidate of each element, or of those where ``among`` is true."""
            waiting = elements if among is None else elements[among]
            for lane in range(attempts):
                if not len(waiting):
                    break
                candidate, accepted = attempt(integers(waiting, lane), *(array[waiting] for array in arrays))
                y[waiting[accepted]] = candidate[accepted]
                waiting = waiting[~accepted]
            return y

        return sampler(integers(elements, 0), first_accepted, *parameters)

    quiet = silent(xp, part)

    def draw(state: Array, *parameters: Array) -> Array:
        arrays = xp.broadcast_arrays(*parameters)
        shape = arrays[0].shape
        flat = [array.reshape(-1) for array in arrays]
        n = len(flat[0])
        y = xp.empty(n, flat[0].dtype)
        for start in range(0, n, _CHUNK):
            y[start : start + _CHUNK] = quiet(state, start, *(x[start : start + _CHUNK] for x in flat))
        return y.reshape(shape)

    return draw


def _step(integers: Array) -> float:
    return 2.0**-53 if integers.dtype.itemsize == 8 else 2.0**-24


def _unit(xp: Any, integers: Array) -> Array:
    """Uniform numbers in (0, 1)."""
    return xp.maximum(integers, 1.0) * _step(integers)


def _random_gamma(xp: Any) -> Callable[..., Array]:
    def attempt(integers: list[Array], c: Array, d: Array) -> tuple[Array, Array]:
        first, second, third, _ = integers
        step = _step(first)
        x = xp.sqrt(xp.log((first + 1) * step) * -2) * xp.cos(second * (2 * pi * step))
        t = c * x
        exponent = d * ((xp.log1p(t) - t) * 3.0 - t * t * (t + 3.0))
        return t, xp.log(_unit(xp, third)) < x * x * 0.5 + exponent

    def sampler(in_logs: bool) -> Sampler:
        def gamma(integers: list[Array], first_accepted: Any, a: Array) -> Array:
            d = xp.where(a < 1.0, a + 1.0, a) - 1.0 / 3.0
            c = 1.0 / xp.sqrt(d * 9.0)
            t = first_accepted(xp.zeros_like(a), 12, attempt, c, d)
            boost = xp.where(a < 1.0, xp.log(_unit(xp, integers[3])) / a, 0.0).astype(a.dtype, copy=False)
            one = t + 1.0
            y = xp.log(d) + xp.log1p(t) * 3.0 + boost if in_logs else d * (one * one * one) * xp.exp(boost)
            return xp.where(a > 0.0, y, xp.nan)

        return gamma

    draws = {in_logs: _chunks(xp, 4, sampler(in_logs)) for in_logs in (False, True)}

    def random_gamma(state: Array, a: Array, *, in_logs: bool = False) -> Array:
        return draws[in_logs](state, a)

    return random_gamma


def _stirling(x: Array) -> Array:
    y = x + (22999.0 / 22737.0) / x
    y = x + (195.0 / 371.0) / y
    y = x + (53.0 / 210.0) / y
    y = x + (1.0 / 30.0) / y
    return (1.0 / 12.0) / y


def _deviance(xp: Any, x: Array, mean: Array) -> Array:
    e = (x - mean) / mean
    ratio = xp.log1p(e)
    return mean * ((e + 1.0) * ratio - e) - ratio * 0.5


def _inverted(u: Array, p: Array, factor: Callable[[int], Array]) -> Array:
    count, total = p * 0, p
    for k in range(_STEPS):
        p = p * factor(k)
        following = total + p
        more = (u >= total) & (following > total)
        if not more.any():
            break  # once it is false for an element, it stays false
        count += more
        total = following
    return count


def _poisson(xp: Any) -> Sampler:
    def attempt(integers: list[Array], mean: Array, a: Array, b: Array, constant: Array) -> tuple[Array, Array]:
        first, second = [_unit(xp, x) for x in integers]
        u = first - 0.5
        us = 0.5 - abs(u)
        k = xp.floor((a * 2.0 / us + b) * u + mean + 0.43)
        at_once = (us >= 0.07) & (second <= 0.9277 - 3.6224 / (b - 2.0))
        possible = (k >= 0.0) & ((us >= 0.013) | (second <= us))
        x = xp.maximum(k, 0.0) + 1.0
        height = xp.log(second * (1.1328 / (b - 3.4) + 1.1239) / (a / (us * us) + b))
        below = height <= -(_deviance(xp, x, mean) + constant + _stirling(x))
        return k, at_once | (possible & below)

    def poisson(integers: list[Array], first_accepted: Any, rate: Array) -> Array:
        frequent = rate >= 10.0
        valid = (rate >= 0.0) & (rate < xp.inf)
        few = xp.where(valid & ~frequent, rate, 0.0).astype(rate.dtype, copy=False)
        y = _inverted(integers[0] * _step(rate), xp.exp(-few), lambda k: few / (k + 1.0))
        if frequent.any():
            mean = xp.where(frequent, rate, 10.0).astype(rate.dtype, copy=False)
            b = xp.sqrt(mean) * 2.53 + 0.931
            a, constant = b * 0.02483 - 0.059, xp.log(mean * (2.0 * pi)) * 0.5
            y = xp.where(frequent, xp.floor(mean), y)
            y = first_accepted(y, 26, attempt, mean, a, b, constant, among=frequent & valid)
        return xp.where(valid, y, xp.nan)

    return poisson


def _binomial(xp: Any) -> Sampler:
    def height(k: Array, n: Array, successes: Array, failures: Array) -> Array:
        x, y = k + 1.0, n - k + 1.0
        return _deviance(xp, x, successes) + _deviance(xp, y, failures) + _stirling(x) + _stirling(y)

    def attempt(
        integers: list[Array], n: Array, p: Array, successes: Array, failures: Array, mode: Array, highest: Array
    ) -> tuple[Array, Array]:
        first, second = [_unit(xp, x) for x in integers]
        deviation = xp.sqrt(successes * (1.0 - p))
        b = deviation * 2.53 + 1.15
        a = b * 0.0248 + p * 0.01 - 0.0873
        alpha = (5.1 / b + 2.83) * deviation
        u = first - 0.5
        us = 0.5 - abs(u)
        k = xp.floor((a * 2.0 / us + b) * u + successes + 0.5)
        at_once = (us >= 0.07) & (second <= 0.92 - 4.2 / b)
        possible = (k >= 0.0) & (k <= n)
        tried = xp.where(possible, k, mode)
        below = xp.log(second * alpha / (a / (us * us) + b)) <= highest - height(tried, n, successes, failures)
        return k, at_once | (possible & below)

    def binomial(integers: list[Array], first_accepted: Any, n: Array, p: Array) -> Array:
        valid = (n >= 0.0) & (n < xp.inf) & (p >= 0.0) & (p <= 1.0)
        rare = xp.where(p > 0.5, 1.0 - p, p)
        frequent = valid & (n * rare >= 10.0)
        few, seldom = xp.where(frequent, n * 0, n), xp.where(frequent, n * 0, rare)
        odds = seldom / (1.0 - seldom)
        none = xp.exp(few * xp.log1p(-seldom))
        y = _inverted(integers[0] * _step(n), none, lambda k: odds * (xp.maximum(few - float(k), 0.0) / (k + 1.0)))
        if frequent.any():
            trials, q = xp.where(frequent, n, n * 0 + 20), xp.where(frequent, rare, p * 0 + 0.5)
            successes, failures = trials * q, trials * (1.0 - q)
            mode = xp.floor((trials + 1.0) * q)
            highest = height(mode, trials, successes, failures)
            y = xp.where(frequent, mode, y)
            y = first_accepted(y, 30, attempt, trials, q, successes, failures, mode, highest, among=frequent)
        return xp.where(valid, xp.where(p > 0.5, n - y, y), xp.nan)

    return binomial


def _von_mises(xp: Any) -> Sampler:
    def attempt(integers: list[Array], kappa: Array, g: Array, offset: Array) -> tuple[Array, Array]:
        first, second = [_unit(xp, x) for x in integers]
        angle = (first * 2.0 - 1.0) * (pi / 2.0)
        sine, cosine = g * xp.sin(angle), xp.cos(angle)
        squared = sine * sine
        c = offset + kappa * 2.0 * (squared / (squared + cosine * cosine))
        return xp.arctan2(sine, cosine) * 2.0, xp.log(c / second) + 1.0 - c >= 0.0

    def von_mises(integers: list[Array], first_accepted: Any, kappa: Array) -> Array:
        valid = (kappa >= 0.0) & (kappa < xp.inf)
        kappa = xp.where(valid, kappa, 0.0).astype(kappa.dtype, copy=False)
        small = xp.minimum(kappa, 1e9)
        root = xp.maximum(xp.sqrt(small * small * 4.0 + 1.0), kappa * 2.0)
        rest = (1.0 / (root + kappa * 2.0) + 1.0 + xp.sqrt((root + 1.0) * 2.0)) * 0.5
        g = rest / (rest + kappa * 2.0)
        offset = rest * (rest / (rest + kappa)) * 0.5
        return xp.where(valid, first_accepted(xp.zeros_like(kappa), 34, attempt, kappa, g, offset), xp.nan)

    return von_mises
