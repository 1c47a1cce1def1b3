"""The plugin hook that returns the Numba backend. numba itself is imported when one of its kernels first runs."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Final

import polytape
from polytape.backend import Backend, Cluster, Compiled, Probe

from .kernels import late
from .requirements import unmet

__all__ = ["polytape_backend"]

_INSTALL: Final = "pip install 'polytape[numba]'"
_UPGRADE: Final = "pip install --upgrade 'polytape[numba]'"


@polytape.hookimpl
def polytape_backend() -> Backend:
    """The backend ``numba``: the device and arrays of ``numpy``, with compiled kernels where they are faster."""
    spec = find_spec("numba")
    site = os.path.dirname(os.path.dirname(spec.origin)) if spec is not None and spec.origin else ""
    metadata = _metadata(site) if site else ""
    return Backend(
        name="numba",
        version=getattr(polytape, "__version__", ""),
        library=f"numba {os.path.basename(metadata).removeprefix('numba-').removesuffix('.dist-info')}".rstrip(),
        extends="numpy",
        late_kernels=late(),
        compile=_compile,
        probe=lambda: _probe(site, metadata),
        rank=10,
    )


def _compile(cluster: Cluster) -> Compiled | None:
    from .compiling import compile_cluster  # on first use: most programs trace nothing

    return compile_cluster(cluster)


def _metadata(site: str) -> str:
    """The folder of numba's metadata in ``site``, or ""; a search by importlib.metadata would take 15 ms."""
    for name in os.listdir(site):
        if name.startswith("numba-") and name.endswith(".dist-info"):
            return os.path.join(site, name)
    return ""


def _probe(site: str, metadata: str) -> Probe:
    """Whether numba can be imported, found out without importing it: that takes 0.3 s."""
    if not site:
        return Probe(False, "numba is not installed", _INSTALL, "absent")
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return Probe(
            False,
            "NUMBA_DISABLE_JIT is set, so numba does not compile",
            "unset NUMBA_DISABLE_JIT, or use the backend numpy",
            "import-failed",
        )
    reason = unmet(metadata) if metadata else ""
    return Probe(False, reason, f"{_UPGRADE}, or use the backend numpy", "import-failed") if reason else Probe()
