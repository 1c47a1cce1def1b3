"""Whether the kernel ring runs compiled, and whether its compiled files are up to date.

This module is never compiled and is imported first, so that it works even if the compiled files are broken.
"""

from __future__ import annotations

import _imp
import os
import sys

from .errors import PolytapeError

__all__ = ["StaleBuildError", "check_stale", "compiled", "description"]

_FOLDER = os.path.dirname(os.path.abspath(__file__))
# One module of the ring; either all of them are compiled or none (setup.py).
_WITNESS = ("tensors", "tensor")
# The folders in which setup.py puts compiled files, besides those of the backends' kernels.
_ROOMS = ("", "checkpoint", "registry", "placement", "tensors", "autodiff", "dispatch", "state")


class StaleBuildError(PolytapeError, ImportError):
    """A compiled file of the checkout is older than its source, so that editing the source has no effect."""


def compiled() -> bool:
    """Whether the kernel ring runs compiled in this process.

    If it is not imported yet: whether it will run compiled.
    """
    module = sys.modules.get(".".join((__package__, *_WITNESS)))
    if module is not None:
        return not str(module.__file__).endswith(".py")
    return any(os.path.exists(os.path.join(_FOLDER, *_WITNESS) + suffix) for suffix in _imp.extension_suffixes())


def description() -> str:
    """One line for `polytape doctor`: whether the ring runs compiled, and its folder."""
    mode = "compiled by mypyc" if compiled() else "pure Python"
    return f"kernel ring: {mode} ({_FOLDER})"


def check_stale(folder: str = _FOLDER) -> None:
    """Reject compiled files of a checkout that are older than their sources or have no source.

    An installed package is not checked: its files' times only show when it was unpacked, and nobody edits the files.

    Args:
        folder: the package's folder, ``core/polytape`` in a checkout.

    Raises:
        StaleBuildError: there is such a file; the error names the first one.
    """
    root = os.path.dirname(os.path.dirname(folder))
    if not os.path.exists(os.path.join(root, "pyproject.toml")):
        return
    suffix = _imp.extension_suffixes()[0]  # files for other Python versions are never loaded
    folders = [os.path.join(folder, room) for room in _ROOMS]
    backends = os.path.join(root, "backends")
    folders += [os.path.join(backend.path, f"polytape_{backend.name}", "kernels") for backend in _entries(backends)]
    for place in folders:
        built = [entry for entry in _entries(place) if entry.name.endswith(suffix)]
        for entry in built:
            source = entry.path.removesuffix(suffix) + ".py"
            try:
                up_to_date = os.stat(source).st_mtime_ns <= entry.stat().st_mtime_ns
            except FileNotFoundError:
                up_to_date = False
            if not up_to_date:
                raise _stale(source, entry.path, root)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    if not os.path.isdir(folder):
        return []
    with os.scandir(folder) as entries:
        return list(entries)


def _stale(source: str, built: str, root: str) -> StaleBuildError:
    problem = "is newer" if os.path.exists(source) else "does not exist"
    return StaleBuildError(
        f"polytape's compiled kernel ring is out of date: {os.path.relpath(source, root)} {problem}.",
        expected="no compiled file older than its source",
        got=f"{os.path.relpath(built, root)} from an earlier build",
        fix="run `POLYTAPE_COMPILE=1 pip install -e .` again, or delete the *.so (*.pyd) in core and backends",
    )
