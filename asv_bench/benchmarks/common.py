"""Shared code of the benchmark classes: the devices, skips with a reason, a clock that waits for the device.

Since version 0.3, asv_runner calls a benchmark with a set-up hook once per sample, and its own overhead is part of the
sample. Therefore the hook is cached, and anything that takes microseconds runs in an inner loop of `LOOPS` calls: the
reported time is that of the whole loop.
"""

from __future__ import annotations

import itertools
import sys
import time

import numpy as np

import polytape as pt

# These are always in the list: a missing backend is then shown as n/a, instead of making the table shorter.
KNOWN = ("numpy:cpu", "numba:cpu", "sim:sim", "cupy:gpu")
LOOPS = 1000


def other_devices():
    """The first device of each other ready backend, so that a third party's backend runs the same suite."""
    ready = [status for status in pt.backends() if status.status == "ready" and status.devices]
    names = [f"{status.name}:{status.devices[0].kind}" for status in ready]
    return [name for name in names if name not in KNOWN]


DEVICES = (*KNOWN, *other_devices())


def unusable(device):
    """Why a device cannot be used, or "" if it can."""
    try:
        pt.asarray(np.zeros(1, "f4"), device=device)
    except pt.PolytapeError as error:
        return str(error).splitlines()[0]
    return ""


def skip(reason):
    """Skip the benchmark: asv shows n/a, and with --show-stderr the reason."""
    print(f"skipped: {reason}", file=sys.stderr)
    raise NotImplementedError(reason)


def turns(count=LOOPS):
    """An iterator for an inner loop, faster than range."""
    return itertools.repeat(None, count)


def check(actual, expected, rtol=1e-5, atol=1e-6):
    """Assert that the timed code computes NumPy's results."""
    for value, reference in zip(actual, expected, strict=True):
        host = value.numpy() if isinstance(value, pt.Tensor) else np.asarray(value)
        np.testing.assert_allclose(host, reference, rtol=rtol, atol=atol)


class OnDevice:
    """A benchmark whose first parameter is `backend:device`; a subclass defines `prepare`, run once per process."""

    params = DEVICES
    param_names = ("device",)
    number = 1
    repeat = (3, 20, 5.0)
    warmup_time = 0.05
    timeout = 120
    prepared = None

    def setup(self, device, *rest):
        if self.prepared == (device, *rest):
            return  # asv calls this before each sample
        reason = unusable(device)
        if reason:
            skip(reason)
        self.timer = self.clock(device)
        self.prepare(device, *rest)
        self.prepared = (device, *rest)

    def prepare(self, device, *rest):
        raise NotImplementedError("a benchmark class defines prepare()")

    @staticmethod
    def clock(device):
        """A clock that first waits for the device; otherwise only the launch of the work would be timed."""
        resolved = pt.asarray(0.0, device=device).device
        wait = pt.get_backend(resolved.backend).synchronize

        def now():
            wait(resolved)
            return time.perf_counter()

        return now
