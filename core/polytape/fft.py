"""Discrete Fourier transforms. The ops are declared in `polytape.ops.fft`, a module per family."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ops.fft.several import *
    from .ops.fft.transforms import *
else:
    from .ops import families

    __getattr__, __dir__ = families.lazy_namespace("fft", globals())
