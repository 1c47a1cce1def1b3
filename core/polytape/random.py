"""Random numbers from Philox4x32-10, the same on every backend.

A generator's whole state is a key and a counter. A draw reserves the next range of the counter, and the backend
computes the numbers from it. A traced function reads and assigns the state like any other variable.
"""

from __future__ import annotations

import os
from math import isfinite, prod
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes, plugins
from .dispatch import convert
from .errors import DTypeError, SettingError
from .placement import selection
from .registry import tables
from .registry.tensor_type import get_tensor_type
from .state.trackable import Trackable
from .state.update import replace_all
from .tensors.scope import NO_SCOPE, current_scope
from .tensors.tensor import Tensor
from .tensors.variable import Variable

if TYPE_CHECKING:
    from .device import Device
    from .dtypes import DType

__all__ = ["Generator", "integers", "normal", "seed", "uniform"]

Shape = int | tuple[int, ...] | list[int]
_MASK64 = 2**64 - 1
_BLOCK = 4  # 32-bit words per step of the counter


class Generator(Trackable):
    """A stream of random numbers; it is saved in checkpoints, and a restored generator continues the stream.

    Threads that share a generator never get the same bits, but which thread gets which numbers depends on timing. For
    reproducible numbers use one generator per thread.

    Args:
        seed: from 0 to 2**64 - 1; the key.

    Attributes:
        state: uint64[2] variable on the host backend: the key and the counter.

    Raises:
        DTypeError: ``seed`` is not an integer in this range.

    Example:
        >>> import polytape as pt
        >>> generator = pt.random.Generator(7)
        >>> pt.random.integers(10, shape=(3,), generator=generator).shape
        (3,)
    """

    def __init__(self, seed: int) -> None:
        host = plugins.host_backend().device_list()[0]
        self.state = Variable(_initial_state(seed), trainable=False, name="random_state", device=host)

    def __repr__(self) -> str:
        key, counter = self.state.numpy().tolist()
        return f"Generator(key={key}, counter={counter})"

    def __deepcopy__(self, memo: Any) -> Generator:
        generator = Generator(0)
        generator.state.assign(self.state.read_value())
        return generator

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, tuple(self.state.numpy().tolist())

    def seed(self, seed: int) -> None:
        """Restart the generator with the stream of ``seed``, at its beginning."""
        self.state.assign(_initial_state(seed))

    def take(self, words: int) -> Tensor:
        """Reserve this many 32-bit words: return the state to draw them from, and move the counter past them."""
        blocks = -(-words // _BLOCK)
        trace = current_scope.get().trace
        if trace is not None:
            return self._take_traced(trace, blocks)
        return Tensor(self._reserve(blocks), self.state.type, None)

    def _reserve(self, blocks: int) -> Any:
        """The array of the state, from which the counter moves on by so many blocks."""
        state = self.state
        while True:
            before = state.array
            key, counter = before.tolist()  # the host backend's arrays are NumPy arrays
            after = np.asarray([key, (counter + blocks) & _MASK64], dtypes.uint64)
            # No lock: a signal handler that draws would wait for itself. It takes its own range, and this one tries
            # again.
            if replace_all([state], [before], [state.type.backend.from_host(after, state.device)]):
                return before

    def _take_traced(self, trace: Any, blocks: int) -> Tensor:
        """The state to draw from in a graph, which reserves the range of all its draws at the start of each run."""
        state = self.state
        draws: _Draws | None = trace.draws.get(id(self))
        if trace.assigns(state) or (draws is None and trace.reads(state)):
            value = state.read_value()  # the function sets the state itself, so its draws continue from there
            state.assign(_advanced(value, blocks))
            return value
        if draws is None:
            draws = trace.draws[id(self)] = _Draws(self)
            source = trace.source(self, draws.reserve)
            draws.position = source.tensor("random_state", state.type, (2,))
        before: Tensor = draws.position
        draws.position = _advanced(before, blocks)
        draws.blocks += blocks
        trace.supersede(state, draws.position)
        return before


class _Draws:
    """What the draws of one trace take from a generator: the state before the next one, and the blocks so far."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self.blocks = 0
        self.position: Any = None

    def reserve(self) -> list[Any]:
        """Reserve the range of one run: the state before it."""
        return [self.generator._reserve(self.blocks)]


def _advanced(state: Tensor, blocks: int) -> Tensor:
    """The state after so many blocks."""
    return state + convert.asarray(np.asarray([0, blocks], dtypes.uint64), None, state.device, None)


def _rebuild(key: int, counter: int) -> Generator:
    generator = Generator(key)
    generator.state.assign(np.asarray([key, counter], dtypes.uint64))
    return generator


def _initial_state(seed: int) -> Any:
    if not hasattr(seed, "__index__") or not 0 <= seed.__index__() <= _MASK64:
        raise DTypeError(
            f"{seed!r} is not a valid seed.",
            expected="an integer from 0 to 2**64 - 1",
            got=f"{seed!r} of type {type(seed).__name__}",
            fix="pass an integer in this range, for example int.from_bytes(os.urandom(8))",
        )
    return np.asarray([seed.__index__(), 0], dtypes.uint64)


class _Default:
    """The process's default generator, created on first use."""

    def __init__(self) -> None:
        self.generators: dict[str, Generator] = {}
        self.entropy: int | None = None  # the key, if it was not chosen by `seed`

    def get(self, key: int | None) -> Generator:
        """The generator, created with ``key`` if there is none yet; None takes the key from the system's entropy."""
        generator = self.generators.get("default")
        if generator is None:
            scope = current_scope.get()
            try:
                current_scope.set(NO_SCOPE)  # the first draw may be inside a traced function
                if key is None:
                    key = self.entropy = _entropy()
                generator = self.generators.setdefault("default", Generator(key))
            finally:
                current_scope.set(scope)
        return generator

    def reseed(self) -> None:
        """Start another stream in a forked process, unless the program chose the seed or restored the generator."""
        generator = self.generators.get("default")
        if generator is not None and self.entropy is not None and generator.state.tolist()[0] == self.entropy:
            self.entropy = _entropy()
            replace_all([generator.state], [None], [_initial_state(self.entropy)])


def _entropy() -> int:
    return int.from_bytes(os.urandom(8), "little")


_default = _Default()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_default.reseed)


def seed(seed: int) -> None:
    """Restart the default generator with the stream of ``seed``; without a seed, each process has its own stream.

    Args:
        seed: from 0 to 2**64 - 1.
    Raises:
        DTypeError: ``seed`` is not an integer in this range.
    """
    _initial_state(seed)  # checks the seed before the default generator is created
    _default.get(seed).seed(seed)


def _draw(
    name: str,
    words: int,
    shape: tuple[int, ...],
    dtype: DType,
    device: Device,
    generator: Generator | None,
    **attributes: Any,
) -> Tensor:
    state = (_default.get(None) if generator is None else generator).take(words)
    op: Any = tables.get_op(name)
    result: Tensor = op(state, shape=shape, dtype=dtype, device=device, **attributes)
    return result


def _checked(shape: Shape, dtype: Any, device: Any, category: int, fix: str) -> tuple[tuple[int, ...], DType, Device]:
    """The arguments of a draw, checked before it takes numbers: after an error the stream is unchanged."""
    from .ops.shape_rules import as_shape

    dtype = dtypes.lookup(dtype)
    if dtypes.category(dtype) != category:
        adjective = "an integer" if category == dtypes.INTEGER else "a real floating"
        raise DTypeError(
            f"cannot draw random numbers of {dtype} here.", expected=f"{adjective} dtype", got=str(dtype), fix=fix
        )
    device = selection.resolve_device(device)
    get_tensor_type(selection.backend_of(device), device, dtype)  # raises if the device has no such dtype
    return as_shape(shape), dtype, device


def _number(name: str, argument: str, value: Any) -> float:
    """A finite Python number, as a float."""
    if isinstance(value, (str, bytes, complex)) or not hasattr(value, "__float__"):
        raise DTypeError(
            f"{name} cannot use {value!r} as {argument}.",
            expected="a real number",
            got=f"{value!r} of type {type(value).__name__}",
            fix="pass a Python number, and scale the result for anything else",
        )
    number = float(value)
    if not isfinite(number):
        raise SettingError(
            f"{name} cannot use {argument}={number}.", expected="a finite number", got=repr(number), fix="change it"
        )
    return number


def _integer(argument: str, value: Any) -> int:
    try:
        return index(value)
    except TypeError:
        raise DTypeError(
            f"integers cannot use {value!r} as {argument}.",
            expected="an integer",
            got=f"{value!r} of type {type(value).__name__}",
            fix="round it, or use polytape.random.uniform",
        ) from None


def uniform(
    shape: Shape = (),
    low: float = 0.0,
    high: float = 1.0,
    *,
    dtype: Any = dtypes.float32,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Uniform random numbers from ``low`` (inclusive) to ``high`` (exclusive, except for rounding).

    Args:
        shape: of the result.
        low, high: the range; Python numbers.
        dtype: real floating.
        device: the result's device; default: the device of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; the same numbers on every backend.
    Raises:
        DTypeError: ``dtype`` is not real floating, or a bound is not a number. SettingError: ``low > high``.
        ShapeError: ``shape`` is not a valid shape.
    Source:
        J. Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3, SC11.

    Example:
        >>> import polytape as pt
        >>> pt.random.seed(1)
        >>> pt.random.uniform((2, 3), -1.0, 1.0).shape
        (2, 3)
    """
    first, end = _number("uniform", "low", low), _number("uniform", "high", high)
    if first > end:
        raise SettingError(
            f"uniform cannot draw numbers from {low} to {high}.",
            expected="low <= high",
            got=f"low={low}, high={high}",
            fix="pass the larger bound second",
        )
    extents, dtype, device = _checked(shape, dtype, device, dtypes.FLOATING, "use polytape.random.integers")
    words = prod(extents) * (2 if dtype is dtypes.float64 else 1)
    numbers = _draw("random_uniform", words, extents, dtype, device, generator)
    return numbers if first == 0.0 and end == 1.0 else numbers * (end - first) + first


def normal(
    shape: Shape = (),
    mean: float = 0.0,
    stddev: float = 1.0,
    *,
    dtype: Any = dtypes.float32,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Normal random numbers with this mean and standard deviation.

    Args:
        shape: of the result.
        mean, stddev: Python numbers.
        dtype: real floating.
        device: the result's device; default: the device of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; backends agree to 4 ulp of the standard normal numbers.
    Raises:
        DTypeError: ``dtype`` is not real floating, or an argument is not a number. SettingError: ``stddev < 0``.
        ShapeError: ``shape`` is not a valid shape.
    Source:
        G. Box, M. Muller (1958), Annals of Mathematical Statistics 29 (2), pp. 610-611.
    """
    center, scale = _number("normal", "mean", mean), _number("normal", "stddev", stddev)
    if scale < 0.0:
        raise SettingError(
            f"normal cannot draw numbers with stddev={stddev}.", expected="0 or more", got=f"{stddev}", fix="negate it"
        )
    extents, dtype, device = _checked(shape, dtype, device, dtypes.FLOATING, "use polytape.random.integers")
    words = -(-prod(extents) // 2) * (4 if dtype is dtypes.float64 else 2)
    numbers = _draw("random_normal", words, extents, dtype, device, generator)
    return numbers if center == 0.0 and scale == 1.0 else numbers * scale + center


def integers(
    low: int,
    high: int | None = None,
    shape: Shape = (),
    *,
    dtype: Any = dtypes.int32,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Random integers from ``low`` to ``high - 1``, or from 0 to ``low - 1`` if ``high`` is omitted.

    Args:
        low, high: the range.
        shape: of the result.
        dtype: an integer dtype.
        device: the result's device; default: the device of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``; the same numbers on every backend.
    Raises:
        DTypeError: ``dtype`` is not an integer dtype or cannot hold the range, the range is empty, or a bound is not
            an integer.
        ShapeError: ``shape`` is not a valid shape.
    Source:
        D. Lemire (2019), ACM TOMACS 29 (1), 3: multiply and shift, without the rejection step.

    Example:
        >>> import polytape as pt
        >>> die = pt.random.integers(1, 7, (100,))
        >>> bool(pt.max(die) <= 6)
        True
    """
    first, end = (0, _integer("low", low)) if high is None else (_integer("low", low), _integer("high", high))
    extents, dtype, device = _checked(shape, dtype, device, dtypes.INTEGER, "use polytape.random.uniform")
    info = np.iinfo(dtype)
    if not info.min <= first < end <= info.max + 1:
        raise DTypeError(
            f"cannot draw {dtype} numbers from {first} to {end - 1}.",
            expected=f"low < high, within {info.min} to {info.max}",
            got=f"low={first}, high={end}",
            fix="pass the larger bound second, or use a wider dtype",
        )
    return _draw("random_integers", 2 * prod(extents), extents, dtype, device, generator, low=first, high=end)


def __getattr__(name: str) -> object:
    from .foreign_names import unknown

    raise unknown("random", name)
