"""Questions to a device: wait for its queue, ask for its memory."""

from __future__ import annotations

from typing import Any

from ..backend import MemoryInfo
from . import selection

__all__ = ["memory_info", "synchronize"]


def synchronize(device: Any = None) -> None:
    """Wait until all work queued on a device is done.

    Args:
        device: default: where new tensors go.
    """
    chosen = selection.resolve_device(device)
    selection.backend_of(chosen).synchronize(chosen)


def memory_info(device: Any = None) -> MemoryInfo:
    """A device's memory, in bytes.

    Args:
        device: default: where new tensors go.
    Raises:
        MemoryInfoError: its backend does not report memory use.
    """
    chosen = selection.resolve_device(device)
    return selection.backend_of(chosen).info(chosen)
