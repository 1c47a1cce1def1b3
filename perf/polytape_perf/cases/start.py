"""In fresh processes: the import, discovery among many installed distributions, and the first results."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final

from .case import Call, Case, Skipped

__all__ = ["CASES"]

FIRST_OP: Final = """\
import polytape as pt
assert (pt.asarray([1.0], device={device!r}) + 1.0).numpy()[0] == 2.0
"""
FIRST_TRACED: Final = """\
import polytape as pt
x = pt.asarray([1.0, 2.0], device={device!r})
assert pt.function(lambda x: pt.sum(x * x + 1.0))(x).numpy() == 7.0
"""


def _fresh(code: str, folder: str = "") -> Call:
    """A call that runs code in a new process, with this process's modules, and those of a folder."""
    # Only what is not on a new process's path anyway: distributions that are found twice would be read twice.
    own = [path for path in sys.path if path and "site-packages" not in path and not path.startswith(sys.base_prefix)]
    paths = [path for path in (folder, *own) if path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # with it, modules that are in no cache are compiled each time

    def call() -> object:
        return subprocess.run([sys.executable, "-c", code], check=True, env=environment, capture_output=True)

    call()  # the code asserts its result; and bytecode and compiled kernels are cached now
    return call


def _on_device(code: str) -> Callable[[str], Call]:
    return lambda device: _fresh(code.format(device=device))


def _once(make: Callable[[str], Call]) -> Callable[[str], Call]:
    """A case that depends on no device."""

    def made(device: str) -> Call:
        if device.partition(":")[0] != "numpy":
            raise Skipped("it is the same on every device; see numpy")
        return make(device)

    return made


def discovery(distributions: int) -> Callable[[str], Call]:
    """The first tensor, for which the metadata of all installed distributions is searched for plugins."""

    def make(device: str) -> Call:
        folder = tempfile.mkdtemp(prefix="polytape-perf-")
        for number in range(distributions):
            info = Path(folder, f"other_{number}-1.0.dist-info")
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: other-{number}\nVersion: 1.0\n")
            (info / "entry_points.txt").write_text(f"[console_scripts]\nother-{number} = other_{number}:main\n")
        call = _fresh(FIRST_OP.format(device=device), folder)
        weakref.finalize(call, shutil.rmtree, folder, ignore_errors=True)
        return call

    return _once(make)


CASES: Final = (
    Case("start/import_numpy", _once(_on_device("import numpy")), counted=False),
    Case("start/import_polytape", _once(_on_device("import polytape")), counted=False),
    *(Case(f"start/discovery_{count}", discovery(count), counted=False) for count in (0, 50, 200)),
    Case("start/first_op", _on_device(FIRST_OP), counted=False),
    Case("start/first_traced", _on_device(FIRST_TRACED), counted=False),
)
