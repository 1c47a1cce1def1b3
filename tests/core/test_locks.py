"""Locks after a fork: the child takes them, whatever another thread of the parent held."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from polytape.locks import process_lock, renewed_lock

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def status_of_child(lock: threading.RLock) -> int:  # type: ignore[valid-type]  # a function in typeshed
    process = os.fork()
    if process == 0:
        os._exit(0 if lock.acquire(timeout=60.0) else 1)  # type: ignore[attr-defined]
    return os.waitpid(process, 0)[1]


def test_a_fork_waits_for_a_process_lock_and_the_child_gets_it_free() -> None:
    lock = process_lock()
    held, released = threading.Event(), []

    def hold() -> None:
        with lock:
            held.set()
            time.sleep(0.1)
            released.append(True)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    status = status_of_child(lock)
    assert released == [True] and status == 0
    thread.join()
    with lock:  # the thread that forks may hold it
        assert status_of_child(lock) == 0


def test_a_renewed_lock_is_free_in_the_child_although_another_thread_holds_it() -> None:
    lock = renewed_lock()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    assert status_of_child(lock) == 0
    assert not lock.acquire(blocking=False)  # the parent's own lock is still held
    done.set()
    thread.join()


SLOW = """
import threading
imported = threading.main_thread() is threading.current_thread()
if not imported:
    import test_locks_events
    test_locks_events.begun.set()
    test_locks_events.forked.wait()
    imported = True
"""


def test_a_child_imports_what_another_thread_was_importing_during_the_fork(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "polytape_slow.py").write_text(SLOW)
    (tmp_path / "test_locks_events.py").write_text(
        "import threading\nbegun, forked = threading.Event(), threading.Event()"
    )
    monkeypatch.syspath_prepend(tmp_path)
    events = importlib.import_module("test_locks_events")
    thread = threading.Thread(target=importlib.import_module, args=("polytape_slow",))
    thread.start()
    events.begun.wait()
    process = os.fork()
    if process == 0:
        signal.alarm(60)  # ends the child if the import hangs
        os._exit(0 if importlib.import_module("polytape_slow").imported else 1)
    status = os.waitpid(process, 0)[1]
    events.forked.set()
    thread.join()
    assert status == 0 and importlib.import_module("polytape_slow").imported
    del sys.modules["polytape_slow"], sys.modules["test_locks_events"]
