"""Run every check, with all set-up: `python tools/run_tests.py`.

Makes two virtual environments and installs what tests need: .venv-tests holds an ordinary install of this checkout
(compiled, where there is a C compiler: if that fails, so does this) and, like a stranger's distribution, polytape-sim;
.venv-pure holds the same uncompiled. Then mypy --strict, ruff, the whole suite, the core's tests once more in pure
Python, and the counters. Standard library only.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from environment import CHECKOUT, Environment, Steps

__all__ = ["main"]

REQUIREMENTS = (".[test]", "./examples/sim_backend")
COUNTERS = CHECKOUT / "asv_bench" / "check_counters.py"


def main() -> int:
    """Set up, run each step, sum up; 1 if any failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leave out slow tests and the uncompiled build")
    parser.add_argument("--venv", type=Path, default=CHECKOUT / ".venv-tests", help="(default .venv-tests)")
    parser.add_argument("--pure-venv", type=Path, default=CHECKOUT / ".venv-pure", help="(default .venv-pure)")
    parser.add_argument("--workers", default="2", help="processes that test beside each other (default 2)")
    chosen = parser.parse_args()
    environment = Environment(chosen.venv)
    # An install falls back to pure Python by itself; here that would hide that the ring no longer compiles.
    compiler = any(shutil.which(name) for name in ("cc", "gcc", "clang"))
    environment.install(REQUIREMENTS, compile_ring=os.environ.get("POLYTAPE_COMPILE", "1" if compiler else ""))
    steps = Steps(environment)
    python = environment.python
    steps.run("mypy --strict", [python, "-m", "mypy", "--strict"])
    steps.run("ruff check", [python, "-m", "ruff", "check", "."])
    steps.run("ruff format --check", [python, "-m", "ruff", "format", "--check", "."])
    steps.run("which ring runs", [environment.scripts / "polytape", "doctor"])
    pytest = ["-m", "pytest", "-n", chosen.workers]
    quick = ["-m", "not slow"] if chosen.quick else []
    steps.run("the whole suite", [python, *pytest, *quick])
    if not chosen.quick:
        pure = Environment(chosen.pure_venv)
        pure.install(REQUIREMENTS, compile_ring="0")
        steps.run("core tests, uncompiled", [pure.python, *pytest, "-m", "not slow", "tests/core"], environment=pure)
        if COUNTERS.exists():
            steps.run("counters, uncompiled", [pure.python, COUNTERS], environment=pure)
    return steps.summary()


if __name__ == "__main__":
    raise SystemExit(main())
