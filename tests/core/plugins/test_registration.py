"""Backends registered in process, without a plugin."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CompletedProcess

Child = Callable[..., "CompletedProcess[str]"]


def test_a_backend_can_be_registered_in_process(child: Child) -> None:
    code = """
import polytape as pt
backend = pt.Backend(name="mine", extends="numpy")
with pt.register_backend(backend) as mine:
    status = [s for s in pt.backends() if s.name == "mine"][0]
    print(mine is backend, status.status, status.distribution, pt.get_backend("mine").provider)
    with pt.device("mine"):
        print(pt.current_backend().name)
try:
    pt.get_backend("mine")
except pt.errors.BackendError as error:
    print(error.summary[:17])
handle = pt.register_backend(pt.Backend(name="mine", extends="numpy"))
print(handle, pt.get_backend("mine"))
for name in ("mine", "numpy", "good", "My Name"):
    try:
        pt.register_backend(pt.Backend(name=name, extends="numpy"))
    except pt.errors.RegistrationError as error:
        print(error.summary)
try:
    pt.register_backend(pt.Backend(name="sad", probe=lambda: pt.Probe(False, "no card", "buy one")))
except pt.errors.BackendError as error:
    print(error.summary)
"""
    assert child(code, "good").stdout.splitlines() == [
        "True ready in-process in-process",
        "mine",
        "no backend 'mine'",
        "RegisteredBackend('mine') Backend('mine', extends='numpy')",
        "the backend name 'mine' is taken.",
        "the backend name 'numpy' is taken.",
        "the backend name 'good' is taken.",
        "'My Name' is not a valid backend name.",
        "backend 'sad' cannot be used: no card.",
    ]
