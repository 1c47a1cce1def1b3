"""Run all checks, including all set-up: `python tools/run_tests.py`.

Creates two virtual environments and installs what the tests need. .venv-tests has an ordinary install of this
checkout, compiled if there is a C compiler (a failure to compile is then an error), and polytape-sim, installed as a
third party's distribution would be. .venv-pure has the same, uncompiled. Then runs mypy --strict, ruff, the whole
suite, the core's tests again in pure Python, and the counters. Uses only the standard library.
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
    """Set up the environments, run each step, and print a summary; return 1 if any step failed, otherwise 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="skip the slow tests and the uncompiled build")
    parser.add_argument(
        "--exhaustive", action="store_true", help="every check of the kit on every backend, not a sample"
    )
    parser.add_argument("--venv", type=Path, default=CHECKOUT / ".venv-tests", help="(default .venv-tests)")
    parser.add_argument("--pure-venv", type=Path, default=CHECKOUT / ".venv-pure", help="(default .venv-pure)")
    parser.add_argument("--workers", default="2", help="number of processes that run tests (default 2)")
    options = parser.parse_args()
    environment = Environment(options.venv)
    # Without POLYTAPE_COMPILE=1, a ring that does not compile would go unnoticed: the install uses pure Python then.
    compiler = any(shutil.which(name) for name in ("cc", "gcc", "clang"))
    environment.install(REQUIREMENTS, compile_ring=os.environ.get("POLYTAPE_COMPILE", "1" if compiler else ""))
    steps = Steps(environment)
    python = environment.python
    steps.run("mypy --strict", [python, "-m", "mypy", "--strict"], takes="up to 1 minute")
    steps.run("ruff check", [python, "-m", "ruff", "check", "."])
    steps.run("ruff format --check", [python, "-m", "ruff", "format", "--check", "."])
    steps.run("polytape doctor", [environment.scripts / "polytape", "doctor"])
    pytest = [
        "-m",
        "pytest",
        "-n",
        options.workers,
        "--durations=25",
        *(["--exhaustive"] if options.exhaustive else []),
    ]
    if options.quick:
        steps.run("the suite without slow tests", [python, *pytest, "-m", "not slow"], takes="2 to 6 minutes")
    else:
        steps.run("the whole suite", [python, *pytest], takes="5 to 15 minutes")
        pure = Environment(options.pure_venv)
        pure.install(REQUIREMENTS, compile_ring="0")
        # The kit runs on numpy alone here: what differs is the ring, and the other backends run under the compiled one.
        kit = ["--polytape-kit-backend", "numpy", "--ignore", "tests/core/testing"]
        core = [pure.python, *pytest, "-m", "not slow", "tests/core", *kit]
        steps.run("core tests, uncompiled", core, environment=pure, takes="1 to 5 minutes")
        if COUNTERS.exists():
            steps.run("counters, uncompiled", [pure.python, COUNTERS], environment=pure, takes="1 minute")
            if compiler:
                steps.run("counters, compiled", [python, COUNTERS, "--ring", "compiled"], takes="1 minute")
    return steps.summary()


if __name__ == "__main__":
    raise SystemExit(main())
