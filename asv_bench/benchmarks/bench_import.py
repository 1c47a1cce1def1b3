"""In fresh processes: the import, and the first op on each device."""

from __future__ import annotations

from .common import DEVICES, skip, unusable


class Import:
    """`import polytape`, and `import numpy`, which it includes."""

    number = 1
    repeat = (5, 15, 10.0)
    timeout = 120

    def timeraw_import_polytape(self):
        return "import polytape"

    def timeraw_import_numpy(self):
        return "import numpy"

    timeraw_import_polytape.version = timeraw_import_numpy.version = "1: one import per process"


class FirstOp:
    """From the import to the first result on the host: discovery, loading, resolution and one kernel."""

    params = DEVICES
    param_names = ("device",)
    number = 1
    repeat = (3, 10, 10.0)
    timeout = 120

    def setup(self, device):
        reason = unusable(device)
        if reason:
            skip(reason)

    def timeraw_first_op(self, device):
        return f"(pt.asarray([1.0], device={device!r}) + 1.0).numpy()", "import polytape as pt"

    timeraw_first_op.version = "1: one op per process"
