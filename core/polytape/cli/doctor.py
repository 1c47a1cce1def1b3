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

from .. import buildinfo
from ..backend import API_VERSION
from ..placement.choosing import unknown_variables
from .backends import add_timeout, table
from .survey import survey

__all__ = ["add_arguments", "run", "version"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("--report", metavar="FILE", type=Path, help="also write the text, with tracebacks, to FILE")
    add_timeout(parser)


def version() -> str:
    """polytape's version, from its distribution."""
    from importlib import metadata

    try:
        return metadata.version("polytape")
    except metadata.PackageNotFoundError:
        return "not installed: running from a source tree"


def _collect(limit_s: float) -> dict[str, Any]:
    import numpy

    found = survey(limit_s, choose=True)
    settings = {name: value for name, value in sorted(os.environ.items()) if name.startswith("POLYTAPE_")}
    chosen = found["chosen"]
    return {
        "polytape": version(),
        "plugin_api": API_VERSION,
        "kernel_ring": buildinfo.description(),
        "compiled": buildinfo.compiled(),
        "python": f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})",
        "platform": platform.platform(),
        "numpy": numpy.__version__,
        "settings": settings,
        "chosen": {name: value for name, value in chosen.items() if name != "warnings"},
        "backends": found["backends"],
        "warnings": [
            *chosen["warnings"],
            *[f"POLYTAPE_PLUGINS: no plugin matches {item!r}" for item in found["unmatched"]],
            *_unknown(settings, [status["name"] for status in found["backends"]]),
            *found["problems"],
        ],
    }


def _unknown(settings: dict[str, str], backends: list[str]) -> list[str]:
    """What to say about variables that neither polytape reads nor, by their names, one of the backends."""
    return [
        f"{name}: no such setting" + (f"; did you mean {suggestion}?" if suggestion else "")
        for name, suggestion in unknown_variables(settings, backends)
    ]


def _text(facts: dict[str, Any]) -> str:
    chosen = facts["chosen"]
    lines = [f"{name:<12}{facts[name]}" for name in ("polytape", "plugin_api", "python", "platform", "numpy")]
    lines.append(facts["kernel_ring"])
    lines += [f"{name}={value}" for name, value in facts["settings"].items()] or ["no POLYTAPE_* settings"]
    if chosen["ready"]:
        lines.append(f"new tensors: {chosen['device']}, chosen by {chosen['chosen_by']}")
    else:
        lines += ["new tensors: the requested backend is not ready", chosen["error"]]
    lines += [*[f"warning: {warning}" for warning in facts["warnings"]], "", table(facts["backends"])]
    return "\n".join(lines)


def _tracebacks(statuses: list[dict[str, Any]]) -> str:
    failed = [status for status in statuses if status["traceback"]]
    return "\n".join(f"\nlast error of {status['name']}:\n{status['traceback'].rstrip()}" for status in failed)


def run(arguments: argparse.Namespace) -> int:
    """Print the report; return 1 if the requested backend is not ready or the file cannot be written."""
    facts = _collect(arguments.timeout)
    full = _text(facts) + "\n" + _tracebacks(facts["backends"])
    print(json.dumps(facts, indent=2) if arguments.json else full.rstrip())
    if arguments.report is not None:
        try:
            arguments.report.write_text(full.rstrip() + "\n", encoding="utf-8")
        except OSError as error:
            print(f"polytape doctor: {arguments.report} cannot be written: {error}", file=sys.stderr)
            return 1
    return 0 if facts["chosen"]["ready"] else 1
