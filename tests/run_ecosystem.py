"""Run the tests of array libraries' users on polytape: `python tests/run_ecosystem.py SUITE [--checkout DIRECTORY]`.

Suites are einops, opt_einsum and array-api-extra, whose tests are in a checkout, and scikit-learn and scipy, whose
tests are installed with them. Each runs on polytape and on PyTorch (opt_einsum's: on NumPy). The program prints the
numbers of tests that pass, fail and are skipped, and the failures on polytape that docs/guide/array-api.md does not
explain. The exit status is 1 if there are any. The libraries, PyTorch on the CPU, pytest, pytest-xdist and hypothesis
must be installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).resolve().parent


class Suite(NamedTuple):
    """The tests of one project.

    Args:
        tests: files or folders, in the checkout or in the installed package.
        package: the installed package that contains the tests; "" if they are in a checkout.
        peer: the library to compare with.
        select: further arguments of pytest; ``{library}`` is the library's name.
        explained: patterns of tests whose failure docs/guide/array-api.md explains.
    """

    tests: tuple[str, ...]
    package: str = ""
    peer: str = "torch"
    select: tuple[str, ...] = ()
    explained: tuple[str, ...] = ()


SUITES = {
    "array-api-extra": Suite(
        ("tests/main",),
        select=("-k", "{library}"),
        explained=(
            r"test_incompatible_dtype\[polytape-(set|min|max)-",
            r"test_delegates",
            r"test_lazy_xp_function_cython_ufuncs",
        ),
    ),
    "einops": Suite(("einops/tests",)),
    "opt_einsum": Suite(
        ("opt_einsum/tests",),
        peer="numpy",
        explained=(r"test_contract_expressions\[True-|test_torch|test_object_arrays|\[torch",),
    ),
    "scikit-learn": Suite(
        ("",),
        package="sklearn",
        select=("-k", "{library}"),
        explained=(
            r"chi2_kernel-check_array_api_metric",
            r"test_gaussian_mixture_array_api_compliance\[.*-full-random",
        ),
    ),
    "scipy": Suite(
        (
            "cluster",
            "constants",
            "differentiate",
            "fft",
            "integrate",
            "optimize/tests/test_bracket.py",
            "optimize/tests/test_chandrupatla.py",
            "signal/tests/test_windows.py",
            "special/tests/test_logsumexp.py",
            "stats/tests/test_entropy.py",
            "stats/tests/test_rank.py",
            "stats/tests/test_variation.py",
        ),
        package="scipy",
        select=("-m", "array_api_backends and not slow", "-k", "{library}"),
        explained=(
            r"test_tanhsinh\.py::(TestTanhSinh|TestNSum)::",
            r"TestDerivative::test_step_direction\[",
            r"test_chandrupatla\.py::\w+::test_input_validation",
        ),
    ),
}


def main() -> int:
    """Run one suite on polytape and on the library that it is compared with, and print a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=sorted(SUITES))
    parser.add_argument("--checkout", type=Path, help="of einops, opt_einsum or array-api-extra")
    parser.add_argument("--libraries", help="separated by commas (default: polytape and the peer)")
    parser.add_argument("--workers", default="2")
    parser.add_argument("--log", type=Path, help="a folder for the complete output")
    parser.add_argument("tests", nargs="*", help="files or folders instead of the whole suite")
    options = parser.parse_args()
    suite = SUITES[options.suite]
    if not suite.package and options.checkout is None:
        parser.error(f"the tests of {options.suite} are not installed with it: pass --checkout")
    others: list[str] = []
    for library in (options.libraries or f"polytape,{suite.peer}").split(","):
        lines = run(suite, library, options)
        print(f"{options.suite} on {library}: {lines[-1].strip('= ')}", flush=True)
        if library == "polytape":
            failures = [line.split(" - ")[0] for line in lines if line.startswith(("FAILED", "ERROR"))]
            others = [line for line in failures if not any(re.search(part, line) for part in suite.explained)]
            print(f"  {len(failures) - len(others)} failures are explained in docs/guide/array-api.md")
    print("\n".join(others) if others else "no other failures on polytape")
    return 1 if others else 0


def run(suite: Suite, library: str, options: argparse.Namespace) -> list[str]:
    """The lines that pytest prints for a suite on one library."""
    root = options.checkout
    if suite.package:
        spec = importlib.util.find_spec(suite.package)
        assert spec is not None and spec.origin is not None, f"{suite.package} is not installed"
        root = Path(spec.origin).parent
    tests = [str(root / test) for test in options.tests or suite.tests]
    if options.suite == "scikit-learn" and not options.tests:
        tests = array_api_tests(root)
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "-p", "ecosystem_plugin", "-p", "no:cacheprovider"]
    command += ["-n", options.workers] if options.workers != "0" else []
    # The configuration of an installed package is not installed with it.
    command += ["-c", os.devnull, f"--rootdir={root}"] if suite.package else []
    command += [argument.format(library=library) for argument in suite.select]
    done = subprocess.run(
        [*command, *tests],
        cwd=options.checkout or TESTS,
        env=environment(options, library, root),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), f"pytest did not run the tests: {done.stdout[-1000:]}{done.stderr[-1000:]}"
    if options.log:
        options.log.mkdir(parents=True, exist_ok=True)
        (options.log / f"{options.suite}-{library}.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    return done.stdout.splitlines()


def environment(options: argparse.Namespace, library: str, root: Path) -> dict[str, str]:
    """The environment variables of the tests."""
    paths = [str(TESTS), *([str(root / "src")] if (root / "src").is_dir() else []), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "ECOSYSTEM_SUITE": options.suite,
        "ECOSYSTEM_LIBRARY": library,
        "EINOPS_TEST_BACKENDS": library,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "SCIPY_ARRAY_API": "1",
        # The suites expect float64 and int64; SciPy's own set PyTorch's default dtype in the same way.
        "POLYTAPE_DEFAULT_DTYPE": "float64,int64",
    }


def array_api_tests(root: Path) -> list[str]:
    """The files of scikit-learn that have tests of array libraries; importing all others takes minutes."""
    pattern = re.compile("yield_namespace|yield_mixed|_array_api_for_tests")
    return [str(path) for path in sorted(root.rglob("test_*.py")) if pattern.search(path.read_text(encoding="utf-8"))]


if __name__ == "__main__":
    raise SystemExit(main())
