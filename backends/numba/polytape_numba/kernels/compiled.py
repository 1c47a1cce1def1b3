"""The compiled loops, imported when a kernel first runs."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Final

from polytape.errors import BackendError

__all__ = ["LARGE", "loops"]

# Elements. The loops are ahead of numpy from one row of ten on; below this they save at most 10 us a call, and
# importing numba takes as long as 30,000 such savings.
LARGE: Final = 256


@cache
def loops() -> ModuleType:
    """The module `polytape_numba.loops`.

    The first call in a process takes 0.3 s to import numba; each loop is then compiled (1 to 3 s) or read from
    numba's cache at its own first call.

    Raises:
        BackendError: numba is installed and cannot be imported, for example beside a NumPy newer than it knows.
    """
    try:
        from .. import loops as module
    except ImportError as error:
        raise BackendError(
            "backend 'numba' cannot compile: importing numba failed.",
            expected="a numba that works with the NumPy installed",
            got=f"{type(error).__name__}: {error}",
            fix="pip install --upgrade 'polytape[numba]', or use the backend numpy",
        ) from error
    return module
