"""Registration of a backend, and resolution: the search for the kernel of an op on new types of operands."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

import polytape as pt

from .case import Call, Case, check

__all__ = ["CASES"]

NAME: Final = "polytape-perf-plugin"
HOST: Final = np.arange(10, dtype="f4")


def _backend(device: str) -> Any:
    return pt.Backend(name=NAME, extends=device.partition(":")[0])


def register(device: str) -> Call:
    """Register a backend that extends the device's, and remove it again."""

    def call() -> Any:
        with pt.register_backend(_backend(device)) as registered:
            return registered

    call()
    assert NAME not in [status.name for status in pt.backends()]
    return call


def resolve(device: str) -> Call:
    """The first call of four ops on a backend: each is resolved and checked, and runs once."""
    kind = device.partition(":")[2]

    def call() -> Any:
        with pt.register_backend(_backend(device)):
            a = pt.asarray(HOST, device=f"{NAME}:{kind}")
            return (pt.sum(pt.exp(a * 0.0) + a)).numpy()

    check(call(), 55.0)
    return call


CASES: Final = (Case("plugins/register", register), Case("plugins/resolve_4_ops", resolve, panel=True))
