"""Switches the stand-in for cupy on, so that the backend `cupy` is ready in this process or in a child.

In this process: ``enable()`` (a conftest can load this file by its path). In a child: put ``STAND_IN`` on its
PYTHONPATH; ``CUPY_STAND_IN`` then says how the pretend machine fails (see stand_in/standin_cuda.py).
"""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

STAND_IN = Path(__file__).parent / "stand_in"

__all__ = ["STAND_IN", "enable", "face", "real"]


def real() -> bool:
    """Whether cupy itself is installed here."""
    spec = find_spec("cupy")
    return spec is not None and not (spec.origin or "").startswith(str(STAND_IN))


def enable() -> bool:
    """Make `import cupy` find the stand-in, and the backend ready; once is enough.

    Returns:
        False where cupy itself is installed, which is then left alone.
    """
    if real():
        return False
    if str(STAND_IN) not in sys.path:
        sys.path.append(str(STAND_IN))
        importlib.invalidate_caches()
    import polytape as pt
    from polytape.plugins import get_backend, installed

    if any(resolution.name == "cupy" for resolution in installed()):
        get_backend("cupy")
    elif not any(status.name == "cupy" and status.status == "ready" for status in pt.backends()):
        from polytape_cupy.plugin import polytape_backend

        pt.register_backend(polytape_backend())
    return True


def face() -> ModuleType:
    """The stand-in's module under another name, to be compared with cupy itself where that is installed."""
    if str(STAND_IN) not in sys.path:
        sys.path.append(str(STAND_IN))  # last: cupy itself stays the first
    spec = spec_from_file_location("polytape_tests_cupy", STAND_IN / "cupy.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
