"""The rows of the tables, by family; `polytape.compat.tf1.tables` says how to read them."""

from __future__ import annotations

__all__: list[str] = []
