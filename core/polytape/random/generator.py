"""Generators: a key and a counter, whose next range each draw reserves; and the process's default generator."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes, plugins
from ..dispatch import convert
from ..errors import DTypeError
from ..state.trackable import Trackable
from ..state.update import replace_all
from ..tensors.scope import NO_SCOPE, current_scope
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable

__all__ = ["WORDS", "Draws", "Generator", "chosen", "default_generator", "seed"]

_MASK64 = 2**64 - 1
WORDS = 4  # 32-bit words per step of the counter


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
        trace = current_scope.get().trace
        if trace is not None:
            draw = getattr(trace, "draw", None)  # of a trace that computes at once
            return self._take_traced(trace, words) if draw is None else draw(self.take, words)
        return Tensor(self._reserve(blocks_of(words)), self.state.type, None)

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

    def _take_traced(self, trace: Any, words: int) -> Tensor:
        """The state to draw from in a graph, which reserves the range of all its draws at the start of each run."""
        blocks = blocks_of(words)
        state = self.state
        draws: Draws | None = trace.draws.get(id(self))
        if trace.assigns(state) or (draws is None and trace.reads(state)):
            value = state.read_value()  # the function sets the state itself, so its draws continue from there
            state.assign(_advanced(value, blocks))
            return value
        if draws is None:
            draws = trace.draws[id(self)] = Draws(self)
            source = trace.source(self, draws)
            draws.position = source.tensor("random_state", state.type, (2,))
        before: Tensor = draws.position
        draws.position = _advanced(before, blocks)
        draws.words.append(words)
        draws.blocks += blocks
        trace.supersede(state, draws.position)
        return before


class Draws:
    """What the draws of one trace take from a generator; calling it reserves them.

    Attributes:
        words: how many 32-bit words each draw takes; ``blocks``: the blocks of all.
        position: the state before the next draw.
    """

    def __init__(self, generator: Generator, words: Sequence[int] = ()) -> None:
        self.generator = generator
        self.words = list(words)
        self.blocks = sum([blocks_of(x) for x in words])
        self.position: Any = None

    def __call__(self) -> list[Any]:
        """Reserve the range of one run: the state before it."""
        return [self.generator._reserve(self.blocks)]


def blocks_of(words: int) -> int:
    """How many steps of the counter this many words take."""
    return -(-int(words) // WORDS)


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


def chosen(generator: Generator | None) -> Generator:
    """``generator``, or the process's default generator if it is None."""
    return _default.get(None) if generator is None else generator


def default_generator() -> Generator:
    """The generator of draws without ``generator=``, one per process; a program that is to resume saves it too.

    Source:
        PyTorch 2.13, ``torch.default_generator``.
    """
    return _default.get(None)


def seed(seed: int) -> None:
    """Restart the default generator with the stream of ``seed``; without a seed, each process has its own stream.

    Args:
        seed: from 0 to 2**64 - 1.
    Raises:
        DTypeError: ``seed`` is not an integer in this range.
    """
    _initial_state(seed)  # checks the seed before the default generator is created
    _default.get(seed).seed(seed)
