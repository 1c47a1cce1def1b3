"""Samples: single calls of an op with drawn operands, and calls that must raise an error."""

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
    """The operands and attributes of one call.

    Attributes:
        smooth: whether its gradient is checked; False at a kink, or if a value is NaN or infinite.
        layout: the memory layout of the operands: ``""``, ``"transposed"``, ``"strided"`` or ``"reversed"``.
        signs: whether the signs of zeros in the result are compared.
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
        arguments = [*map(repr, self.operands), *(f"{name}={value!r}" for name, value in self.attributes.items())]
        return f"({', '.join(arguments)}{', ' + self.layout if self.layout else ''})"

    def dtypes(self) -> tuple[str, ...]:
        """The dtypes that the sample is run for; ``("",)`` if none of its operands varies."""
        varying = [maker.dtypes for maker in self.operands if maker.varies]
        if not varying:
            return ("",)
        return tuple(name for name in varying[0] if all(name in names for names in varying))

    def size(self) -> int:
        """The number of elements of all operands together."""
        return sum(math.prod(maker.shape) for maker in self.operands)

    def hosts(self, dtype: str, *, seed: int = 0) -> list[Array]:
        """The operands as NumPy arrays."""
        rng = np.random.default_rng([zlib.crc32(repr(self).encode()), seed])
        numpy_dtype = dtypes.lookup(dtype or "float32")
        return [maker.make(rng, numpy_dtype) for maker in self.operands]

    def untied(self) -> list[Array]:
        """The operands in float64 without ties and zeros, so that gradients are not taken at a kink."""
        hosts = self.hosts("float64")
        rng = np.random.default_rng(7)
        total = sum(host.size for host, maker in zip(hosts, self.operands, strict=True) if maker.varies)
        distinct = (rng.permutation(total) - total / 2 + 0.3) * (4.0 / max(total, 1))
        arrays, start = [], 0
        for host, maker in zip(hosts, self.operands, strict=True):
            stop = start + host.size
            arrays.append(distinct[start:stop].reshape(host.shape) if maker.varies else host)
            start = stop if maker.varies else start
        return arrays


class ErrorSample(Sample):
    """A call that must raise an error.

    Attributes:
        exception: the type of the error.
        part: a part of its text.
        dtype: of the operands that vary.
        named: whether the text names the op; False if an attribute is rejected before the op is involved.
        host: whether only a backend on the host must reject it, since a device would have to wait for the values.
    """

    __slots__ = ("dtype", "exception", "host", "named", "part")

    def __init__(
        self,
        exception: type[Exception],
        part: str,
        operands: Sequence[Maker],
        attributes: dict[str, Any],
        dtype: str,
        named: bool,
        host: bool,
    ) -> None:
        super().__init__(operands, attributes)
        self.exception = exception
        self.part = part
        self.dtype = dtype
        self.named = named
        self.host = host


def sample(*operands: Maker, smooth: bool = True, signs: bool = False, **attributes: Any) -> Sample:
    """A further sample of a row; see `Sample`."""
    return Sample(operands, attributes, smooth=smooth, signs=signs)


def error(
    exception: type[Exception],
    part: str,
    *operands: Maker,
    varied: str = "float32",
    named: bool = True,
    host: bool = False,
    **attributes: Any,
) -> ErrorSample:
    """A sample that must raise ``exception`` with a text that contains ``part``; see `ErrorSample`."""
    return ErrorSample(exception, part, operands, attributes, varied, named, host)
