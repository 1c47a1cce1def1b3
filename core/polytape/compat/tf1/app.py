"""TensorFlow 1.7's ``tf.app``: how programs start."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from . import flags
from .tables import Table

__all__ = ["run"]

TABLE = Table("app", adapters={"app": ("run",)}, values={"flags": flags})


def run(main: Callable[[list[str]], Any] | None = None, argv: Sequence[str] | None = None) -> NoReturn:
    """Read the options of ``tf.flags``, call ``main(argv)`` with what is left, and end the process with its result.

    Args:
        main: default: ``main`` of the program.
        argv: default: the command line.
    """
    called: Any = sys.modules["__main__"].main if main is None else main
    sys.exit(called(flags.FLAGS(list(sys.argv if argv is None else argv))))


def __getattr__(name: str) -> Any:
    return TABLE.find(name)
