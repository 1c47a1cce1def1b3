"""Checkpoints: objects saved to one safetensors file each, and restored completely or not at all.

`manager` holds what users call. `objects` finds variables by attribute path, `restoring` gives them their values,
`format`, `header` and `files` read and write the file, `state` the file that names the latest checkpoint.

May import: `dtypes`, `errors`, `state`, `tensors`.
"""

from __future__ import annotations

from .manager import Checkpoint
from .restoring import Status
from .state import latest_checkpoint

__all__ = ["Checkpoint", "Status", "latest_checkpoint"]
