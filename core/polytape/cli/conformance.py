"""Run the conformance kit on a backend, tier by tier; print each failure with a program that reproduces it.

The tiers: T0 contract and lifecycle, T1 creation and transfer, T2 core ops in common dtypes, T3 all ops and dtypes,
T4 gradients to order two, T5 state and checkpoints across backends, T6 graphs, T7 faults, threads and several devices.
The exit status is 1 if a check failed, or if nothing was checked.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .modules import add_modules, import_modules

if TYPE_CHECKING:
    from ..testing.reporting import Report
    from ..testing.tiers import Tier

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("backend", metavar="BACKEND", help="name of the backend")
    parser.add_argument("--tier", metavar="T", nargs="+", default=[], help="run these tiers only, such as T0 T1")
    parser.add_argument("--ops", metavar="OP", nargs="+", default=[], help="check these ops only, not the backend")
    parser.add_argument("--device", default="", help="a device of the backend, such as gpu:1; default: its first")
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write the report to FILE as JSON")
    parser.add_argument(
        "--badge", metavar="FILE", type=Path, help="write a badge: FILE.svg, or FILE.json for a shields.io endpoint"
    )
    parser.add_argument("-x", "--stop", action="store_true", help="stop at the first failure")
    parser.add_argument(
        "--exhaustive",
        action="store_true",
        help="run every check also for ops whose kernel belongs to a backend that this one extends",
    )
    parser.add_argument("--no-coverage", action="store_true", help="leave out the table of ops and dtypes")
    add_modules(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the kit; return 0 if it passed."""
    from ..testing import conformance
    from ..testing.reporting import badge, coverage_text, failure_text, summary, tier_text

    import_modules(arguments.module)
    shown = 0

    def after_tier(report: Report, tier: Tier) -> None:
        nonlocal shown
        failures = report.failures()
        print("\n".join([tier_text(report, tier.name), *map(failure_text, failures[shown:])]), flush=True)
        shown = len(failures)

    report = conformance(
        arguments.backend,
        tiers=[name.upper() for name in arguments.tier],
        ops=arguments.ops,
        device=arguments.device,
        exhaustive=arguments.exhaustive,
        stop_at_first=arguments.stop,
        with_coverage=not arguments.no_coverage,
        modules=arguments.module,
        after_tier=after_tier,
    )
    if report.coverage:
        print("", coverage_text(report.coverage), "", sep="\n")
    print(summary(report))
    files = []
    if arguments.json is not None:
        files.append((arguments.json, json.dumps(report.as_json(), indent=1) + "\n"))
    if arguments.badge is not None:
        files.append((arguments.badge, badge(report, svg=arguments.badge.suffix != ".json")))
    for path, text in files:
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            print(f"polytape conformance: {path} cannot be written: {error}", file=sys.stderr)
            return 1
    return 0 if report.passed else 1
