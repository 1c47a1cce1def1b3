"""``tfe.Iterator``: one pass over a dataset."""

from __future__ import annotations

from ..tf1.data_iterators import Iterator

__all__ = ["Iterator"]
