"""Peak memory of a taped step, beside the hand count in memory.py."""

from __future__ import annotations

import polytape as pt

from .common import DEVICES, OnDevice, skip
from .memory import CASES, peak_nbytes


class PeakMemory(OnDevice):
    """Bytes at the worst moment above what was there before; where arrays are on the host."""

    params = (DEVICES, tuple(CASES))
    param_names = ("device", "step")
    unit = "bytes"

    def prepare(self, device, step):
        if not pt.get_backend(pt.asarray(0.0, device=device).device.backend).host:
            skip(f"tracemalloc does not see the memory of {device}")
        self.run, _ = CASES[step](device)

    def track_peak_nbytes(self, device, step):
        return peak_nbytes(self.run)

    track_peak_nbytes.version = "1: second run"
