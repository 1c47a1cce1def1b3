"""Graphs in files: a traced function is written to one file, and runs from it without its Python source.

`values` writes attributes and structures as JSON, `writing` makes the file, `parsing` reads and checks it, `equations`
its equations and those of regions, `placing` finds what is on the host, `assembling` makes a graph of it for one
device, and `loaded` makes that graph callable. `text` reads the printed form (`tokens`).
"""

from __future__ import annotations

from .loaded import LoadedGraph, load_graph

__all__ = ["LoadedGraph", "load_graph"]
