"""Process policies, and functions that query a device."""

from __future__ import annotations

import pytest

import polytape as pt
from polytape.errors import MemoryInfoError, SettingError
from polytape.settings import settings


def test_setting_a_policy_returns_the_previous_one() -> None:
    assert (settings().fallback, settings().mixed_devices) == ("error", "explicit")
    try:
        assert pt.set_fallback("allow") == "error" and pt.set_fallback("warn") == "allow"
        assert pt.set_mixed_devices("silent") == "explicit" and settings().mixed_devices == "silent"
    finally:
        pt.set_fallback("error")
        pt.set_mixed_devices("explicit")


def test_an_invalid_policy_is_rejected() -> None:
    for call in (pt.set_fallback, pt.set_mixed_devices):
        with pytest.raises(SettingError, match="is not a valid policy"):
            call("maybe")


def test_synchronize_waits_for_a_device() -> None:
    pt.synchronize()
    pt.synchronize("numpy")
    with pytest.raises(pt.PolytapeError):
        pt.synchronize("nunpy")


def test_a_backend_without_memory_statistics_raises_an_error_of_its_own_type() -> None:
    with pytest.raises(MemoryInfoError, match="does not report memory use") as caught:
        pt.memory_info("numpy:cpu:0")
    assert isinstance(caught.value, NotImplementedError) and caught.value.fix
