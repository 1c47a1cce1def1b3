"""A simulated accelerator for polytape: separate and limited memory, an asynchronous queue, injectable faults."""

from __future__ import annotations

from .memory import OutOfDeviceMemory, SimAccessError, SimArray, set_limit, unsafe_peek
from .stream import Fault, SimRaceError, inject, pending, synchronize

__all__ = [
    "Fault",
    "OutOfDeviceMemory",
    "SimAccessError",
    "SimArray",
    "SimRaceError",
    "inject",
    "pending",
    "set_limit",
    "synchronize",
    "unsafe_peek",
]
