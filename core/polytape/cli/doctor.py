"""Report on this installation: versions, settings, the backend that would be chosen and why, and what is not ready.

The exit status is 1 if the requested backend is not ready, so the command can serve as a check before a deployment.
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
        return "not installed: running from a source tree"


def _chosen() -> dict[str, Any]:
    """The backend of new tensors, or why there is none."""
    try:
        backend = current_backend()
    except PolytapeError as error:
        return {"ready": False, "error": str(error)}
    return {
        "ready": True,
        "name": backend.name,
        "version": backend.version,
        "library": backend.library,
        "device": str(backend.device),
        "chosen_by": backend.chosen_by,
    }


def _collect() -> tuple[dict[str, Any], list[BackendStatus]]:
    import numpy

    # First, because backends() loads every plugin, which the choice alone does not.
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
        "warnings": [f"POLYTAPE_PLUGINS: no plugin matches {item!r}" for item in plugins.warnings_of_filter()],
    }
    return facts, statuses


def _text(facts: dict[str, Any], statuses: list[BackendStatus]) -> str:
    chosen = facts["chosen"]
    lines = [f"{name:<12}{facts[name]}" for name in ("polytape", "plugin_api", "python", "platform", "numpy")]
    lines.append(facts["kernel_ring"])
    lines += [f"{name}={value}" for name, value in facts["settings"].items()] or ["no POLYTAPE_* settings"]
    if chosen["ready"]:
        lines.append(f"new tensors: {chosen['device']}, chosen by {chosen['chosen_by']}")
    else:
        lines += ["new tensors: the requested backend is not ready", chosen["error"]]
    lines += [*facts["warnings"], "", table(statuses)]
    return "\n".join(lines)


def _tracebacks(statuses: list[BackendStatus]) -> str:
    failed = [status for status in statuses if status.traceback]
    return "\n".join(f"\nlast error of {status.name}:\n{status.traceback.rstrip()}" for status in failed)


def run(arguments: argparse.Namespace) -> int:
    """Print the report; return 1 if the requested backend is not ready or the file cannot be written."""
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
