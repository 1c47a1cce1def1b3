"""Graph mode and eager mode: TensorFlow 1.7 starts in graph mode and can switch to eager once per process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from ..errors import PolytapeError
from ..settings import change_settings

__all__ = [
    "GraphModeError",
    "building",
    "computing",
    "enable_eager_execution",
    "executing_eagerly",
    "mode",
    "need_eager",
    "recording",
]


class GraphModeError(PolytapeError, RuntimeError):
    """A function of `polytape.compat` that needs eager execution was called in graph mode."""


class Mode:
    """What holds for the whole process.

    Attributes:
        eager: whether eager execution was enabled; it is never disabled.
        graphs: whether the default graph exists, which forbids to enable it.
        dressed: whether tensors look as TensorFlow's.
    """

    def __init__(self) -> None:
        self.eager = self.dressed = False
        self.graphs = False


mode: Final = Mode()
# Inside a graph's scope True, inside a session's run or an eager function of a graph False; None elsewhere.
_building: Final[ContextVar[bool | None]] = ContextVar("polytape.compat.building", default=None)


def enable_eager_execution(config: object = None, device_policy: object = None, execution_mode: object = None) -> None:
    """From now on, run ops eagerly in this process and print tensors as TensorFlow 1.7 does.

    Args:
        config, device_policy, execution_mode: accepted for compatibility with TensorFlow, and ignored.
    Raises:
        ValueError: the program has used its default graph.
    """
    if mode.eager:
        return
    if mode.graphs:
        raise ValueError("tf.enable_eager_execution must be called at program startup.")  # TensorFlow's message
    dress()
    mode.eager = True


def dress() -> None:
    """Let tensors look and print as TensorFlow's eager tensors; a second call changes nothing."""
    if mode.dressed:
        return
    from .look import dress as dress_tensors  # a program that stays in graph mode does not need it

    dress_tensors()
    change_settings(print_style="tf1")
    mode.dressed = True


def building() -> bool:
    """Whether calls are recorded in a graph, and not computed."""
    inside = _building.get()
    return not mode.eager if inside is None else inside


def executing_eagerly() -> bool:
    """Whether calls compute at once: eager execution is enabled, or this is an eager function inside a session."""
    return not building()


@contextmanager
def computing() -> Iterator[None]:
    """A context manager: calls inside compute at once."""
    token = _building.set(False)
    try:
        yield
    finally:
        _building.reset(token)


@contextmanager
def recording() -> Iterator[None]:
    """A context manager: calls inside are recorded in the current graph."""
    token = _building.set(True)
    try:
        yield
    finally:
        _building.reset(token)


def need_eager(name: str) -> None:
    """Reject ``name`` in graph mode.

    Raises:
        GraphModeError: calls are recorded in a graph.
    """
    if building():
        raise GraphModeError(
            f"{name} was called in graph mode.",
            expected="eager execution; this name has no graph mode",
            got=f"{name} before enable_eager_execution(), or inside a graph",
            fix="write tf.enable_eager_execution() at the start of the program, right after the imports",
        )
