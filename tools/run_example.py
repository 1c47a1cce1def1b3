"""Train the linear regression of examples/, with all set-up: `python tools/run_example.py [the example's options]`.

Makes a virtual environment (.venv, or --venv FOLDER), installs this checkout with the extra `examples` into it, and
runs examples/linear_regression.py there. Standard library only.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from environment import CHECKOUT, Environment, say

__all__ = ["main"]


def main() -> int:
    """Set up and run; the example's exit status."""
    # No abbreviations: an option of the example's must not be taken for one of ours.
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--venv", type=Path, default=CHECKOUT / ".venv", help="the virtual environment (default .venv)")
    parser.add_argument("--extras", default="examples", help="extras to install, by comma (default examples)")
    known, rest = parser.parse_known_args()
    environment = Environment(known.venv)
    environment.install([f".[{known.extras}]"])
    say("examples/linear_regression.py " + shlex.join(rest))
    # From the caller's folder, so that --data and the files it writes mean what they say there.
    return environment.run([environment.python, CHECKOUT / "examples" / "linear_regression.py", *rest], cwd=Path.cwd())


if __name__ == "__main__":
    raise SystemExit(main())
