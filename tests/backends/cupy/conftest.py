"""The stand-in for cupy, for the tests here: as a module, and as the backend `cupy`."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def load_standin() -> ModuleType:
    """standin.py beside this file, once in a process."""
    found = sys.modules.get("polytape_tests_standin")
    if found is None:
        path = Path(__file__).with_name("standin.py")
        spec = importlib.util.spec_from_file_location("polytape_tests_standin", path)
        assert spec is not None and spec.loader is not None
        found = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="session")
def standin() -> ModuleType:
    """The module standin.py."""
    return load_standin()


@pytest.fixture(scope="session")
def xp(standin: ModuleType) -> Any:
    """The stand-in as the module `cupy`, and the backend ready on it."""
    if not standin.enable():
        pytest.skip("cupy itself is installed: the stand-in is left out")
    return sys.modules["cupy"]
