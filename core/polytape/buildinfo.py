"""Whether the kernel ring runs compiled, and whether what was compiled is still what the sources say.

Never compiled itself, and imported first: it must run where the compiled files are wrong.
"""

from __future__ import annotations

import _imp
import os
import sys

from .errors import PolytapeError

__all__ = ["StaleBuildError", "check_stale", "compiled", "description"]

_FOLDER = os.path.dirname(os.path.abspath(__file__))
# The module whose state stands for the ring's: all of it is compiled, or nothing (setup.py).
_WITNESS = ("tensors", "tensor")
# Where setup.py puts compiled files.
_ROOMS = ("", "checkpoint", "registry", "placement", "tensors", "autodiff", "dispatch", "state")


class StaleBuildError(PolytapeError, ImportError):
    """A compiled file of the checkout is older than its source, so editing the source had no effect."""


def compiled() -> bool:
    """Whether the kernel ring of this process is compiled.

    Where it is not imported yet: whether it will be.
    """
    module = sys.modules.get(".".join((__package__, *_WITNESS)))
    if module is not None:
        return not str(module.__file__).endswith(".py")
    return any(os.path.exists(os.path.join(_FOLDER, *_WITNESS) + suffix) for suffix in _imp.extension_suffixes())


def description() -> str:
    """One line for `polytape doctor`: which ring runs, and from where."""
    kind = "compiled by mypyc" if compiled() else "pure Python"
    return f"kernel ring: {kind} ({_FOLDER})"


def check_stale(folder: str = _FOLDER) -> None:
    """Refuse to run compiled files of a checkout that are older than their sources, or have none.

    An installed wheel is left alone: its files' times say when they were unpacked, and nobody edits them.

    Args:
        folder: the package's folder, ``core/polytape`` of a checkout.

    Raises:
        StaleBuildError: naming the first such file.
    """
    root = os.path.dirname(os.path.dirname(folder))
    if not os.path.exists(os.path.join(root, "pyproject.toml")):
        return
    suffix = _imp.extension_suffixes()[0]  # other versions' files beside ours are not loaded
    for room in _ROOMS:
        if not os.path.isdir(os.path.join(folder, room)):
            continue
        with os.scandir(os.path.join(folder, room)) as entries:
            built = [entry for entry in entries if entry.name.endswith(suffix)]
        for entry in built:
            source = entry.path.removesuffix(suffix) + ".py"
            try:
                fresh = os.stat(source).st_mtime_ns <= entry.stat().st_mtime_ns
            except FileNotFoundError:
                fresh = False
            if not fresh:
                raise _stale(source, entry.path, root)


def _stale(source: str, built: str, root: str) -> StaleBuildError:
    changed = "is newer" if os.path.exists(source) else "is gone"
    return StaleBuildError(
        f"polytape's compiled kernel ring is out of date: {os.path.relpath(source, root)} {changed}.",
        expected="every compiled file newer than its source",
        got=f"{os.path.relpath(built, root)} from an earlier build",
        fix="POLYTAPE_COMPILE=1 pip install -e . again, or delete core/polytape/**/*.so (*.pyd) and run as Python",
    )
