"""Enable the stand-in for cupy, so that the backend `cupy` is ready in this process or in a child process.

In this process, call ``enable()`` (a conftest can load this file by its path). For a child process, put ``STAND_IN`` on
its PYTHONPATH; its environment variable ``CUPY_STAND_IN`` selects a simulated failure (see stand_in/standin_cuda.py).
"""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

STAND_IN = Path(__file__).parent / "stand_in"

__all__ = ["STAND_IN", "cupy_is_installed", "enable", "load_separately"]


def cupy_is_installed() -> bool:
    """Whether cupy itself is installed."""
    spec = find_spec("cupy")
    return spec is not None and not (spec.origin or "").startswith(str(STAND_IN))


def enable() -> bool:
    """Make `import cupy` import the stand-in, and make the backend `cupy` ready. Further calls have no effect.

    Returns:
        Whether the stand-in is used: False if cupy itself is installed.
    """
    if cupy_is_installed():
        return False
    if str(STAND_IN) not in sys.path:
        sys.path.append(str(STAND_IN))
        importlib.invalidate_caches()
    import polytape as pt
    from polytape.plugins import get_backend, installed

    if any(entry.name == "cupy" for entry in installed()):
        get_backend("cupy")
    elif not any(status.name == "cupy" and status.status == "ready" for status in pt.backends()):
        from polytape_cupy.plugin import polytape_backend

        pt.register_backend(polytape_backend())
    return True


def load_separately() -> ModuleType:
    """The stand-in as a module with another name, to compare it with an installed cupy."""
    if str(STAND_IN) not in sys.path:
        sys.path.append(str(STAND_IN))  # last, so that `import cupy` still finds cupy itself
    spec = spec_from_file_location("polytape_tests_cupy", STAND_IN / "cupy.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
