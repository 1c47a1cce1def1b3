"""One call of an op: operands that are drawn, attributes, and for a wrong call the error it must raise."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from .makers import Array, Maker

__all__ = ["ErrorSample", "Sample", "error", "sample"]


class Sample:
    """Operands and attributes of one call.

    Attributes:
        smooth: whether its gradient is checked. Not so where it sits on a kink, or is NaN or infinite.
        layout: how operands lie in memory: ``""``, ``"transposed"``, ``"strided"`` or ``"reversed"``.
        signs: whether the sign of a zero counts.
    """

    __slots__ = ("attributes", "layout", "operands", "signs", "smooth")

    def __init__(
        self,
        operands: Sequence[Maker],
        attributes: dict[str, Any],
        *,
        smooth: bool = True,
        layout: str = "",
        signs: bool = False,
    ) -> None:
        self.operands = tuple(operands)
        self.attributes = attributes
        self.smooth = smooth
        self.layout = layout
        self.signs = signs

    def __repr__(self) -> str:
        given = [*map(repr, self.operands), *(f"{name}={value!r}" for name, value in self.attributes.items())]
        return f"({', '.join(given)}{', ' + self.layout if self.layout else ''})"

    def dtypes(self) -> tuple[str, ...]:
        """The dtypes it is run for; ``("",)`` if none of its operands varies."""
        varying = [maker.dtypes for maker in self.operands if maker.varies]
        if not varying:
            return ("",)
        return tuple(name for name in varying[0] if all(name in names for names in varying))

    def size(self) -> int:
        """Number of elements of all operands."""
        return sum(math.prod(maker.shape) for maker in self.operands)

    def hosts(self, dtype: str, *, seed: int = 0) -> list[Array]:
        """The operands as NumPy arrays."""
        rng = np.random.default_rng([zlib.crc32(repr(self).encode()), seed])
        kind = dtypes.lookup(dtype or "float32")
        return [maker.make(rng, kind) for maker in self.operands]

    def untied(self) -> list[Array]:
        """The operands in float64 without a tie or a zero anywhere, for gradients beside kinks."""
        hosts = self.hosts("float64")
        rng = np.random.default_rng(7)
        total = sum(host.size for host, maker in zip(hosts, self.operands, strict=True) if maker.varies)
        pool = (rng.permutation(total) - total / 2 + 0.3) * (4.0 / max(total, 1))
        found, start = [], 0
        for host, maker in zip(hosts, self.operands, strict=True):
            stop = start + host.size
            found.append(pool[start:stop].reshape(host.shape) if maker.varies else host)
            start = stop if maker.varies else start
        return found


class ErrorSample(Sample):
    """A call that must be refused.

    Attributes:
        exception: its type.
        part: what its text contains.
        dtype: of the operands that vary.
        named: whether the text names the op; not so where an attribute is refused before the op is asked.
    """

    __slots__ = ("dtype", "exception", "named", "part")

    def __init__(
        self,
        exception: type[Exception],
        part: str,
        operands: Sequence[Maker],
        attributes: dict[str, Any],
        dtype: str,
        named: bool,
    ) -> None:
        super().__init__(operands, attributes)
        self.exception = exception
        self.part = part
        self.dtype = dtype
        self.named = named


def sample(*operands: Maker, smooth: bool = True, signs: bool = False, **attributes: Any) -> Sample:
    """A further sample of a row; see `Sample`."""
    return Sample(operands, attributes, smooth=smooth, signs=signs)


def error(
    exception: type[Exception],
    part: str,
    *operands: Maker,
    varied: str = "float32",
    named: bool = True,
    **attributes: Any,
) -> ErrorSample:
    """A sample that must raise ``exception`` and a text that contains ``part``; see `ErrorSample`."""
    return ErrorSample(exception, part, operands, attributes, varied, named)
