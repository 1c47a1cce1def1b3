"""Checkpoints: objects saved to one safetensors file each, and restored whole or not at all."""

from __future__ import annotations

from .manager import Checkpoint
from .restoring import Status
from .state import latest_checkpoint

__all__ = ["Checkpoint", "Status", "latest_checkpoint"]
