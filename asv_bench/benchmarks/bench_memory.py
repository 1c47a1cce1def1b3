"""Peak memory of a taped step; memory.py has the hand count that it is compared with."""

from __future__ import annotations

import polytape as pt

from .common import DEVICES, OnDevice, skip
from .memory import CASES, peak_nbytes


class PeakMemory(OnDevice):
    """Peak bytes of a step, minus those in use before it; only for devices whose arrays are in host memory."""

    params = (DEVICES, tuple(CASES))
    param_names = ("device", "step")
    unit = "bytes"

    def prepare(self, device, step):
        if not pt.get_backend(pt.asarray(0.0, device=device).device.backend).host:
            skip(f"tracemalloc cannot measure the memory of {device}")
        self.run, _ = CASES[step](device)

    def track_peak_nbytes(self, device, step):
        return peak_nbytes(self.run)

    track_peak_nbytes.version = "1: second run"
