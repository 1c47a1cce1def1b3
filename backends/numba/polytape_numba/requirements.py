"""Whether what numba needs is installed, read from its metadata. Importing it would tell too, but takes 0.3 s.

numba refuses to be imported with a NumPy that it does not support, and its metadata states the same versions.
"""

from __future__ import annotations

import os
import platform
import re
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from typing import Final

import numpy as np

__all__ = ["admits", "unmet"]

_MOST_NBYTES: Final = 65536  # of the metadata that are read; the requirements are in its first lines
_CLAUSE: Final = re.compile(r"(<=|>=|==|!=|~=|<|>)\s*([0-9]+(?:\.[0-9]+)*)(\.\*)?")


def unmet(metadata: str) -> str:
    """Why numba cannot be imported here, or "" if nothing is known to prevent it.

    Args:
        metadata: the folder of numba's metadata, beside the package.
    """
    site, name = os.path.split(metadata)
    numba = name.removesuffix(".dist-info").replace("-", " ")
    package = os.path.join(site, "numba")
    if not any(os.path.exists(os.path.join(package, f"_dispatcher{suffix}")) for suffix in EXTENSION_SUFFIXES):
        return f"{numba} is not built for this Python, {platform.python_version()}"
    try:
        with open(os.path.join(metadata, "METADATA"), "rb") as file:
            lines = file.read(_MOST_NBYTES).decode("utf-8", "replace").partition("\n\n")[0].splitlines()
    except OSError:
        return ""
    for line in lines:
        key, _, value = line.partition(":")
        wanted = value.strip()
        if ";" in wanted:
            continue  # it holds only on some systems, or for an extra
        if key == "Requires-Python" and not admits(wanted, platform.python_version()):
            return f"{numba} needs Python {wanted}; this is {platform.python_version()}"
        if key == "Requires-Dist" and re.match(r"numpy\b", wanted) and not admits(wanted, np.__version__):
            return f"{numba} needs {wanted}; installed is numpy {np.__version__}"
        if key == "Requires-Dist" and re.match(r"llvmlite\b", wanted):
            installed = _installed("llvmlite", site)
            if not installed:
                return f"{numba} needs {wanted}, which is not installed"
            if not admits(wanted, installed):
                return f"{numba} needs {wanted}; installed is llvmlite {installed}"
    return ""


def _installed(package: str, site: str) -> str:
    """The version of an installed package, "?" if it is not known, or "" if the package is not installed.

    It is looked for beside numba first, because find_spec takes 0.1 ms.
    """
    names = os.listdir(site)
    if package not in names:
        spec = find_spec(package)
        if spec is None or not spec.origin:
            return ""
        names = os.listdir(os.path.dirname(os.path.dirname(spec.origin)))
    versions = [name.removeprefix(f"{package}-") for name in names if name.startswith(f"{package}-")]
    return next((name.removesuffix(".dist-info") for name in versions if name.endswith(".dist-info")), "?")


def admits(requirement: str, version: str) -> bool:
    """Whether a requirement such as ``numpy<2.6,>=1.22`` admits a version. What cannot be read is taken as admitted.

    Only the numbers of releases are compared, as numba does itself: 2.6.0rc1 counts as 2.6.
    """
    have = _release(version)
    if have is None:
        return True
    for operator, text, star in _CLAUSE.findall(requirement):
        want = _release(text) or ()
        width = len(want) if star else max(len(have), len(want))
        a, b = (tuple([*release, *[0] * width][:width]) for release in (have, want))
        compatible = a >= b and a[: len(want) - 1] == b[: len(want) - 1]
        met = {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b, "!=": a != b, "~=": compatible}
        if not met[operator]:
            return False
    return True


def _release(version: str) -> tuple[int, ...] | None:
    match = re.match(r"[0-9]+(\.[0-9]+)*", version)
    return None if match is None else tuple(map(int, match[0].split(".")))
