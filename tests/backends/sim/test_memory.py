"""Device memory: inaccessible to the host, counted by references, limited."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from polytape_sim import OutOfDeviceMemory, SimAccessError, SimArray, set_limit, synchronize, unsafe_peek
from polytape_sim.memory import pools

ACCESSES: list[Callable[[Any], object]] = [
    np.asarray, np.array, list, len, bool, int, float, iter, copy.copy, copy.deepcopy, pickle.dumps, memoryview, bytes,
    lambda a: a[0], lambda a: a + 1, lambda a: np.ones(3) + a, lambda a: a == a, lambda a: 1 in a, np.add.reduce,
    lambda a: a.__setitem__(0, 1),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _quiet_device() -> Iterator[None]:
    synchronize()
    old = set_limit(1 << 20)
    yield
    synchronize()
    set_limit(old)


@pytest.mark.parametrize("access", ACCESSES)
def test_the_host_cannot_access_an_array(access: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError):
        access(SimArray((3,), "float32", 0))


def test_the_access_error_says_what_to_do() -> None:
    with pytest.raises(SimAccessError, match=r"in a device's memory(.|\n)*fix: use tensor\.numpy\(\)"):
        np.asarray(SimArray((3,), "float32", 0))


def test_a_new_array_has_shape_and_dtype_and_contains_poison() -> None:
    a = SimArray((2, 3), "float32", 1)
    assert (a.shape, a.dtype, a.ndim, a.nbytes, repr(a)) == (
        (2, 3), np.dtype("float32"), 2, 24, "SimArray(float32[2, 3] on sim:1)",
    )  # fmt: skip
    for dtype in ("float16", "float32", "float64", "complex64"):
        assert np.isnan(unsafe_peek(SimArray((2, 3), dtype, 0))).all()
    assert unsafe_peek(SimArray((2,), "uint16", 0)).tolist() == [0xCDCD, 0xCDCD]
    assert unsafe_peek(SimArray((), "int8", 0)) == 0xCD - 256
    assert unsafe_peek(SimArray((0,), "float32", 0)).shape == (0,)


def test_memory_is_freed_with_the_last_reference_even_without_the_garbage_collector() -> None:
    before = pools[0].allocated_nbytes
    gc.disable()
    try:
        a = SimArray((100,), "float64", 0)
        reference = weakref.ref(a)
        second = a
        assert pools[0].allocated_nbytes == before + 800
        del a
        assert pools[0].allocated_nbytes == before + 800
        del second
        assert reference() is None
        assert pools[0].allocated_nbytes == before
        assert pools[0].peak_nbytes >= before + 800
    finally:
        gc.enable()


def test_each_device_has_its_own_count() -> None:
    before = [pool.allocated_nbytes for pool in pools]
    array = SimArray((10,), "int8", 1)
    assert [pool.allocated_nbytes for pool in pools] == [before[0], before[1] + array.nbytes]


def test_an_allocation_beyond_the_limit_raises_a_typed_error_and_counts_nothing() -> None:
    before = pools[0].allocated_nbytes
    set_limit(before + 100)
    array = SimArray((90,), "uint8", 0)
    with pytest.raises(OutOfDeviceMemory, match=r"has no room for float32\[5\](.|\n)*at most 10 bytes") as caught:
        SimArray((5,), "float32", 0)
    assert isinstance(caught.value, MemoryError)
    assert pools[0].allocated_nbytes == before + 90
    del array
    SimArray((5,), "float32", 0)


@pytest.mark.parametrize(("text", "answer"), [("4096", "4096"), ("", str(1 << 30)), ("much", "is not a valid size")])
def test_the_environment_sets_the_limit(text: str, answer: str) -> None:
    code = "from polytape_sim.memory import pools; print(pools[0].limit_nbytes)"
    environment = {**os.environ, "POLYTAPE_SIM_LIMIT_NBYTES": text, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert answer in child.stdout + child.stderr
