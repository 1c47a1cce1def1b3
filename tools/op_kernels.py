"""The kernels of polytape's own backends, op by op, as a table for the site.

numpy and numba are asked for their kernels. cupy is not installed where the site is built, so its kernels are listed on
the stand-in that its tests use, which has cupy's names and signatures.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from pathlib import Path

from polytape.backend import Kernel
from polytape.registry.op import Op

__all__ = ["table"]

STAND_IN = Path(__file__).resolve().parent.parent / "tests" / "backends" / "cupy" / "stand_in"


@cache
def kernels() -> dict[str, dict[str, list[Kernel]]]:
    """The kernels by backend and op.

    Raises:
        SystemExit: numba is not installed.
    """
    if STAND_IN.as_posix() not in sys.path:
        sys.path.append(STAND_IN.as_posix())  # last: an installed cupy is found first
    lists: dict[str, list[Kernel]] = {}
    for name in ("numpy", "numba"):
        backend = importlib.import_module(f"polytape_{name}.plugin").polytape_backend()
        probe = backend.probe()
        if not probe.ready:
            raise SystemExit(
                f"the site lists the kernels of {name}, which is not ready: {probe.reason}; {probe.remedy}"
            )
        lists[name] = backend.all_kernels()
    cupy = importlib.import_module("cupy")
    lists["cupy"] = importlib.import_module("polytape_cupy.kernels").kernels(cupy, 1)
    found: dict[str, dict[str, list[Kernel]]] = {}
    for name, listed in lists.items():
        by_op = found.setdefault(name, {})
        for kernel in listed:
            by_op.setdefault(kernel.op, []).append(kernel)
    return found


def table(op: Op) -> str:
    """What runs for an op on each backend, as a Markdown table."""
    found = kernels()
    without = {"numpy": "the decomposition", "numba": "numpy's kernel", "cupy": "the decomposition"}
    if op.primitive:
        without["cupy"] = "missing"
    elif op.name not in found["numpy"]:
        without["numba"] = "the decomposition"
    rows = ["| backend | kernel | dtypes | only if | options |", "|---|---|---|---|---|"]
    for name, by_op in found.items():
        listed = sorted(by_op.get(op.name, []), key=lambda kernel: -kernel.priority)
        rows += [_row(name, kernel) for kernel in listed]
        if not listed:
            rows.append(f"| {name} | {without[name]} | | | |")
    return "\n".join(rows)


def _row(backend: str, kernel: Kernel) -> str:
    function = getattr(kernel.fn, "__name__", type(kernel.fn).__name__)
    dtypes = ", ".join(f"`{entry}`" if isinstance(entry, str) else f"`({', '.join(entry)})`" for entry in kernel.dtypes)
    predicate = f"`{getattr(kernel.when, '__name__', 'predicate')}`" if kernel.when is not None else ""
    options = [
        f"priority {kernel.priority}" if kernel.priority else "",
        "unchecked" if not kernel.checked else "",
        f"writes {', '.join(f'`{name}`' for name in kernel.writes)}" if kernel.writes else "",
        "takes `out`" if kernel.out else "",
        "atomic" if kernel.atomic else "",
        f"on {', '.join(kernel.devices)}" if kernel.devices else "",
    ]
    shown = ", ".join(option for option in options if option)
    return f"| {backend} | `{function}` | {dtypes} | {predicate.replace('`<lambda>`', 'a predicate holds')} | {shown} |"
