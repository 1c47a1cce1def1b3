"""Graph mode and eager mode: TensorFlow 1.7 starts in graph mode and can switch to eager once per process."""

from __future__ import annotations

from ..errors import PolytapeError
from ..settings import change_settings

__all__ = ["GraphModeError", "enable_eager_execution", "executing_eagerly", "need_eager"]


class GraphModeError(PolytapeError, RuntimeError):
    """An op of `polytape.compat` was called in graph mode, which is not implemented yet."""


class _Mode:
    """Whether eager execution was enabled; it is never disabled."""

    def __init__(self) -> None:
        self.eager = False


_mode = _Mode()


def enable_eager_execution(config: object = None, device_policy: object = None, execution_mode: object = None) -> None:
    """From now on, run ops eagerly in this process and print tensors as TensorFlow 1.7 does.

    Args:
        config, device_policy, execution_mode: accepted for compatibility with TensorFlow, and ignored.
    """
    _mode.eager = True
    change_settings(print_style="tf1")


def executing_eagerly() -> bool:
    """Whether eager execution is enabled."""
    return _mode.eager


def need_eager(name: str) -> None:
    """Reject the op ``name`` in graph mode.

    Raises:
        GraphModeError: eager execution is not enabled.
    """
    if not _mode.eager:
        raise GraphModeError(
            f"{name} was called in graph mode.",
            expected="eager execution; graph mode is not implemented yet",
            got=f"{name} before enable_eager_execution()",
            fix="write tf.enable_eager_execution() at the start of the program, right after the imports",
        )
