"""Compare the speed of two commits, or of two backends; must run in a checkout, whose files it builds.

gate BASE [HEAD] fails if a backend got slower between two commits, or is gone. compare NAME NAME compares two backends
at one commit. record keeps the times of a commit, and site makes pages of them. init prepares the repository of a
backend. A commit is anything that git takes, or "." for the working tree.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    gate = actions.add_parser("gate", help="exit with status 1 if a backend got slower between two commits, or is gone")
    gate.add_argument("base", metavar="BASE", help="a commit")
    gate.add_argument("head", metavar="HEAD", nargs="?", default=".", help="another one (default: the working tree)")
    gate.add_argument("--ring", choices=("pure", "compiled", "both"), default="pure", help="(default: pure)")
    gate.add_argument("--backends", default="", help="these must be measured, as name,name (default: those of BASE)")
    gate.add_argument(
        "--instructions", default="", metavar="CASES", help="count instructions of these too; needs valgrind"
    )
    gate.add_argument("--json", type=Path, metavar="FILE", help="also write everything that was measured")
    gate.add_argument("--markdown", type=Path, metavar="FILE", help="also write the report for a pull request")
    compare = actions.add_parser("compare", help="compare two backends, case by case")
    compare.add_argument("first", metavar="NAME", help="a backend")
    compare.add_argument("second", metavar="NAME", help="another one")
    compare.add_argument("--at", default=".", metavar="COMMIT", help="(default: the working tree)")
    compare.add_argument("--ring", choices=("pure", "compiled"), default="pure", help="(default: pure)")
    record = actions.add_parser("record", help="measure a commit, and keep its times in a file")
    record.add_argument("commit", metavar="COMMIT", nargs="?", default="HEAD", help="(default: HEAD)")
    record.add_argument("--ring", choices=("pure", "compiled", "both"), default="pure", help="(default: pure)")
    record.add_argument(
        "--backends", default="", help="these must be measured, as name,name (default: all that are ready)"
    )
    actions.add_parser("init", help="write a workflow and cases for the repository of a backend")
    site = actions.add_parser("site", help="make pages of the times that were kept")
    site.add_argument("--output", type=Path, metavar="FOLDER", default=Path("perf-site"), help="(default: perf-site)")
    for action in (record, site):
        action.add_argument(
            "--results", type=Path, metavar="FOLDER", default=Path("perf-results"), help="(default: perf-results)"
        )
    for action, cases in ((gate, "panel"), (compare, "panel"), (record, "*")):
        action.add_argument(
            "--cases", default=cases, help=f"families or cases, as name,name; panel; * for all (default: {cases})"
        )


def run(arguments: argparse.Namespace) -> int:
    """Compare, print the result, and return the exit status."""
    from polytape_perf import commands

    action: Any = getattr(commands, arguments.action)
    status: int = action(arguments, lambda line: print(line, file=sys.stderr, flush=True))
    return status
