"""The overhead of an op, layer by layer, on 10 floats."""

from __future__ import annotations

import numpy as np

import polytape as pt

from .common import LOOPS, OnDevice, check, skip, turns

SAMPLING = f"1: {LOOPS} calls per sample"


def raw_kernel(device):
    """The kernel function for add of the device's backend, or of a backend that it extends; None if there is none."""
    for backend in pt.get_backend(pt.asarray(0.0, device=device).device.backend).chain():
        for kernel in backend.all_kernels():
            if kernel.op == "add" and kernel.checked and kernel.when is None:
                return kernel.fn
    return None


class Dispatch(OnDevice):
    """1,000 calls each of ops on different paths through dispatch."""

    def prepare(self, device):
        host = np.arange(10, dtype="f4")
        self.a = pt.asarray(host, device=device)
        self.wide = pt.asarray(host.astype("f8"), device=device)
        self.mask = pt.asarray(host > 4, device=device)
        check(
            [pt.add(self.a, self.a), self.a + 2.0, self.a + self.wide, pt.where(self.mask, self.a, 0.0)],
            [host + host, host + 2, host + host, np.where(host > 4, host, 0)],
        )

    def time_op(self, device):
        add, a = pt.add, self.a
        for _ in turns():
            add(a, a)

    def time_operator(self, device):
        a = self.a
        for _ in turns():
            a + a

    def time_scalar(self, device):
        a = self.a
        for _ in turns():
            a + 2.0

    def time_unwatched_under_tape(self, device):
        add, a = pt.add, self.a
        with pt.GradientTape():
            for _ in turns():
                add(a, a)

    def time_promotion(self, device):
        add, a, wide = pt.add, self.a, self.wide
        for _ in turns():
            add(a, wide)

    def time_general(self, device):
        where, mask, a = pt.where, self.mask, self.a
        for _ in turns():
            where(mask, a, a)

    def time_reduction_over_axis(self, device):
        sum_, a = pt.sum, self.a
        for _ in turns():
            sum_(a, axis=0)

    for _benchmark in (
        time_op, time_operator, time_scalar, time_unwatched_under_tape, time_promotion, time_general,
        time_reduction_over_axis,
    ):  # fmt: skip
        _benchmark.version = SAMPLING
    del _benchmark


class RawKernel(OnDevice):
    """The layer below dispatch: 1,000 calls of the kernel itself, on native arrays."""

    def prepare(self, device):
        self.kernel = raw_kernel(device)
        if self.kernel is None:
            skip(f"{device} has no add kernel that can be called without core's checks")
        self.array = pt.asarray(np.arange(10, dtype="f4"), device=device).array

    def time_raw_kernel(self, device):
        kernel, array = self.kernel, self.array
        for _ in turns():
            kernel(array, array)

    time_raw_kernel.version = SAMPLING


class Recorded(OnDevice):
    """The layer above dispatch: 1,000 ops on a watched tensor, recorded by a tape and then freed with it."""

    def prepare(self, device):
        host = np.arange(10, dtype="f4")
        self.a = pt.asarray(host, device=device)
        self.watched = pt.asarray(host, device=device)
        with pt.GradientTape() as tape:
            tape.watch(self.watched)
            y = pt.add(self.watched, self.a)
        check([tape.gradient(y, self.watched)], [np.ones(10)])

    def time_recorded(self, device):
        add, a, watched = pt.add, self.a, self.watched
        with pt.GradientTape() as tape:
            tape.watch(watched)
            for _ in turns():
                add(watched, a)

    time_recorded.version = SAMPLING
