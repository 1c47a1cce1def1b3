"""Adapters that need statements, by family: each composes ops of polytape in TensorFlow's form."""

from __future__ import annotations

__all__: list[str] = []
