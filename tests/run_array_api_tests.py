"""Run a checkout of data-apis/array-api-tests on polytape: `python tests/run_array_api_tests.py CHECKOUT`.

The checkout needs its submodule ``array-api``; its requirements.txt must be installed. Failures that
docs/guide/array-api.md explains are counted apart. The exit status is 1 if there are others.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

# Patterns of tests whose failure docs/guide/array-api.md explains.
EXPLAINED = (
    r"floor_?div.*(infinity|-0)",
    r"test_dlpack\.py::test_dunder_dlpack",
)


def main() -> int:
    """Run the tests and print a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--examples", type=int, default=20, help="per property (default 20)")
    parser.add_argument("--version", default="2025.12", help="of the standard (default 2025.12)")
    parser.add_argument("--backend", default="", help="as for POLYTAPE_BACKEND")
    parser.add_argument("--workers", default="2")
    options = parser.parse_args()
    environment = {
        **os.environ,
        "ARRAY_API_TESTS_MODULE": "polytape",
        "ARRAY_API_TESTS_VERSION": options.version,
        "OMP_NUM_THREADS": "1",
    }
    if options.backend:
        environment["POLYTAPE_BACKEND"] = options.backend
    command = [sys.executable, "-m", "pytest", "-q", "-rf", "-p", "no:cacheprovider", "array_api_tests"]
    command += ["--max-examples", str(options.examples), "--disable-deadline", "-n", options.workers]
    done = subprocess.run(command, cwd=options.checkout, env=environment, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    failures = [line.split(" - ")[0] for line in lines if line.startswith(("FAILED", "ERROR"))]
    explained = [line for line in failures if any(re.search(pattern, line) for pattern in EXPLAINED)]
    print(lines[-1] if lines else done.stderr)
    print(f"{len(explained)} failures are explained in docs/guide/array-api.md")
    others = [line for line in failures if line not in explained]
    print("\n".join(others) if others else "no other failures")
    return 1 if others or not lines else 0


if __name__ == "__main__":
    raise SystemExit(main())
