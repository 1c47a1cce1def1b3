"""Random numbers: draws from Philox4x32-10, the same on every backend.

A generator's whole state is a key and a counter; a draw takes the counter's next range, and backends make the numbers
from that. A traced function reads and writes the state as any other variable.
"""

from __future__ import annotations

import os
from _thread import allocate_lock
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes, plugins
from .dispatch import convert
from .errors import DTypeError
from .placement import selection
from .registry import tables
from .registry.tensor_type import get_tensor_type
from .state.trackable import Trackable
from .tensors.scope import NO_SCOPE, current_scope
from .tensors.tensor import Tensor
from .tensors.variable import Variable

if TYPE_CHECKING:
    from .device import Device
    from .dtypes import DType

__all__ = ["Generator", "integers", "normal", "seed", "uniform"]

Shape = int | tuple[int, ...] | list[int]
_MASK64 = 2**64 - 1
_BLOCK = 4  # 32-bit words to one step of the counter


class Generator(Trackable):
    """A stream of random numbers; a checkpoint that holds it continues the stream.

    Threads that share a generator never share bits; which of them gets which numbers is up to their timing. A
    generator per thread is reproducible.

    Args:
        seed: from 0 to 2**64 - 1: the key.

    Attributes:
        state: uint64[2] variable on the host backend: the key and the counter.

    Raises:
        DTypeError: ``seed`` is no such integer.

    Example:
        >>> import polytape as pt
        >>> generator = pt.random.Generator(7)
        >>> pt.random.integers(10, shape=(3,), generator=generator).shape
        (3,)
    """

    def __init__(self, seed: int) -> None:
        host = plugins.host_backend().device_list()[0]
        self.state = Variable(_state_of(seed), trainable=False, name="random_state", device=host)
        self._lock = allocate_lock()

    def __repr__(self) -> str:
        key, counter = self.state.numpy().tolist()
        return f"Generator(key={key}, counter={counter})"

    def __deepcopy__(self, memo: Any) -> Generator:
        made = Generator(0)
        made.state.assign(self.state.read_value())
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, tuple(self.state.numpy().tolist())

    def seed(self, seed: int) -> None:
        """Start the stream of ``seed`` at its beginning."""
        state = _state_of(seed)
        with self._lock:
            self.state.assign(state)

    def take(self, words: int) -> Tensor:
        """The state from which a draw of this many 32-bit words is made; the counter moves past them."""
        blocks = -(-words // _BLOCK)
        state = self.state
        with self._lock:
            trace = current_scope.get().trace
            if trace is not None:
                trace.hold(self._lock)  # runs of the graph take their range under it too
                before = state.read_value()
                step = convert.asarray(np.asarray([0, blocks], dtypes.uint64), None, state.device, None)
                state.assign(before + step)
                return before
            array = state.array
            key, counter = array.tolist()  # the host backend's arrays are NumPy's
            after = np.asarray([key, (counter + blocks) & _MASK64], dtypes.uint64)
            state.array = state.type.backend.from_host(after, state.device)
        return Tensor(array, state.type, None)


def _rebuild(key: int, counter: int) -> Generator:
    made = Generator(key)
    made.state.assign(np.asarray([key, counter], dtypes.uint64))
    return made


def _state_of(seed: int) -> Any:
    if not hasattr(seed, "__index__") or not 0 <= seed.__index__() <= _MASK64:
        raise DTypeError(
            f"{seed!r} is no seed.",
            expected="an integer from 0 to 2**64 - 1",
            got=f"{seed!r} of type {type(seed).__name__}",
            fix="pass such an integer, for example int.from_bytes(os.urandom(8))",
        )
    return np.asarray([seed.__index__(), 0], dtypes.uint64)


class _Default:
    """The process's generator, made when it is first needed."""

    def __init__(self) -> None:
        self.lock = allocate_lock()
        self.generator: Generator | None = None

    def get(self, key: int | None) -> Generator:
        """The generator, started with ``key`` where it is new; None takes the operating system's entropy."""
        with self.lock:
            if self.generator is None:
                token = current_scope.set(NO_SCOPE)  # the first draw may be one in a traced function
                try:
                    self.generator = Generator(int.from_bytes(os.urandom(8), "little") if key is None else key)
                finally:
                    current_scope.reset(token)
            return self.generator


_default = _Default()


def seed(seed: int) -> None:
    """Start the default generator's stream at its beginning; without it each process has a stream of its own.

    Args:
        seed: from 0 to 2**64 - 1.
    Raises:
        DTypeError: ``seed`` is no such integer.
    """
    _state_of(seed)
    _default.get(seed).seed(seed)


def _draw(
    name: str,
    words: int,
    shape: tuple[int, ...],
    dtype: DType,
    place: Device,
    generator: Generator | None,
    **attributes: Any,
) -> Tensor:
    state = (_default.get(None) if generator is None else generator).take(words)
    op: Any = tables.get_op(name)
    result: Tensor = op(state, shape=shape, dtype=dtype, device=place, **attributes)
    return result


def _plan(shape: Shape, dtype: Any, device: Any, category: int, fix: str) -> tuple[tuple[int, ...], DType, Device]:
    """What a draw needs to know before it takes anything from the stream: an error leaves the stream as it was."""
    from .ops.shape_rules import as_shape

    wanted = dtypes.lookup(dtype)
    if dtypes.category(wanted) != category:
        tensor_type = "an integer" if category == dtypes.INTEGER else "a real floating"
        raise DTypeError(
            f"no random numbers of {wanted} are drawn here.", expected=f"{tensor_type} dtype", got=str(wanted), fix=fix
        )
    place = selection.resolve_device(device)
    get_tensor_type(selection.backend_of(place), place, wanted)
    return as_shape(shape), wanted, place


def uniform(
    shape: Shape = (),
    low: float = 0.0,
    high: float = 1.0,
    *,
    dtype: Any = dtypes.float32,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Uniform numbers from ``low`` (inclusive) to ``high`` (exclusive, but for rounding).

    Args:
        shape: of the result.
        low, high: the range; Python numbers.
        dtype: real floating.
        device: where the result is; default: where new tensors go.
        generator: default: the process's own.
    Returns:
        ``shape``, ``dtype``; the same numbers on every backend.
    Raises:
        DTypeError: ``dtype`` is not real floating. ShapeError: ``shape`` is no shape.
    Source:
        J. Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3, SC11.

    Example:
        >>> import polytape as pt
        >>> pt.random.seed(1)
        >>> pt.random.uniform((2, 3), -1.0, 1.0).shape
        (2, 3)
    """
    extents, wanted, place = _plan(shape, dtype, device, dtypes.FLOATING, "use polytape.random.integers")
    words = prod(extents) * (2 if wanted is dtypes.float64 else 1)
    drawn = _draw("random_uniform", words, extents, wanted, place, generator)
    return drawn if low == 0.0 and high == 1.0 else drawn * float(high - low) + float(low)


def normal(
    shape: Shape = (),
    mean: float = 0.0,
    stddev: float = 1.0,
    *,
    dtype: Any = dtypes.float32,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Normal numbers of this mean and standard deviation.

    Args:
        shape: of the result.
        mean, stddev: Python numbers.
        dtype: real floating.
        device: where the result is; default: where new tensors go.
        generator: default: the process's own.
    Returns:
        ``shape``, ``dtype``; backends agree to 4 ulp of the standard normal number.
    Raises:
        DTypeError: ``dtype`` is not real floating. ShapeError: ``shape`` is no shape.
    Source:
        G. Box, M. Muller (1958), Annals of Mathematical Statistics 29 (2), pp. 610-611.
    """
    extents, wanted, place = _plan(shape, dtype, device, dtypes.FLOATING, "use polytape.random.integers")
    words = -(-prod(extents) // 2) * (4 if wanted is dtypes.float64 else 2)
    drawn = _draw("random_normal", words, extents, wanted, place, generator)
    return drawn if mean == 0.0 and stddev == 1.0 else drawn * float(stddev) + float(mean)


def integers(
    low: int,
    high: int | None = None,
    shape: Shape = (),
    *,
    dtype: Any = dtypes.int32,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Integers from ``low`` to ``high - 1``, or from 0 to ``low - 1`` where ``high`` is left out.

    Args:
        low, high: the range.
        shape: of the result.
        dtype: an integer dtype.
        device: where the result is; default: where new tensors go.
        generator: default: the process's own.
    Returns:
        ``shape``, ``dtype``; the same numbers on every backend.
    Raises:
        DTypeError: ``dtype`` is no integer dtype, or cannot hold the range; the range is empty.
        ShapeError: ``shape`` is no shape.
    Source:
        D. Lemire (2019), ACM TOMACS 29 (1), 3: multiply and shift, without the rejection.

    Example:
        >>> import polytape as pt
        >>> die = pt.random.integers(1, 7, (100,))
        >>> bool(pt.max(die) <= 6)
        True
    """
    first, end = (0, low.__index__()) if high is None else (low.__index__(), high.__index__())
    extents, wanted, place = _plan(shape, dtype, device, dtypes.INTEGER, "use polytape.random.uniform")
    info = np.iinfo(wanted)
    if not info.min <= first < end <= info.max + 1:
        raise DTypeError(
            f"no {wanted} is drawn from {first} to {end - 1}.",
            expected=f"low < high, within {info.min} to {info.max}",
            got=f"low={first}, high={end}",
            fix="give the larger bound second, or a wider dtype",
        )
    return _draw("random_integers", 2 * prod(extents), extents, wanted, place, generator, low=first, high=end)
