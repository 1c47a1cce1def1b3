"""What every benchmark class shares: the devices, skips with a reason, a clock that waits for the device.

Since asv_runner 0.3 a benchmark with a set-up hook gets one call per sample, and the runner's own overhead with it. So
the hook is cached, and whatever takes microseconds runs in an inner loop of `LOOPS`: the time shown is of the loop.
"""

from __future__ import annotations

import itertools
import sys
import time

import numpy as np

import polytape as pt

# Known names stay in the list where their backend is missing: it shows as n/a instead of as a shorter table.
KNOWN = ("numpy:cpu", "numba:cpu", "sim:sim", "cupy:gpu")
LOOPS = 1000


def registered():
    """First devices of installed backends that nobody listed here: a stranger's runs the same suite."""
    ready = [status for status in pt.backends() if status.status == "ready" and status.devices]
    names = [f"{status.name}:{status.devices[0].kind}" for status in ready]
    return [name for name in names if name not in KNOWN]


DEVICES = (*KNOWN, *registered())


def unusable(device):
    """Why a device cannot be used here, "" where it can."""
    try:
        pt.asarray(np.zeros(1, "f4"), device=device)
    except pt.PolytapeError as error:
        return str(error).splitlines()[0]
    return ""


def skip(reason):
    """End set-up: asv shows n/a, and the reason with --show-stderr."""
    print(f"skipped: {reason}", file=sys.stderr)
    raise NotImplementedError(reason)


def turns(count=LOOPS):
    """An iterator for an inner loop, cheaper than range."""
    return itertools.repeat(None, count)


def check(actual, expected, rtol=1e-5, atol=1e-6):
    """Whether what is about to be timed computes what NumPy computes."""
    for one, other in zip(actual, expected, strict=True):
        host = one.numpy() if isinstance(one, pt.Tensor) else np.asarray(one)
        np.testing.assert_allclose(host, other, rtol=rtol, atol=atol)


class OnDevice:
    """A benchmark whose first parameter is `backend:device`. Subclasses give `prepare`, run once per process."""

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
        raise NotImplementedError("a benchmark class prepares its own operands")

    @staticmethod
    def clock(device):
        """A clock that first waits for the device: otherwise only the launching of work is timed."""
        place = pt.asarray(0.0, device=device).device
        wait = pt.get_backend(place.backend).synchronize

        def now():
            wait(place)
            return time.perf_counter()

        return now
