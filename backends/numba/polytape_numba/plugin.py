"""The plugin hook that returns the Numba backend. numba itself is imported when one of its kernels first runs."""

from __future__ import annotations

import os
from importlib.util import find_spec

import polytape
from polytape.backend import Backend, Probe

from .kernels import late

__all__ = ["polytape_backend"]

_INSTALL = "pip install 'polytape[numba]'"


@polytape.hookimpl
def polytape_backend() -> Backend:
    """The backend ``numba``: the device and arrays of ``numpy``, with compiled kernels where they are faster."""
    return Backend(
        name="numba",
        version=getattr(polytape, "__version__", ""),
        library=f"numba {_version()}".rstrip(),
        extends="numpy",
        late_kernels=late(),
        probe=_probe,
        rank=10,
    )


def _origin() -> str:
    """The path that numba would be imported from, or "" if it is not installed."""
    spec = find_spec("numba")
    return (spec.origin or "") if spec is not None else ""


def _probe() -> Probe:
    if not _origin():
        return Probe(False, "numba is not installed", _INSTALL, "absent")
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return Probe(
            False,
            "NUMBA_DISABLE_JIT is set, so numba does not compile",
            "unset NUMBA_DISABLE_JIT, or use the backend numpy",
            "import-failed",
        )
    return Probe()


def _version() -> str:
    """numba's version, read from the name of its dist-info directory: importing importlib.metadata takes 15 ms."""
    origin = _origin()
    if not origin:
        return ""
    for name in sorted(os.listdir(os.path.dirname(os.path.dirname(origin)))):
        if name.startswith("numba-") and name.endswith(".dist-info"):
            return name.removeprefix("numba-").removesuffix(".dist-info")
    return ""
