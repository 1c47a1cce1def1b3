"""The kinds of equations with regions that control flow adds to a graph, by the names of their ops."""

from __future__ import annotations

from typing import Final

from ..graph.regions import Regions
from .branching import Branches
from .looping import Repeated
from .scanning import Steps

__all__ = ["FORMS"]

FORMS: Final[dict[str, type[Regions]]] = {"cond": Branches, "scan": Steps, "while_loop": Repeated}
