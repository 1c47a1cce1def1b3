"""Trackable: an object whose variables and children a checkpoint saves by attribute path."""

from __future__ import annotations

__all__ = ["Trackable"]


class Trackable:
    """Base of objects that a `polytape.Checkpoint` follows: models, layers, optimizers."""
