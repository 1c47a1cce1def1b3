"""``python -m polytape.compat run FILE [arguments]``: run a program or notebook for TensorFlow 1.7."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .programs import ProgramError, run

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command, and return the exit status.

    Args:
        argv: the arguments; default: those of the process.
    """
    parser = argparse.ArgumentParser(
        prog="python -m polytape.compat",
        description="Run an unchanged program or notebook that was written for TensorFlow 1.7's eager execution.",
    )
    parser.add_argument("command", choices=["run"])
    parser.add_argument("file", help="FILE.py or FILE.ipynb")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of the program")
    options = parser.parse_args(argv)
    try:
        return run(options.file, options.arguments)
    except ProgramError as error:
        print(f"polytape.compat: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
