"""Policies of the process, and questions to a device."""

from __future__ import annotations

import pytest

import polytape as pt
from polytape.errors import MemoryInfoError, SettingError
from polytape.settings import settings


def test_each_policy_gives_the_one_before() -> None:
    assert (settings().fallback, settings().mixed_devices) == ("error", "explicit")
    try:
        assert pt.set_fallback("allow") == "error" and pt.set_fallback("warn") == "allow"
        assert pt.set_mixed_devices("silent") == "explicit" and settings().mixed_devices == "silent"
    finally:
        pt.set_fallback("error")
        pt.set_mixed_devices("explicit")


def test_words_that_are_no_policy_are_refused() -> None:
    for call in (pt.set_fallback, pt.set_mixed_devices):
        with pytest.raises(SettingError, match="is no policy"):
            call("maybe")


def test_synchronize_waits_for_a_device() -> None:
    pt.synchronize()
    pt.synchronize("numpy")
    with pytest.raises(pt.PolytapeError):
        pt.synchronize("nunpy")


def test_a_backend_without_statistics_says_so_by_type() -> None:
    with pytest.raises(MemoryInfoError, match="keeps no count") as caught:
        pt.memory_info("numpy:cpu:0")
    assert isinstance(caught.value, NotImplementedError) and caught.value.fix
