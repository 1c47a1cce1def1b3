"""Checkpoints: objects saved to one safetensors file each, and restored completely or not at all.

`manager` and `managing` hold what users call, `background` runs a save beside the program. `objects`, `collecting`,
`children` and `nodes` find variables by attribute path; `restoring` gives them their values, and `status` says which.
`format`, `header` and `parsing` hold the layout of the file, `loading` and `checksums` its data; `files`, `reading` and
`file_locks` access it. `structures` saves structures of tensors. `series`, `directory`, `numbering`, `state` and
`writers` look after a directory of checkpoints that several processes may use.

May import: `device`, `dtypes`, `errors`, `settings`, `state`, `tensors`.
"""

from __future__ import annotations

from .manager import Checkpoint
from .managing import CheckpointManager
from .state import latest_checkpoint
from .status import Status

__all__ = ["Checkpoint", "CheckpointManager", "Status", "latest_checkpoint"]
