"""Graph mode or eager: TensorFlow 1.7 starts in the one, and switches to the other once for the process."""

from __future__ import annotations

from ..errors import PolytapeError
from ..settings import change_settings

__all__ = ["GraphModeError", "enable_eager_execution", "executing_eagerly", "need_eager"]


class GraphModeError(PolytapeError, RuntimeError):
    """An op of `polytape.compat` in graph mode, which is not there yet."""


class _Mode:
    """Whether eager execution was enabled; it is never disabled."""

    def __init__(self) -> None:
        self.eager = False


_mode = _Mode()


def enable_eager_execution(config: object = None, device_policy: object = None, execution_mode: object = None) -> None:
    """Run ops at once, and print tensors as TensorFlow 1.7 does, from now on in this process.

    Args:
        config, device_policy, execution_mode: taken for TensorFlow's sake, and not used.
    """
    _mode.eager = True
    change_settings(print_style="tf1")


def executing_eagerly() -> bool:
    """Whether eager execution is enabled."""
    return _mode.eager


def need_eager(name: str) -> None:
    """Refuse the op ``name`` in graph mode.

    Raises:
        GraphModeError: eager execution is not enabled.
    """
    if not _mode.eager:
        raise GraphModeError(
            f"{name} was called in graph mode.",
            expected="eager execution; graph mode is not there yet",
            got=f"{name} before enable_eager_execution()",
            fix="write tf.enable_eager_execution() at the start of the program, right after the imports",
        )
