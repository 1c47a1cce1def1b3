"""Special functions. The ops are declared in `polytape.ops.special`, a module per family."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ops.special.bessel import *
    from .ops.special.error import *
    from .ops.special.gamma import *
    from .ops.special.incomplete import *
    from .ops.special.information import *
else:
    from .ops import families

    __getattr__, __dir__ = families.lazy_namespace("special", globals())
