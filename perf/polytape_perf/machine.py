"""The machine record: what a time depends on besides the code. A change of any of it starts a new series of times."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any, Final

import numpy as np

__all__ = ["record", "series"]

# Distributions whose versions are part of the record, besides those that provide backends.
_LIBRARIES: Final = ("numpy", "numba", "llvmlite", "cupy-cuda12x", "optree", "pluggy")
_CPU: Final = Path("/proc/cpuinfo")
_GOVERNOR: Final = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


def record() -> dict[str, Any]:
    """Processor, its flags, BLAS, governor, GPU and driver, Python, libraries, and a hash of all versions."""
    cpu = _CPU.read_text(encoding="utf-8") if _CPU.exists() else ""
    flags = sorted(_field(cpu, "flags").split())
    versions = {name: _version(name) for name in _LIBRARIES if _version(name)}
    build: Any = np.show_config(mode="dicts")  # type: ignore[call-overload, unused-ignore]  # newer stubs know it
    blas = build.get("Build Dependencies", {}).get("blas", {})
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _field(cpu, "model name") or platform.processor(),
        "cpus": os.cpu_count(),
        "flags": _hash(" ".join(flags)),
        "vector": [flag for flag in ("avx2", "avx512f", "avx512_bf16", "asimd", "sve") if flag in flags],
        "blas": f"{blas.get('name', '')} {blas.get('version', '')}".strip(),
        "governor": _GOVERNOR.read_text(encoding="utf-8").strip() if _GOVERNOR.exists() else "",
        "gpu": _gpu(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": versions,
        "lock": _hash(json.dumps(sorted(f"{x.name}=={x.version}" for x in importlib.metadata.distributions()))),
    }


def series(machine: dict[str, Any]) -> str:
    """A short name for times that can be compared with each other.

    The hash of all versions is left out of it: a new version of a tool that measures nothing is no new series.
    """
    return _hash(json.dumps({key: value for key, value in machine.items() if key != "lock"}, sort_keys=True))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _field(text: str, name: str) -> str:
    found = re.search(rf"^{name}\s*: (.*)$", text, re.MULTILINE)
    return found[1] if found else ""


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _gpu() -> str:
    query = ["nvidia-smi", "--query-gpu=name,driver_version,clocks.applications.graphics", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
