"""Random numbers of sessions: each session draws the same ones, from states of its own.

A seed of the graph decides about all draws of a session, an op's own seed about those of that op. Without either, the
process's generator draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ....nn.building import outside
from ....random import Generator, default_generator
from ...mode import building
from ..convert import restart, stream_seed, streams
from .graphs import get_default_graph

__all__ = ["drawing", "set_random_seed"]


def set_random_seed(seed: Any) -> None:
    """Set the seed of the current graph, or in eager mode of the process; streams of random numbers start again."""
    if building():
        get_default_graph().seed = None if seed is None else int(seed)
    with outside():
        restart(seed)


@contextmanager
def drawing(states: dict[str, Any], graph_seed: int | None) -> Iterator[None]:
    """A context manager: generators inside have the states of a session.

    Args:
        states: the session's, by a key of the generator; it is changed.
        graph_seed: the graph's seed.
    """
    known = _known(graph_seed)
    if graph_seed is not None:
        known["process"] = (default_generator(), graph_seed)
    before = [generator.state.array for generator, _ in known.values()]
    for key, (generator, seed) in known.items():
        if key not in states:
            states[key] = Generator(seed).state.array
        generator.state.array = states[key]
    try:
        yield
    finally:
        for key, (generator, seed) in _known(graph_seed).items():
            if key not in known:  # a stream that this run has begun
                states[key] = generator.state.array
                generator.state.array = Generator(seed).state.array
        for (key, (generator, _)), array in zip(known.items(), before, strict=True):
            states[key] = generator.state.array
            generator.state.array = array


def _known(graph_seed: int | None) -> dict[str, tuple[Generator, int]]:
    """The generators of operations with a seed of their own, each with the seed of its stream in a session."""
    return {
        f"stream {number} {operation}": (generator, stream_seed(number, graph_seed or 0))
        for (number, operation), generator in streams().items()
    }
