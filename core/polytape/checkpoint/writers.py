"""The processes that save: which one this is, and whether another one still runs."""

from __future__ import annotations

import os
import sys
from typing import Final

__all__ = ["is_running", "this_process"]

_known: dict[int, str] = {}  # this process, by its id: a forked child is another one


def this_process() -> str:
    """The machine, id and start time of this process, which no other process has."""
    pid = os.getpid()
    name = _known.get(pid)
    if name is None:
        name = f"{_machine()} {pid} {_start_time(pid)}"
        _known.clear()
        _known[pid] = name
    return name


def is_running(process: str) -> bool | None:
    """Whether the process with this name runs; None if it is on another machine or in another container."""
    machine, _, rest = process.partition(" ")
    number, _, start = rest.partition(" ")
    if machine != _machine() or not number.isdecimal() or sys.platform == "win32":
        return True if process == this_process() else None
    pid: Final = int(number)
    if start:
        return _start_time(pid) == start
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it runs for another user
        return True
    return True


def _machine() -> str:
    """A name of the running system and, in a container, of its process ids."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        import platform

        return platform.node().replace(" ", "-") or "unknown"


def _start_time(pid: int) -> str:
    """When a process started, in clock ticks; "" if it does not run, has ended, or the system does not say."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The second field, the program's name, is in parentheses and may itself contain spaces and parentheses.
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in (b"Z", b"X") else fields[19].decode("ascii")
