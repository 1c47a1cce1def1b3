"""Fixtures for all tests: a test that takes ``backend`` runs on every backend that is installed and usable.

The backend cupy runs on a stand-in if there is no GPU; see tests/backends/cupy/standin.py.
"""

from __future__ import annotations

import importlib.util
import sys
import zlib
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["polytape.testing.plugin"]

STANDIN = Path(__file__).parent / "backends" / "cupy" / "standin.py"


# Checks of the kit that run the same ops on a backend with NumPy's kernels as on numpy itself, or again without the
# compiled ring. There, one op in four is tested by each run of the suite; ``--exhaustive`` tests all, as the nightly
# workflow does.
SAMPLED = (
    "test_a_call_changes_no_operand_and_no_earlier_result",
    "test_large_operands_give_the_same_as_small_ones",
    "test_gradients_agree_with_finite_differences_to_order_two",
    "test_a_kernel_equals_the_decomposition",
    "test_a_graph_equals_eager",
    "test_host_operands_go_to_the_device_and_numbers_are_weak",
    "test_operands_of_two_dtypes_promote",
)
TRACED = "test_a_graph_equals_eager"
# It checks in some dtypes what another test checks in all.
CONTAINED = "test_core_ops_are_right_in_common_dtypes"
ON_NUMPY_S_KERNELS = ("cupy", "sim")
# Their bodies have several hundred steps, or they draw by rejection, so that one check takes up to 20 s on a simulated
# device, and 6 s where it is traced.
LONG = ("betainc", "gammainc", "gammaincc", "random_binomial", "random_gamma", "random_poisson", "random_von_mises")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options that say how much of the conformance kit runs."""
    parser.addoption("--exhaustive", action="store_true", help="run every check of the kit for every op and backend")
    parser.addoption("--polytape-kit-backend", default="", help="run the kit on this backend only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the checks of the kit that this run leaves to others."""
    only, exhaustive = config.getoption("--polytape-kit-backend"), config.getoption("--exhaustive")
    kept, left = [], []
    for item in items:
        case, backend = (getattr(item, "callspec", None) and item.callspec.params.get(k) for k in ("case", "backend"))
        of_the_kit = case is not None and backend is not None and "test_conformance" in item.nodeid
        elsewhere = of_the_kit and only and backend != only
        again = of_the_kit and not exhaustive and (backend in ON_NUMPY_S_KERNELS or bool(only))
        chosen = zlib.crc32(str(case).encode()) % 4 == 0
        contained = of_the_kit and not exhaustive and item.originalname == CONTAINED
        traced_again = of_the_kit and not exhaustive and backend != "numpy" and item.originalname == TRACED
        long = (again or traced_again) and str(case) in LONG
        rest = long or (again and item.originalname in SAMPLED and not chosen)
        (left if elsewhere or rest or contained else kept).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


def pytest_configure(config: pytest.Config) -> None:
    """Enable the stand-in for cupy before the tests are parametrised with the backends.

    No example of hypothesis has a time limit: on a busy machine, any may take long.
    """
    hypothesis.settings.register_profile("polytape", deadline=None)
    hypothesis.settings.load_profile("polytape")
    name = "polytape_tests_standin"  # as in tests/backends/cupy/conftest.py: one module for both
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, STANDIN)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    sys.modules[name].enable()
