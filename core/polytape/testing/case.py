"""A row of the conformance kit: one op, samples of its operands, and what its results are compared with."""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np

from .. import dtypes
from ..device import Device
from ..tensors.tensor import Tensor
from .makers import FLOATS, Array, Maker, exactly

__all__ = ["Case", "ErrorSample", "Sample", "call", "error", "sample"]

Reference = Callable[..., Any]

# What an elementwise op meets beside its row's own shapes: rank 0, one element, none, broadcasting, higher rank.
_SHAPES: Final[dict[int, list[tuple[tuple[int, ...], ...]]]] = {
    1: [((),), ((1,),), ((0,),), ((2, 0, 3),), ((2, 1, 3, 1, 2),)],
    2: [((), ()), ((1,), (1,)), ((0, 3), (1, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (3,)),
        ((2, 1, 3, 1), (4, 1, 2))],
    3: [((), (), ()), ((0,), (1,), ()), ((2, 1), (3,), ()), ((3,), (2, 1), (1, 1)), ((2, 1, 3, 1), (4, 1, 2), (1,))],
}  # fmt: skip
_SPECIAL: Final = (float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 1.0, -1.0, 0.5, -2.0)


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
        kind: the exception's type.
        part: what its text contains.
        dtype: of the operands that vary.
        named: whether the text names the op; not so where an attribute is refused before the op is asked.
    """

    __slots__ = ("dtype", "kind", "named", "part")

    def __init__(
        self,
        kind: type[Exception],
        part: str,
        operands: Sequence[Maker],
        attributes: dict[str, Any],
        dtype: str,
        named: bool,
    ) -> None:
        super().__init__(operands, attributes)
        self.kind = kind
        self.part = part
        self.dtype = dtype
        self.named = named


def sample(*operands: Maker, smooth: bool = True, signs: bool = False, **attributes: Any) -> Sample:
    """A further sample of a row; see `Sample`."""
    return Sample(operands, attributes, smooth=smooth, signs=signs)


def error(
    kind: type[Exception],
    part: str,
    *operands: Maker,
    varied: str = "float32",
    named: bool = True,
    **attributes: Any,
) -> ErrorSample:
    """A sample that must be refused with ``kind`` and a text that contains ``part``; see `ErrorSample`."""
    return ErrorSample(kind, part, operands, attributes, varied, named)


class Case:
    """One op's row. It prints as the op's name.

    Args:
        op: the op.
        operands: a maker per operand (for a sequence, per element) of the first sample.
        near: values near which floating results are easily wrong; an elementwise op meets them beside NaN, the
            infinities, both zeros and small numbers.
        avoid: ``"ties"`` where the gradient has kinks at equal operands or at 0.
        more: further samples. An elementwise op without attributes meets shapes of rank 0, no and one element,
            broadcasting and higher rank by itself.
        errors: samples that must be refused.
        reference: ``(*arrays, **attributes) -> array`` on float64, complex128, int64, uint64 or bool arrays; a tuple
            for several outputs. Default: NumPy's function of the op's name.
        ulp: allowed error in units of the last place of the result's dtype: of the exact result, or of ``scale``
            where that is larger. By dtype, or one for all.
        scale: for results that are sums: the size of what is added.
        result: the result's dtype: ``"same"`` as the operands that vary, a name, or
            ``(dtype, attributes) -> name`` (a tuple of names for several outputs).
        signs: whether the sign of a zero counts among special values.
        gradient: why no gradient is checked; empty: it is, where the op does not say itself why it has none.
        attributes: of the first sample.
    """

    def __init__(
        self,
        op: Any,
        *operands: Maker,
        near: Iterable[float] = (),
        avoid: str = "",
        more: Sequence[Sample] = (),
        errors: Sequence[ErrorSample] = (),
        reference: Reference | None = None,
        ulp: float | dict[str, float] = 4.0,
        scale: float = 0.0,
        result: str | tuple[str, ...] | Callable[[str, dict[str, Any]], Any] = "same",
        signs: bool = True,
        gradient: str = "",
        **attributes: Any,
    ) -> None:
        self.op = op
        self.near = tuple(near)
        self.avoid = avoid
        self.errors = tuple(errors)
        self.reference: Reference = reference if reference is not None else getattr(np, op.name)
        self._ulp = ulp
        self.scale = scale
        self._result = result
        self.gradient = gradient or op.no_gradient
        first = Sample(operands, attributes)
        self.samples: tuple[Sample, ...] = (first, *more, *self._varied(first, signs))

    def __repr__(self) -> str:
        name: str = self.op.name
        return name

    def ulp(self, dtype: str) -> float:
        """The allowed error of results of ``dtype``."""
        return self._ulp.get(dtype, 4.0) if isinstance(self._ulp, dict) else self._ulp

    def result(self, dtype: str, attributes: dict[str, Any]) -> tuple[str, ...]:
        """The names of the results' dtypes."""
        found = self._result(dtype, attributes) if callable(self._result) else self._result
        names = found if isinstance(found, tuple) else (found,)
        return tuple(dtype if name == "same" else name for name in names)

    def _varied(self, first: Sample, signs: bool) -> Iterable[Sample]:
        yield from _laid_out(first)
        if not self.op.elementwise or self.op.attributes:
            return
        for shapes in _SHAPES[len(first.operands)]:
            yield Sample([maker.at(shape) for maker, shape in zip(first.operands, shapes, strict=True)], {})
        if first.operands[-1].dtypes[-1] != "bool" and first.operands[-1].varies:
            yield self._special(first, signs)

    def _special(self, first: Sample, signs: bool) -> Sample:
        values: list[float] = [*_SPECIAL, *self.near]
        varying = sum(maker.varies for maker in first.operands)
        pairs: list[tuple[float, ...]] = list(itertools.product(values, repeat=varying))
        grid = iter(np.array(pairs).T)
        count = len(pairs)
        operands = [
            _like(maker, exactly(next(grid))) if maker.varies else maker.at((count,)) for maker in first.operands
        ]
        return Sample(operands, {}, smooth=False, signs=signs)


def _like(maker: Maker, made: Maker) -> Maker:
    made.dtypes = tuple(name for name in FLOATS if name in maker.dtypes)
    made.name = f"special values beside {maker.name}"
    return made


def _laid_out(first: Sample) -> Iterable[Sample]:
    ranks = [len(maker.shape) for maker in first.operands]
    for layout, rank in (("transposed", 2), ("strided", 1), ("reversed", 1)):
        if any(one >= rank for one in ranks):
            yield Sample(first.operands, first.attributes, layout=layout, smooth=False)


def tensors(op: Any, hosts: Sequence[Array], device: Device, layout: str = "") -> list[Tensor]:
    """The operands as tensors on ``device``, lying in memory as ``layout`` says."""
    from ..dispatch.convert import asarray
    from ..plugins import host_backend

    found = []
    for position, host in enumerate(hosts):
        place = host_backend().device_list()[0] if op.on_host(position) else device
        if layout and host.ndim and not op.on_host(position):
            found.append(_lay_out(host, layout, device))
        else:
            found.append(asarray(host, device=place))
    return found


def _lay_out(host: Array, layout: str, device: Device) -> Tensor:
    from ..dispatch.convert import asarray
    from ..ops.manipulation import permute_dims

    if layout == "transposed":
        return permute_dims(asarray(host.T, device=device), tuple(range(host.ndim))[::-1])
    if layout == "strided":
        return asarray(np.repeat(host, 2, axis=-1), device=device)[..., ::2]
    return asarray(host[..., ::-1], device=device)[..., ::-1]


def call(op: Any, operands: Sequence[Any], attributes: dict[str, Any]) -> tuple[Any, ...]:
    """Run an op on its operands, given one by one; always a tuple of results."""
    if op.variadic:
        fixed = len(op.operands) - 1
        found = op(*operands[:fixed], list(operands[fixed:]), **attributes)
    else:
        found = op(*operands, **attributes)
    return tuple(found) if op.outputs is not None else (found,)
