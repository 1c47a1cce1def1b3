"""The option --module of commands: modules that register a backend when they are imported."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback

from ..errors import PluginError, PolytapeError

__all__ = ["add_modules", "import_modules"]


def add_modules(parser: argparse.ArgumentParser) -> None:
    """Declare the option."""
    parser.add_argument(
        "--module",
        metavar="MODULE",
        action="append",
        default=[],
        help="module to import first, found in the current folder too, which registers the backend; can be repeated",
    )


def import_modules(modules: list[str]) -> None:
    """Import the modules.

    Raises:
        PluginError: a module cannot be imported.
    """
    if modules:
        sys.path.insert(0, os.getcwd())
    for name in modules:
        try:
            importlib.import_module(name)
        except PolytapeError:
            raise
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            raise PluginError(
                f"--module {name} cannot be imported: {type(error).__name__}: {error}",
                expected="a module that registers a backend, with polytape.register_backend(...)",
                got=f"the error in line {frame.lineno} of {frame.filename}" if name in frame.filename else repr(name),
                fix="correct the module, or its name",
            ) from None
