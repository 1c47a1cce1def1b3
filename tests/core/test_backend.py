"""The contract of backends and kernels, and what is rejected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.backend import API_VERSION, MemoryInfo, Probe, normalise
from polytape.errors import BackendError, RegistrationError

MEMBERS: dict[str, Any] = {
    "devices": lambda: [("cpu", 1)],
    "array_type": np.ndarray,
    "from_host": lambda array, device: np.array(array),
    "to_host": lambda array: array,
    "copy": lambda array, device: array.copy(),
    "empty": lambda shape, dtype, device: np.empty(shape, dtype),
    "synchronize": lambda device: None,
    "lift": lambda value, device: np.asarray(value),
    "dtypes": ("float32",),
}


@pytest.mark.parametrize("member", MEMBERS)
def test_a_missing_member_is_named(member: str) -> None:
    members = {name: value for name, value in MEMBERS.items() if name != member}
    with pytest.raises(BackendError, match=member):
        pt.register_backend(pt.Backend(name="backend_part", **members))
    assert "backend_part" not in {status.name for status in pt.backends()}


@pytest.mark.parametrize("name", ["", "Big", "a b", "a:b", "a/b", "ä?", "1a", "-a"])
def test_a_name_that_could_not_be_written_in_a_setting_is_rejected(name: str) -> None:
    with pytest.raises((RegistrationError, BackendError)):
        pt.register_backend(pt.Backend(name=name, **MEMBERS))


def test_a_name_that_is_already_taken_is_rejected() -> None:
    with pytest.raises(RegistrationError, match="the backend name 'numpy' is taken"):
        pt.register_backend(pt.Backend(name="numpy", **MEMBERS))


def test_registering_a_backend_that_is_not_ready_raises_its_reason() -> None:
    probe = Probe(False, "no card in the slot", "insert one")
    with pytest.raises(BackendError, match="no card in the slot"):
        pt.register_backend(pt.Backend(name="backend_absent", probe=lambda: probe, **MEMBERS))
    assert repr(probe) == "Probe(no-device: no card in the slot; insert one)" and repr(Probe()) == "Probe(ready)"


def test_a_bad_kernel_prevents_the_registration_of_the_whole_backend() -> None:
    kernels = [pt.Kernel("add", np.add), pt.Kernel("no_such_op", np.add)]
    with pytest.raises(RegistrationError, match="there is no such op"):
        pt.register_backend(pt.Backend(name="backend_bad", kernels=kernels, **MEMBERS))
    with pytest.raises(pt.PolytapeError):
        pt.asarray([1.0], device="backend_bad")
    with pt.register_backend(pt.Backend(name="backend_bad", kernels=kernels[:1], **MEMBERS)):
        assert (pt.asarray([1.0], device="backend_bad") + 1.0).item() == 2.0


def test_a_child_inherits_the_members_that_it_does_not_define() -> None:
    pt.asarray(0.0)
    with pt.register_backend(pt.Backend(name="backend_child", extends="numpy")) as child:
        assert [backend.name for backend in child.chain()] == ["backend_child", "numpy"]
        assert child.array_type is np.ndarray and child.host and "float64" in child.dtypes
        assert repr(child) == "Backend('backend_child', extends='numpy')"
        assert [str(device) for device in child.device_list()] == ["backend_child:cpu:0"]


def test_a_child_of_an_unknown_backend_is_rejected() -> None:
    with pytest.raises(BackendError, match="nobody"):
        pt.register_backend(pt.Backend(name="backend_orphan", extends="nobody"))


def test_memory_statistics_are_passed_through() -> None:
    info = MemoryInfo(100, 200, 300)
    with pt.register_backend(pt.Backend(name="backend_counts", memory_info=lambda device: info, **MEMBERS)):
        assert pt.memory_info("backend_counts") is info
    assert repr(info) == "MemoryInfo(allocated_nbytes=100, peak_nbytes=200, total_nbytes=300)"


def test_the_repr_of_a_kernel_shows_what_it_serves() -> None:
    kernel = pt.Kernel("add", np.add, devices=["gpu"], dtypes=["float32"], priority=2, checked=False, writes=["x1"])
    text = repr(kernel)
    for part in ("'add'", "add", "?:gpu", "('float32',)", "priority=2", "unchecked", "writes=x1"):
        assert part in text
    assert API_VERSION.split(".")[0] == "1"


@pytest.mark.parametrize("argument", ["devices", "dtypes", "writes"])
def test_a_string_in_the_place_of_a_sequence_of_names_is_rejected(argument: str) -> None:
    with pytest.raises(RegistrationError, match=f"{argument}='cpu' is a string") as caught:
        pt.Kernel("add", np.add, **{argument: "cpu"})
    assert caught.value.fix == f"write {argument}=['cpu']"
    if argument == "dtypes":
        with pytest.raises(RegistrationError, match="dtypes='float32' is a string"):
            pt.Backend(name="backend_letters", dtypes="float32")


@pytest.mark.parametrize("name", ["A.b_c", "a-b-c", "a__b--c"])
def test_distribution_names_are_normalised_for_comparison(name: str) -> None:
    assert normalise(name) == "a-b-c"
