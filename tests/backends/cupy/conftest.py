"""Fixtures for the stand-in for cupy: its module, and the backend `cupy` on it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def load_standin() -> ModuleType:
    """The module standin.py, which is loaded once per process."""
    module = sys.modules.get("polytape_tests_standin")
    if module is None:
        path = Path(__file__).with_name("standin.py")
        spec = importlib.util.spec_from_file_location("polytape_tests_standin", path)
        assert spec is not None and spec.loader is not None
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def standin() -> ModuleType:
    """The module standin.py."""
    return load_standin()


@pytest.fixture(scope="session")
def xp(standin: ModuleType) -> Any:
    """The stand-in as the module `cupy`, with the backend `cupy` ready."""
    if not standin.enable():
        pytest.skip("cupy itself is installed, so the stand-in is not used")
    return sys.modules["cupy"]
