"""Locks that do not hang a forked process: its other threads do not exist, so nothing there would release a lock."""

from __future__ import annotations

import os
import weakref
from _thread import RLock
from typing import Final

__all__ = ["process_lock", "renewed_lock"]


def process_lock() -> RLock:
    """A re-entrant lock that `os.fork` waits for, so that the child gets it free and what it guards is whole.

    Create it when the module that it protects is imported. A fork takes all of these locks, the last created first, so
    code may take a second one only of a module that is imported earlier, that is of a lower layer.
    """
    lock = RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock


_renewed: Final[weakref.WeakSet[RLock]] = weakref.WeakSet()


def renewed_lock() -> RLock:
    """A re-entrant lock that is free in a forked child, even if another thread holds it during the fork.

    What it guards must be valid at any time: the lock only keeps two threads from doing the same work.
    """
    lock = RLock()
    _renewed.add(lock)
    return lock


def _renew() -> None:
    for lock in list(_renewed):
        lock._at_fork_reinit()  # type: ignore[attr-defined]  # not in typeshed; logging and threading call it too


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
