"""Query a device: wait for its queue, report its memory."""

from __future__ import annotations

from typing import Any

from ..backend import MemoryInfo
from . import selection

__all__ = ["memory_info", "synchronize"]


def synchronize(device: Any = None) -> None:
    """Wait until all work queued on a device is done.

    Args:
        device: by default, the device of new tensors.
    """
    target = selection.resolve_device(device)
    selection.backend_of(target).synchronize(target)


def memory_info(device: Any = None) -> MemoryInfo:
    """The memory of a device, in bytes.

    Args:
        device: by default, the device of new tensors.
    Raises:
        MemoryInfoError: the backend does not report memory use.
    """
    target = selection.resolve_device(device)
    return selection.backend_of(target).info(target)
