"""A backend that several threads, or a forked process, load at the same time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Child = Callable[..., "CompletedProcess[str]"]


def slow_plugin(site: Path, body: str) -> Path:
    """A distribution whose plugin takes time to import."""
    info = site / "polytape_slow-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: polytape-slow\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[polytape.backends.v1]\nslow = polytape_slow\n")
    (site / "polytape_slow.py").write_text(f"import polytape as pt\n{body}")
    return site


def test_concurrent_requests_load_a_backend_once(child: Child, tmp_path: Path) -> None:
    body = """
import time
print("imported")
time.sleep(0.2)
@pt.hookimpl
def polytape_backend():
    print("created")
    return pt.Backend(name="slow", extends="numpy")
"""
    code = """
import threading, polytape as pt
backends = []
threads = [threading.Thread(target=lambda: backends.append(pt.get_backend("slow"))) for _ in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
print(len(backends), len(set(map(id, backends))))
"""
    assert child(code, slow_plugin(tmp_path / "site", body)).stdout.split("\n")[:3] == [
        "imported", "created", "8 1",
    ]  # fmt: skip


def test_a_child_forked_while_another_thread_is_loading_can_load_as_well(child: Child, tmp_path: Path) -> None:
    body = """
import time
time.sleep(0.5)
@pt.hookimpl
def polytape_backend(): return pt.Backend(name="slow", extends="numpy")
"""
    code = """
import os, threading, time, warnings, polytape as pt
warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns about forking with threads, which is the point here
thread = threading.Thread(target=pt.get_backend, args=("slow",))
thread.start(); time.sleep(0.2)
pid = os.fork()
if pid == 0:
    os._exit(0 if pt.get_backend("slow").name == "slow" and pt.get_backend("numpy").name == "numpy" else 1)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
thread.join()
"""
    if not hasattr(__import__("os"), "fork"):
        pytest.skip("this system cannot fork")
    assert child(code, slow_plugin(tmp_path / "site", body)).stdout == "0\n"
