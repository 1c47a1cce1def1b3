"""Backends that cannot work are rejected when they are registered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import RegistrationError
from polytape.registry.backend_checks import check_backend

BAD: list[tuple[dict[str, Any], str]] = [
    *[({"name": name}, "its name is reserved") for name in ("auto", "none", "device", "cpu", "gpu", "tpu")],
    ({"devices": lambda: [("cpu", 1), ("cpu", 2)]}, "its devices\\(\\) does not return valid devices"),
    ({"devices": lambda: [("GPU", 1)]}, "does not return valid devices"),
    ({"devices": lambda: [("my gpu", 1)]}, "does not return valid devices"),
    ({"devices": lambda: [("auto", 1)]}, "does not return valid devices"),
    ({"devices": lambda: [("gpu", -1)]}, "does not return valid devices"),
    ({"devices": lambda: [("gpu", "1")]}, "does not return valid devices"),
    ({"devices": lambda: [("gpu", True)]}, "does not return valid devices"),
    ({"devices": lambda: ["gpu"]}, "does not return valid devices"),
    ({"devices": lambda: "gpu"}, "does not return valid devices"),
    ({"devices": lambda: 2}, "does not return valid devices"),
    ({"dtypes": ["float32", "float31"]}, "it lists dtypes that do not exist"),
    ({"rank": "high"}, "its rank is not an int"),
    ({"kernels": [np.add]}, "its kernels contain something else"),
]


@pytest.mark.parametrize(("members", "text"), BAD)
def test_a_backend_that_cannot_work_is_rejected(members: dict[str, Any], text: str) -> None:
    backend = pt.Backend(**{"name": "checks_bad", "extends": "numpy", **members})
    with pytest.raises(RegistrationError, match=text) as caught:
        pt.register_backend(backend)
    assert repr(backend.name) in caught.value.summary and "in-process" in caught.value.summary
    assert caught.value.expected and caught.value.got and caught.value.fix
    assert backend.name not in {loaded.name for loaded in pt.plugins.loaded()}


def test_several_kinds_of_devices_and_none_of_one_kind_are_valid() -> None:
    devices = [("gpu", 2), ("npu", 0), ("cpu", 1)]
    with pt.register_backend(pt.Backend(name="checks_many", extends="numpy", devices=lambda: devices)) as backend:
        assert [str(device) for device in backend.device_list()] == [
            "checks_many:gpu:0", "checks_many:gpu:1", "checks_many:cpu:0",
        ]  # fmt: skip


@pytest.mark.parametrize("name", ["numpy", "numba", "cupy"])
def test_polytape_s_own_backends_pass(name: str) -> None:
    """They are not checked when they load, which keeps the first tensor fast."""
    statuses = {status.name: status for status in pt.backends()}
    if statuses[name].status != "ready":
        pytest.skip(statuses[name].reason)
    check_backend(pt.get_backend(name))
