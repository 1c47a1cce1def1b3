"""The stages of a graph: as traced, and after each pass. With POLYTAPE_DUMP_GRAPHS they are written to files."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from pathlib import Path
from typing import Final

from ..errors import SettingError
from .ir import Graph
from .passes import optimise

__all__ = ["dump", "stages"]

FOLDER: Final = os.environ.get("POLYTAPE_DUMP_GRAPHS", "").strip()


def stages(traced: Graph) -> dict[str, Graph]:
    """The graph as ``traced``, then after each pass, by the pass's name."""
    found = {"traced": traced}
    # The passes run on regions first; a pass's last graph is the whole one.
    optimise(traced, lambda graph, name: found.update({name: graph}))
    return found


def dump(traced: Graph, folder: str = FOLDER) -> Graph:
    """Write each stage of a new graph to a text file, in a numbered folder of its own; returns the graph.

    Args:
        traced: the graph.
        folder: where to; empty for nowhere. Several processes may write to one folder.
    Raises:
        SettingError: the files cannot be written.
    """
    if not folder:
        return traced
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        own = _numbered(Path(folder), re.sub(r"[^A-Za-z0-9.-]+", "_", traced.name).strip("_") or "graph")
        for position, (name, graph) in enumerate(stages(traced).items()):
            Path(own, f"{position}_{name}.txt").write_text(f"{graph}\n", encoding="utf-8")
    except OSError as error:
        raise SettingError(
            f"POLYTAPE_DUMP_GRAPHS={folder!r}: the stages of {traced.name} cannot be written.",
            expected="a folder that can be written",
            got=str(error),
            fix="name another folder, or unset POLYTAPE_DUMP_GRAPHS",
        ) from None
    return traced


def _numbered(folder: Path, name: str) -> Path:
    """A new folder ``0001_name``, with the next number; another process may use the same number for another name."""
    taken = [int(x.name[:4]) for x in folder.iterdir() if x.name[:4].isdecimal()]
    for number in itertools.count(max(taken, default=0) + 1):
        with contextlib.suppress(FileExistsError):
            found = folder / f"{number:04}_{name}"
            found.mkdir()
            return found
    raise AssertionError("the numbers do not end")
