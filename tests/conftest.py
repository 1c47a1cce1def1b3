"""Fixtures for all tests: a test that takes ``backend`` runs on every backend that is installed and usable.

The backend cupy runs on a stand-in if there is no GPU; see tests/backends/cupy/standin.py.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

pytest_plugins = ["polytape.testing.plugin"]

STANDIN = Path(__file__).parent / "backends" / "cupy" / "standin.py"


def pytest_configure(config: pytest.Config) -> None:
    """Enable the stand-in for cupy before the tests are parametrised with the backends."""
    name = "polytape_tests_standin"  # as in tests/backends/cupy/conftest.py: one module for both
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, STANDIN)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    sys.modules[name].enable()
