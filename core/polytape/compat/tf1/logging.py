"""TensorFlow 1.7's ``tf.logging``: Python's logger ``tensorflow``."""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

__all__ = [
    "DEBUG",
    "ERROR",
    "FATAL",
    "INFO",
    "WARN",
    "debug",
    "error",
    "fatal",
    "get_verbosity",
    "info",
    "log",
    "log_every_n",
    "log_first_n",
    "log_if",
    "set_verbosity",
    "warn",
    "warning",
]

DEBUG: Final = logging.DEBUG
INFO: Final = logging.INFO
WARN: Final = logging.WARNING
ERROR: Final = logging.ERROR
FATAL: Final = logging.CRITICAL


def _logger() -> logging.Logger:
    """The logger; a program that has configured no logging sees its messages on the standard error stream."""
    found = logging.getLogger("tensorflow")
    if not found.handlers and not logging.getLogger().handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s"))
        found.addHandler(handler)
        found.setLevel(WARN)
    return found


def log(level: int, msg: str, *args: Any, **kwargs: Any) -> None:
    """Log a message, formatted by ``msg % args``."""
    _logger().log(level, msg, *args, **kwargs)


def _at(level: int, name: str) -> Any:
    def write(msg: str, *args: Any, **kwargs: Any) -> None:
        log(level, msg, *args, **kwargs)

    write.__name__ = write.__qualname__ = name
    write.__doc__ = f"`log` at the level ``{logging.getLevelName(level)}``."
    return write


debug = _at(DEBUG, "debug")
info = _at(INFO, "info")
warn = _at(WARN, "warn")
warning = _at(WARN, "warning")
error = _at(ERROR, "error")
fatal = _at(FATAL, "fatal")


def log_if(level: int, msg: str, condition: Any, *args: Any) -> None:
    """Log a message if a condition holds."""
    if condition:
        log(level, msg, *args)


_counts: Final[dict[str, int]] = {}


def _count(msg: str) -> int:
    """How often a message has come before."""
    _counts[msg] = _counts.get(msg, -1) + 1
    return _counts[msg]


def log_every_n(level: int, msg: str, n: int, *args: Any) -> None:
    """Log a message the first time, and then each ``n``-th time."""
    log_if(level, msg, _count(msg) % n == 0, *args)


def log_first_n(level: int, msg: str, n: int, *args: Any) -> None:
    """Log a message the first ``n`` times."""
    log_if(level, msg, _count(msg) < n, *args)


def set_verbosity(v: int) -> None:
    """Log messages of this level and above."""
    _logger().setLevel(v)


def get_verbosity() -> int:
    """The lowest level that is logged; at the beginning `WARN`, as TensorFlow's."""
    return _logger().getEffectiveLevel()
