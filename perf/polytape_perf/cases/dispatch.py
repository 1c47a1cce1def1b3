"""What surrounds a kernel, layer by layer, on ten floats."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final

import numpy as np

import polytape as pt

from .case import Call, Case, Skipped, check

__all__ = ["CASES"]

OPS: Final = 100
HOST: Final = np.arange(10, dtype="f4")


def raw_kernel(device: str) -> Call:
    """The layer below dispatch: the kernel itself, on native arrays."""
    name = device.partition(":")[0]
    array = pt.asarray(HOST, device=device).array
    for kernel in pt.get_backend(name).all_kernels():
        if kernel.op == "add" and kernel.checked and kernel.when is None:
            fn = kernel.fn
            check(pt.add(pt.asarray(HOST, device=device), 0.0), HOST)
            return lambda: fn(array, array)
    raise Skipped(f"{name} has no add kernel of its own that can be called without core's checks")


def _call(call: Callable[[Any], Any], expected: Any) -> Callable[[str], Call]:
    """A case of one tensor."""

    def make(device: str) -> Call:
        a = pt.asarray(HOST, device=device)
        check(call(a), expected)
        return lambda: call(a)

    return make


def add(device: str) -> Call:
    """The shortest way to a kernel."""
    a, op = pt.asarray(HOST, device=device), pt.add
    check(op(a, a), HOST + HOST)
    return lambda: op(a, a)


def promotion(device: str) -> Call:
    """Operands of two dtypes."""
    a, wide, op = pt.asarray(HOST, device=device), pt.asarray(HOST.astype("f8"), device=device), pt.add
    check(op(a, wide), HOST + HOST)
    return lambda: op(a, wide)


def where(device: str) -> Call:
    """Three operands of two dtypes: the general path."""
    a, mask, op = pt.asarray(HOST, device=device), pt.asarray(HOST > 4, device=device), pt.where
    check(op(mask, a, a), HOST)
    return lambda: op(mask, a, a)


def under_tape(device: str) -> Call:
    """Ops on an unwatched tensor while a tape is open."""
    a, op = pt.asarray(HOST, device=device), pt.add

    def call() -> Any:
        with pt.GradientTape():
            for _ in itertools.repeat(None, OPS):
                y = op(a, a)
        return y

    check(call(), HOST + HOST)
    return call


def recorded(device: str) -> Call:
    """Ops on a watched tensor, recorded by a tape and then freed with it."""
    a, watched, op = pt.asarray(HOST, device=device), pt.asarray(HOST, device=device), pt.add

    def call() -> Any:
        with pt.GradientTape() as tape:
            tape.watch(watched)
            for _ in itertools.repeat(None, OPS):
                y = op(watched, a)
        return tape, y

    tape, y = call()
    check(tape.gradient(y, watched), np.ones(10))
    return call


CASES: Final = (
    Case("dispatch/raw_kernel", raw_kernel),
    Case("dispatch/add", add, panel=True),
    Case("dispatch/operator", _call(lambda a: a + a, HOST + HOST)),
    Case("dispatch/scalar", _call(lambda a: a + 2.0, HOST + 2), panel=True),
    Case("dispatch/promotion", promotion),
    Case("dispatch/where", where, panel=True),
    Case("dispatch/sum_over_axis", _call(lambda a: pt.sum(a, axis=0), HOST.sum())),
    Case("dispatch/100_adds_under_tape", under_tape),
    Case("dispatch/100_adds_recorded", recorded),
)
