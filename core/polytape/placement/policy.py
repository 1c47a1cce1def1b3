"""Policies of the process, and questions to a device."""

from __future__ import annotations

from typing import Any

from ..backend import MemoryInfo
from ..settings import change_settings
from . import selection

__all__ = ["memory_info", "set_fallback", "set_mixed_devices", "synchronize"]


def set_fallback(policy: str) -> str:
    """What happens where a device has neither kernel nor decomposition for an op.

    Args:
        policy: ``"error"`` (default), ``"warn"`` (run it on the host, warn once per op) or ``"allow"``.
    Returns:
        The policy before.
    Raises:
        SettingError: another word.
    """
    from ..registry import tables

    old = change_settings(fallback=policy).fallback
    for op in tables.ops().values():
        if op.decomposed:
            op.forget()
    return old


def set_mixed_devices(policy: str) -> str:
    """What happens where an op's tensors are on different devices.

    Args:
        policy: ``"explicit"`` (default: an error), ``"warn"`` (move them to the first one's device, with a warning)
            or ``"silent"``.
    Returns:
        The policy before.
    Raises:
        SettingError: another word.
    """
    return change_settings(mixed_devices=policy).mixed_devices


def synchronize(device: Any = None) -> None:
    """Wait until all work queued on a device is done.

    Args:
        device: default: where new tensors go.
    """
    place = selection.default_device() if device is None else selection.resolve_device(device)
    selection.backend_of(place).synchronize(place)


def memory_info(device: Any = None) -> MemoryInfo:
    """A device's memory, in bytes.

    Args:
        device: default: where new tensors go.
    Raises:
        MemoryInfoError: its backend keeps no count.
    """
    place = selection.default_device() if device is None else selection.resolve_device(device)
    return selection.backend_of(place).info(place)
