"""T0, contract and lifecycle: what a backend says about itself holds, and its plugin loads in a new process."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any, Final

import numpy as np

from .. import dtypes, plugins
from ..backend import MemoryInfo, Probe
from ..device import is_word
from ..registry import tables
from .calls import device_of
from .limits import Inapplicable, check_capabilities

__all__ = ["LIFECYCLE"]

_FAMILIES: Final = "polytape.ops."
_CHILD: Final = """
import sys
import polytape as pt
try:
    pt.get_backend(sys.argv[1])
except pt.PolytapeError as error:
    sys.exit(f"not ready: {error}")
x = pt.asarray([0, 1], dtype=sys.argv[2], device=sys.argv[1])
assert x.numpy().tolist() == [0, 1], x.numpy()
"""


def _require(condition: bool, what: str, expected: Any, got: Any) -> None:
    if not condition:
        raise AssertionError(f"{what}\n  expected: {expected}\n  got: {got}")


def check_probe(backend: str) -> None:
    """``probe`` returns a `Probe`, raises nothing, and can be called again."""
    for _ in range(2):
        probe = plugins.get_backend(backend).probe()
        _require(isinstance(probe, Probe), f"probe of {backend}", "a Probe", repr(probe))
        _require(probe.ready is True, f"probe of {backend}", "ready, since the backend is in use", repr(probe))


def check_devices_listed(backend: str) -> None:
    """``devices`` gives the same kinds and numbers each time, and each device can be synchronised."""
    tested = plugins.get_backend(backend)
    first, again = list(tested.devices()), list(tested.devices())
    _require(first == again, f"devices of {backend}, called twice", first, again)
    _require(len(first) > 0, f"devices of {backend}", "at least one kind of device", first)
    kinds = [kind for kind, _ in first]
    _require(len(set(kinds)) == len(kinds), f"devices of {backend}", "each kind once", kinds)
    for kind, count in first:
        what = f"the kind {kind!r} of {backend}"
        _require(is_word(kind) and kind == kind.lower(), what, "a lower-case word", repr(kind))
        _require(type(count) is int and count > 0, what, "a number of devices above 0", repr(count))
    for device in tested.device_list():
        tested.synchronize(device)
        tested.synchronize(device)  # with an empty queue


def check_arrays(backend: str) -> None:
    """Native arrays have the type, shape and dtype that the contract names; ``lift`` keeps an array as it is."""
    tested, device = plugins.get_backend(backend), device_of(backend)
    for name in tested.dtypes:
        dtype = dtypes.lookup(name)
        array = tested.from_host(np.zeros((2, 3), dtype), device)
        what = f"an array of {name} on {backend}"
        _require(isinstance(array, tested.array_type), what, tested.array_type, type(array))
        _require(isinstance(array.shape, tuple) and tuple(array.shape) == (2, 3), f"{what}: shape", (2, 3), array.shape)
        _require(array.dtype == dtype, f"{what}: dtype", dtype, array.dtype)
        lifted = tested.lift(array)
        _require(isinstance(lifted, tested.array_type), f"lift of {what}", tested.array_type, type(lifted))
        _require(tuple(lifted.shape) == (2, 3), f"lift of {what}", "the same shape", lifted.shape)
        if tested.exclusive is not None:
            said = tested.exclusive(array)
            _require(isinstance(said, (bool, np.bool_)), f"exclusive of {what}", "True or False", repr(said))
    _require(len(set(tested.dtypes)) == len(tested.dtypes), f"dtypes of {backend}", "each once", tested.dtypes)


def check_memory_info(backend: str) -> None:
    """``memory_info``, if it is defined, gives numbers of bytes that fit together."""
    tested = plugins.get_backend(backend)
    if tested.memory_info is None:
        raise Inapplicable(f"{backend} does not report memory use")
    for device in tested.device_list():
        info = tested.memory_info(device)
        what = f"memory_info of {device}"
        _require(isinstance(info, MemoryInfo), what, "a MemoryInfo", repr(info))
        used, peak = info.allocated_nbytes, info.peak_nbytes
        _require(all(type(n) is int and n >= -1 for n in (used, peak, info.total_nbytes)), what, "bytes or -1", info)
        _require(-1 in (used, peak) or used <= peak, what, "at most the peak in use", info)


def check_late_kernels(backend: str) -> None:
    """The kernels of each family load, and are for ops of that family; others would never be registered."""
    tables.ops()  # loads all families
    for family, load in plugins.get_backend(backend).late_kernels.items():
        names = [name for name, op in tables.ops().items() if op.module == _FAMILIES + family]
        _require(bool(names), f"late_kernels of {backend}: {family!r}", "a family of ops", repr(family))
        for kernel in load():
            what = f"late_kernels of {backend}: {family!r}"
            _require(kernel.op in names, what, f"kernels for {', '.join(names)}", repr(kernel))


def check_a_new_process(backend: str) -> None:
    """A new process loads the plugin and uses the backend."""
    tested = plugins.get_backend(backend)
    if tested.provider == tables.IN_PROCESS:
        raise Inapplicable(f"{backend} is registered in this process only")
    command = [sys.executable, "-c", _CHILD, backend, tested.dtypes[0]]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if result.stderr.startswith("not ready: "):
        raise Inapplicable(f"in a new process, {backend} is {result.stderr.splitlines()[0]}")
    _require(result.returncode == 0, f"{backend} in a new process", "exit status 0", result.stderr.strip())


LIFECYCLE: Final = (
    check_probe,
    check_devices_listed,
    check_arrays,
    check_memory_info,
    check_late_kernels,
    check_a_new_process,
    check_capabilities,
)
