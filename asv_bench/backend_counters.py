"""What the panel of `polytape perf` costs on one backend, counted: opcodes, allocations, and calls of its own kernels.

``<backend>.<case>`` has the three counts, or only kernels where the opcodes of two calls differ, such as with a thread;
``<backend>.native`` lists the ops for which the backend has kernels. The opcodes are those of polytape's and the
backend's own files, so they do not depend on NumPy's version; allocations do.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
from collections import Counter
from pathlib import Path
from typing import Any, Final

__all__ = ["BACKENDS", "backend_counters", "own_folders", "steady_opcodes"]

# Backend -> the value of POLYTAPE_PLUGINS that loads its distribution and no other.
BACKENDS: Final = {"numpy": "none", "numba": "none", "sim": "polytape-sim"}
# The first calls fill caches; only later calls are counted.
WARM_UP: Final = 4

Counters = dict[str, Any]


def backend_counters(backend: str) -> Counters:
    """The counters of a backend; only ``<backend>.missing``, with the reason, if it cannot be used."""
    import gc  # late, as all that `import polytape` loads too: counters.py counts the modules that it loads

    import polytape as pt
    from polytape_perf.cases import selected

    status = {status.name: status for status in pt.backends()}.get(backend)
    if status is None or status.status != "ready" or not status.devices:
        return {f"{backend}.missing": (status and status.reason) or "it is not installed"}
    kind = status.devices[0].kind
    counters: Counters = {f"{backend}.native": sorted({k.op for k in pt.get_backend(backend).all_kernels()})}
    gc.disable()  # a collection in the middle of a call would run callbacks
    for case in [case for case in selected("panel") if case.counted]:
        try:
            counters[f"{backend}.{case.name}"] = counted(case, backend, kind)
        except Exception as error:  # whatever it is, it is what the case does on this backend
            counters[f"{backend}.{case.name}"] = f"fails with {type(error).__name__}"
        gc.collect()
    return counters


def counted(case: Any, backend: str, kind: str) -> Counters:
    """The counts of one case; without llvmlite, there are no allocations."""
    import polytape as pt
    from polytape_perf.allocations import allocations
    from polytape_perf.measures import counting_backend

    ran: Counter[str] = Counter()
    with pt.register_backend(counting_backend("counting", backend, ran)), pt.device(f"counting:{kind}"):
        call = case.make(f"counting:{kind}")
        for _ in range(WARM_UP):
            call()
        ran.clear()
        call()
    with pt.device(f"{backend}:{kind}"):
        call = case.make(f"{backend}:{kind}")
        counts = {"kernels": ran.total()}
        with contextlib.suppress(RuntimeError):
            counts["opcodes"] = steady_opcodes(case.name, call, backend)
            allocated = allocations(call)
            if allocated is not None:
                counts = {"allocations": allocated, **counts}
    return counts


def steady_opcodes(name: str, call: Any, backend: str = "numpy") -> int:
    """Opcodes of one call after the warm-up.

    Raises:
        RuntimeError: two calls in a row run different numbers of opcodes.
    """
    from polytape_perf.measures import opcodes

    for _ in range(WARM_UP):
        call()
    own = own_folders(backend)
    first, second = opcodes(call, own), opcodes(call, own)
    if first != second:
        raise RuntimeError(f"{name} is not steady after {WARM_UP} calls: {first} opcodes, then {second}")
    return first


def own_folders(backend: str = "numpy") -> tuple[str, ...]:
    """The folders whose opcodes are counted: polytape, NumPy's backend, and the backend."""
    names = dict.fromkeys(("polytape", "polytape_numpy", f"polytape_{backend}"))
    specs = [importlib.util.find_spec(name) for name in names]
    # The separator keeps polytape_perf out, which an installed polytape has beside it.
    return tuple(f"{Path(spec.origin).parent}{os.sep}" for spec in specs if spec is not None and spec.origin)
