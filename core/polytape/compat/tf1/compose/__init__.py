"""What rows of the tables call where TensorFlow's op is several of polytape's: pure functions of tensors."""

from __future__ import annotations

__all__: list[str] = []
