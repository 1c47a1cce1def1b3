"""The smooth rectifiers softplus, gelu and silu, and their gradients.

Half precision is computed in float32 and rounded once. Results that underflow are intended. Large operands are computed
in blocks that stay in the cache with all their intermediate results.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel

from ..constants import clipped_of, number_of, numbers
from ..exponential import log1p_of_float32, uses_simd
from ..quiet import error_state
from .activations import growth_of, logistic_of

__all__ = ["kernels"]

Array = Any
# A function of the results of the module's functions: it gets the operands and returns a new array.
Formula = Callable[..., Array]

_BLOCK: Final = 16384  # elements; four times as many take 10 % longer, since they leave the cache
_SCALAR_LOG1P: Final = 256  # elements
_FEW: Final = 128  # elements, of which one function per element takes less time than the calls for all
_VERY_FEW: Final = 64  # elements, whose exact gelu by the C library takes less time than by a polynomial
_FAR: Final = 1000.0  # as in the bodies of the ops
_TWICE_LINEAR: Final = 2.0 * math.sqrt(2.0 / math.pi)
_CUBIC: Final = 0.044715
_ROOT_HALF: Final = math.sqrt(0.5)
_DENSITY: Final = 1.0 / math.sqrt(2.0 * math.pi)
# With t = 1 / (1 + _SLOPE * x), exp(x**2 / 2) times the probability that a standard normal number is above x is
# t * P(t) for x from 0 to _END; highest power first. Fitted here for the relative error, which is 3.2e-8.
_SLOPE: Final = 0.35
_END: Final = 15.0  # where exp(-x**2 / 2) is 0 in float32
_TAIL: Final = (
    -0.029159560596887676, 0.14403919813862062, -0.2558564006531356, 0.15933993587760986, -0.023226568100932057,
    0.10555865119585355, 0.11981969352918223, 0.13986374107966595, 0.1396212935384162,
)  # fmt: skip


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the smooth rectifiers on the arrays of ``xp``."""
    softplus, silu, silu_back = _softplus(xp), _silu(xp), _silu_back(xp)
    by_tanh, back_by_tanh = _gelu_by_tanh(xp), _gelu_back_by_tanh(xp)
    return [
        Kernel("softplus", _applied(xp, softplus), fresh=True),
        Kernel("silu", _applied(xp, silu), fresh=True),
        Kernel("silu_gradient", _applied(xp, silu_back), fresh=True),
        Kernel("gelu", _either(xp, _gelu(xp), by_tanh), when=_served, fresh=True),
        Kernel("gelu_gradient", _either(xp, _gelu_back(xp), back_by_tanh), when=_gradient_served, fresh=True),
    ]


def _served(x: Array, *, approximate: bool = False) -> bool:
    return approximate or bool(x.dtype.itemsize < 8)  # the polynomial of the exact form has the precision of float32


def _gradient_served(incoming: Array, x: Array, *, approximate: bool = False) -> bool:
    return _served(x, approximate=approximate)


def _either(xp: Any, exact: Formula, by_tanh: Formula) -> Callable[..., Array]:
    exactly, approximately = _applied(xp, exact), _applied(xp, by_tanh)

    def gelu(*operands: Array, approximate: bool = False) -> Array:
        return approximately(*operands) if approximate else exactly(*operands)

    return gelu


def _applied(xp: Any, formula: Formula) -> Callable[..., Array]:
    """The kernel of a formula: in blocks, in float32 for half precision, and without reports of underflow."""
    state, blocked = error_state(xp), _blocked(xp, formula)

    def wide(*operands: Array) -> Array:
        dtype = operands[0].dtype
        if dtype.itemsize == 2:
            return blocked(*[x.astype("float32") for x in operands]).astype(dtype)
        return blocked(*operands)

    def kernel(*operands: Array) -> Array:
        if state(None) is None:
            return wide(*operands)
        with xp.errstate(under="ignore"):
            return wide(*operands)

    return kernel


def _blocked(xp: Any, formula: Formula) -> Formula:
    if xp.__name__ != "numpy":
        return formula
    empty = xp.empty

    def blocked(*operands: Array) -> Array:
        first = operands[0]
        size = first.size
        if size <= 2 * _BLOCK or any(not x.flags.c_contiguous or x.shape != first.shape for x in operands):
            return formula(*operands)
        y = empty(size, first.dtype)
        flat = [x.reshape(-1) for x in operands]
        for start in range(0, size, _BLOCK):
            block = slice(start, start + _BLOCK)
            y[block] = formula(*[x[block] for x in flat])
        return y.reshape(first.shape)

    return blocked


def _softplus(xp: Any) -> Formula:
    exp, log1p, absolute, maximum = xp.exp, xp.log1p, xp.abs, xp.maximum
    on_host, logaddexp, zero = xp.__name__ == "numpy", xp.logaddexp, {char: xp.zeros((), char) for char in "fd"}
    by_log = log1p_of_float32(xp) if on_host and not uses_simd(xp, "log1p") else None

    def softplus(x: Array) -> Array:
        if on_host and x.size <= _FEW:
            return logaddexp(x, zero[x.dtype.char])
        y = exp(-absolute(x))
        y = by_log(y) if by_log and x.size >= _SCALAR_LOG1P and x.dtype.itemsize == 4 else log1p(y)
        y += maximum(x, zero[x.dtype.char] if on_host else 0)
        return y

    return softplus


def _silu(xp: Any) -> Formula:
    logistic, maximum, growth = logistic_of(xp), xp.maximum, growth_of(xp)
    fast = xp.__name__ == "numpy"

    def silu(x: Array) -> Array:
        y = growth(x) if fast else None
        if y is not None:
            return xp.divide(x, y, out=y)
        y = logistic(x)
        y *= maximum(x, -_FAR)
        return y

    return silu


def _silu_back(xp: Any) -> Formula:
    logistic, one, clipped = logistic_of(xp), numbers(xp, 1), clipped_of(xp, _FAR)

    def silu_back(incoming: Array, x: Array) -> Array:
        # s + x * s * (1 - s), with 1 - s = sigmoid(-x) to keep its digits
        x = clipped(x)
        y = logistic(-x)
        y *= x
        y += one.get(x.dtype.char, 1)
        y *= logistic(x)
        return y * incoming

    return silu_back


def _tail(xp: Any) -> Callable[[Array], tuple[Array, Array]]:
    """``exp(-x**2 / 2)``, and the probability that a standard normal number is above ``x``, for x from 0 to _END."""
    exp, one, slope, half = xp.exp, numbers(xp, 1), numbers(xp, _SLOPE), numbers(xp, -0.5)
    factors = {char: [numbers(xp, factor)[char] for factor in _TAIL] for char in one}

    def tail(x: Array) -> tuple[Array, Array]:
        char = x.dtype.char
        coefficients = factors.get(char, _TAIL)
        t = x * slope.get(char, _SLOPE)
        t += one.get(char, 1)
        t = one.get(char, 1) / t
        y = t * coefficients[0]
        for coefficient in coefficients[1:]:
            y += coefficient
            y *= t
        bell = x * x
        bell *= half.get(char, -0.5)
        bell = exp(bell)
        y *= bell
        return bell, y

    return tail


def _gelu(xp: Any) -> Formula:
    absolute, maximum, minimum, tail = xp.abs, xp.maximum, xp.minimum, _tail(xp)
    on_host, array, erfc, number = xp.__name__ == "numpy", xp.array, math.erfc, number_of(xp)

    def gelu(x: Array) -> Array:
        if on_host and x.size <= _VERY_FEW:
            # The product of -inf and a probability of 0 would be NaN.
            numbers = maximum(x, -_END).reshape(-1).tolist()
            return array([0.5 * u * erfc(-_ROOT_HALF * u) for u in numbers], x.dtype).reshape(x.shape)
        size = minimum(absolute(x), number(_END, x))
        _, y = tail(size)
        y *= size
        return maximum(x, number(0.0, x)) - y

    return gelu


def _gelu_back(xp: Any) -> Formula:
    absolute, where, tail = xp.abs, xp.where, _tail(xp)
    on_host, array, erfc, exp = xp.__name__ == "numpy", xp.array, math.erfc, math.exp
    clipped, number = clipped_of(xp, _END), number_of(xp)

    def gelu_back(incoming: Array, x: Array) -> Array:
        x = clipped(x)
        if on_host and x.size <= _VERY_FEW:
            slopes = [0.5 * erfc(-_ROOT_HALF * u) + _DENSITY * u * exp(-0.5 * u * u) for u in x.reshape(-1).tolist()]
            return incoming * array(slopes, x.dtype).reshape(x.shape)
        bell, above = tail(absolute(x))
        bell *= x
        bell *= number(_DENSITY, x)
        bell += where(x >= number(0.0, x), number(1.0, x) - above, above)
        return bell * incoming

    return gelu_back


def _gelu_by_tanh(xp: Any) -> Formula:
    logistic, maximum, clipped = logistic_of(xp), xp.maximum, clipped_of(xp, _FAR)

    def gelu(x: Array) -> Array:
        inner = clipped(x)
        t = inner * inner
        t *= _TWICE_LINEAR * _CUBIC
        t += _TWICE_LINEAR
        t *= inner
        y = logistic(t)
        y *= maximum(x, -_FAR)
        return y

    return gelu


def _gelu_back_by_tanh(xp: Any) -> Formula:
    logistic, clipped = logistic_of(xp), clipped_of(xp, _FAR)

    def gelu_back(incoming: Array, x: Array) -> Array:
        x = clipped(x)
        square = x * x
        t = square * (_TWICE_LINEAR * _CUBIC)
        t += _TWICE_LINEAR
        t *= x
        square *= 3.0 * _TWICE_LINEAR * _CUBIC
        square += _TWICE_LINEAR
        square *= x
        square *= logistic(-t)
        square += 1
        square *= logistic(t)
        return square * incoming

    return gelu_back
