"""Run an example, including all set-up: `python tools/run_example.py [the example's options]`.

Creates a virtual environment (.venv, or --venv FOLDER), installs this checkout with the extra `examples` into it, and
runs examples/linear_regression.py, or the example that --example names, there. Uses only the standard library.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from environment import CHECKOUT, Environment, say

__all__ = ["main"]

EXAMPLES = CHECKOUT / "examples"


def main() -> int:
    """Set up the environment and run the example; return its exit status."""
    # No abbreviations: an option of the example could be parsed as an option of this command.
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--venv", type=Path, default=CHECKOUT / ".venv", help="the virtual environment (default .venv)")
    parser.add_argument("--extras", default="examples", help="comma-separated extras to install (default examples)")
    names = sorted(path.stem for path in EXAMPLES.glob("*.py") if path.stem != "common")
    parser.add_argument("--example", choices=names, default="linear_regression", help="(default linear_regression)")
    options, rest = parser.parse_known_args()
    environment = Environment(options.venv)
    environment.install([f".[{options.extras}]"])
    say(f"examples/{options.example}.py {shlex.join(rest)}")
    # In the caller's folder, so that --data and --output are relative to it.
    return environment.run([environment.python, EXAMPLES / f"{options.example}.py", *rest], cwd=Path.cwd())


if __name__ == "__main__":
    raise SystemExit(main())
