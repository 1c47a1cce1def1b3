"""The members of the NumPy backend, and the time to import it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from polytape.backend import complete
from polytape.device import get_device

plugin = pytest.importorskip("polytape_numpy.plugin")

CPU = get_device("numpy", "cpu", 0)


@pytest.fixture
def numpy_backend() -> Any:
    backend = plugin.polytape_backend()
    complete(backend, None)
    return backend


def test_the_backend_has_one_cpu(numpy_backend: Any) -> None:
    assert numpy_backend.device_list() == [CPU]
    assert numpy_backend.host
    assert "bfloat16" in numpy_backend.dtypes


def test_from_host_copies_and_to_host_does_not(numpy_backend: Any) -> None:
    host = np.arange(6.0).reshape(2, 3).T
    array = numpy_backend.from_host(host, CPU)
    assert not np.shares_memory(array, host)
    assert array.flags.c_contiguous
    assert numpy_backend.to_host(array) is array
    assert not np.shares_memory(numpy_backend.copy(array, CPU), array)


def test_a_subclass_of_ndarray_becomes_an_ndarray(numpy_backend: Any) -> None:
    assert type(numpy_backend.from_host(np.ma.masked_array([1.0]), CPU)) is np.ndarray


def test_lift_converts_scalars_to_arrays_and_keeps_arrays(numpy_backend: Any) -> None:
    lifted = numpy_backend.lift(np.float32(2.0))
    assert (type(lifted), lifted.shape, lifted.dtype) == (np.ndarray, (), np.dtype("float32"))
    assert numpy_backend.lift(lifted) is lifted


def test_only_an_array_that_owns_its_memory_is_exclusive(numpy_backend: Any) -> None:
    array = numpy_backend.empty((2, 3), np.dtype("float32"), CPU)
    assert numpy_backend.exclusive(array)
    assert not numpy_backend.exclusive(array[0])
    assert not numpy_backend.exclusive(array.T)
    assert not numpy_backend.exclusive(np.frombuffer(bytes(8), "float32"))


def test_importing_the_plugin_is_cheap() -> None:
    # Calls are counted, since a time would depend on what else the machine does: 400 take about 1 ms.
    code = """
import sys, numpy, polytape, polytape.backend, polytape.device; polytape.hookimpl
calls, before = 0, set(sys.modules)
def count(frame, event, argument):
    global calls
    calls += event == "call"
sys.setprofile(count)
import polytape_numpy.plugin as p; p.polytape_backend()
sys.setprofile(None)
print(calls, *set(sys.modules) - before)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True)
    calls, *loaded = run.stdout.split()
    assert 0 < int(calls) < 1000 and len(loaded) < 10, f"{calls} calls; it loads {loaded}"
