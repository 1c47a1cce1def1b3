"""All adapters."""

from __future__ import annotations

from .algebra import ALGEBRA
from .creating import CREATING
from .drawing import DRAWING
from .elementwise import ELEMENTWISE
from .indexing import INDEXING
from .losses import LOSSES
from .mapped import merged
from .neural import NEURAL
from .reducing import REDUCING
from .shaping import SHAPING

__all__ = ["MAPS"]

MAPS = merged(ELEMENTWISE, REDUCING, SHAPING, INDEXING, CREATING, ALGEBRA, NEURAL, LOSSES, DRAWING)
