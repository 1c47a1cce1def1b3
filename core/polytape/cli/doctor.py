"""Report on this installation: versions, settings, the backend that would be chosen and why, and what is not ready.

The exit status is 1 where the requested backend is not ready, so that it serves as a check before a deployment.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from .. import buildinfo, plugins
from ..backend import API_VERSION
from ..errors import PolytapeError
from ..placement.default_backend import current_backend
from ..plugins.statuses import BackendStatus
from .backends import as_json, table

__all__ = ["add_arguments", "run", "version"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("--report", metavar="FILE", type=Path, help="also write the text, with tracebacks, to FILE")


def version() -> str:
    """polytape's version, from its distribution."""
    from importlib import metadata

    try:
        return metadata.version("polytape")
    except metadata.PackageNotFoundError:
        return "not installed: run from its sources"


def _chosen() -> dict[str, Any]:
    """The backend new tensors go to, or why there is none."""
    try:
        now = current_backend()
    except PolytapeError as error:
        return {"ready": False, "error": str(error)}
    return {
        "ready": True,
        "name": now.name,
        "version": now.version,
        "library": now.library,
        "device": str(now.device),
        "chosen_by": now.chosen_by,
    }


def _collect() -> tuple[dict[str, Any], list[BackendStatus]]:
    import numpy

    # Chosen before the statuses are asked for: those load everything, which the choice alone would not.
    chosen = _chosen()
    statuses = plugins.backends()
    facts = {
        "polytape": version(),
        "plugin_api": API_VERSION,
        "kernel_ring": buildinfo.description(),
        "compiled": buildinfo.compiled(),
        "python": f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})",
        "platform": platform.platform(),
        "numpy": numpy.__version__,
        "settings": {name: value for name, value in sorted(os.environ.items()) if name.startswith("POLYTAPE_")},
        "chosen": chosen,
        "backends": [{**as_json(status), "traceback": status.traceback} for status in statuses],
        "warnings": [f"POLYTAPE_PLUGINS: no plugin fits {item!r}" for item in plugins.warnings_of_filter()],
    }
    return facts, statuses


def _text(facts: dict[str, Any], statuses: list[BackendStatus]) -> str:
    chosen = facts["chosen"]
    lines = [f"{name:<12}{facts[name]}" for name in ("polytape", "plugin_api", "python", "platform", "numpy")]
    lines.append(facts["kernel_ring"])
    lines += [f"{name}={value}" for name, value in facts["settings"].items()] or ["no POLYTAPE_* setting"]
    if chosen["ready"]:
        lines.append(f"new tensors: {chosen['device']}, chosen by {chosen['chosen_by']}")
    else:
        lines += ["new tensors: the requested backend is not ready", chosen["error"]]
    lines += [*facts["warnings"], "", table(statuses)]
    return "\n".join(lines)


def _tracebacks(statuses: list[BackendStatus]) -> str:
    return "\n".join(f"\nlast error of {s.name}:\n{s.traceback.rstrip()}" for s in statuses if s.traceback)


def run(arguments: argparse.Namespace) -> int:
    """Print the report; 1 where the requested backend is not ready, or the file cannot be written."""
    facts, statuses = _collect()
    full = _text(facts, statuses) + "\n" + _tracebacks(statuses)
    print(json.dumps(facts, indent=2) if arguments.json else full.rstrip())
    if arguments.report is not None:
        try:
            arguments.report.write_text(full.rstrip() + "\n", encoding="utf-8")
        except OSError as error:
            print(f"polytape doctor: {arguments.report} cannot be written: {error}", file=sys.stderr)
            return 1
    return 0 if facts["chosen"]["ready"] else 1
