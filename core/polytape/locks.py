"""Locks that do not hang a forked process: its other threads do not exist, so nothing there would release a lock."""

from __future__ import annotations

import importlib
import os
import sys
import weakref
from _thread import RLock, get_ident
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


def _forget_imports_of_other_threads() -> None:
    """Import again, when it is next needed, each of our modules that another thread was importing during the fork.

    The import system locks a module while a thread executes it, and keeps that lock in the child, where an import of
    the same module would wait for ever. Much of polytape is imported when it is first used, so a fork is likely to meet
    such a lock. A module that must not be executed twice, such as a family of ops, is imported under a `process_lock`.
    """
    locks = getattr(getattr(importlib, "_bootstrap", None), "_module_locks", {})
    for name, reference in list(locks.items()):
        owner = getattr(reference(), "owner", None)
        if name.startswith("polytape") and owner not in (None, get_ident()):
            del locks[name]
            sys.modules.pop(name, None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
    os.register_at_fork(after_in_child=_forget_imports_of_other_threads)
