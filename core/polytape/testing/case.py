"""A row of the conformance kit: one op, samples of its operands, and the reference for its results."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np

from ..device import Device
from ..tensors.tensor import Tensor
from .defaults import REDUCTIONS, default_errors, default_operands, default_result, default_samples
from .makers import FLOATS, Array, Maker, exactly
from .samples import ErrorSample, Sample

__all__ = ["Case", "call", "tensors"]

Reference = Callable[..., Any]
Invariants = Callable[..., dict[str, Any]]

# Shapes for every elementwise op in addition to its row's own: rank 0, one element, none, broadcasting, higher rank.
_SHAPES: Final[dict[int, list[tuple[tuple[int, ...], ...]]]] = {
    1: [((),), ((1,),), ((0,),), ((2, 0, 3),), ((2, 1, 3, 1, 2),)],
    2: [((), ()), ((1,), (1,)), ((0, 3), (1, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (3,)),
        ((2, 1, 3, 1), (4, 1, 2))],
    3: [((), (), ()), ((0,), (1,), ()), ((2, 1), (3,), ()), ((3,), (2, 1), (1, 1)), ((2, 1, 3, 1), (4, 1, 2), (1,))],
}  # fmt: skip
_SPECIAL: Final = (float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 1.0, -1.0, 0.5, -2.0)


class Case:
    """The row of one op. It prints as the op's name.

    Args:
        op: the op.
        operands: a maker per operand (for a sequence, per element) of the first sample; default: by the op's rules.
        near: values near which floating results are easily wrong. An elementwise op is also run on NaN, the
            infinities, both zeros and small numbers.
        avoid: ``"ties"`` if the gradient has kinks at equal operands or at 0.
        more: further samples, in addition to those that follow from the op's shape rule. An elementwise op without
            attributes is also run on shapes of rank 0, with one element, with none, of higher rank, and that
            broadcast.
        errors: calls that must be rejected, in addition to those that follow from the op's rules.
        large: samples with some 100,000 elements, for kernels that work in blocks or take another way for large
            operands; an elementwise op is run on such in any case.
        reference: ``(*arrays, **attributes) -> array`` on float64, complex128, int64, uint64 or bool arrays; a tuple
            for several outputs. Default: NumPy's function with the name of the op.
        ulp: allowed error in units of the last place of the result's dtype, taken at the exact result or at
            ``scale``, whichever is larger. A number, or a number per dtype.
        scale: for results that are sums: the magnitude of the terms.
        result: the result's dtype: ``"same"`` as the operands that vary, a name, or
            ``(dtype, attributes) -> name`` (a tuple of names for several outputs); default: by the dtype rule.
        signs: whether the sign of a zero result is compared for special values.
        invariants: for results that are unique only up to signs, phases or order, such as eigenvectors:
            ``(results, *operands, **attributes) -> {name: array}``, on float64 and complex128 arrays. Then these are
            compared instead of the results: what the factors multiply to, their orthonormality, what is unique.
        gradient: why the gradient is not checked. If it is empty, the gradient is checked unless the op declares
            ``no_gradient``.
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
        large: Sequence[Sample] = (),
        reference: Reference | None = None,
        ulp: float | dict[str, float] = 4.0,
        scale: float = 0.0,
        result: str | tuple[str, ...] | Callable[[str, dict[str, Any]], Any] = "",
        signs: bool = True,
        invariants: Invariants | None = None,
        gradient: str = "",
        **attributes: Any,
    ) -> None:
        self.op = op
        self.near = tuple(near)
        self.avoid = avoid
        self.reference: Reference = reference if reference is not None else getattr(np, op.name)
        self._ulp = ulp
        self.scale = scale
        self.invariants = invariants
        self._result = result or default_result(op)
        self.gradient = gradient or op.no_gradient
        makers: Sequence[Maker] = operands
        if op.operands and not operands:
            makers, defaults = default_operands(op)
            attributes = {**defaults, **attributes}
        first = Sample(makers, attributes)
        self.samples: tuple[Sample, ...] = (first, *more, *default_samples(op, first), *self._varied(first, signs))
        self.large = tuple(large)
        self.errors: tuple[ErrorSample, ...] = (*errors, *default_errors(op, makers))

    def __repr__(self) -> str:
        name: str = self.op.name
        return name

    def ulp(self, dtype: str) -> float:
        """The allowed error of results of ``dtype``."""
        return self._ulp.get(dtype, 4.0) if isinstance(self._ulp, dict) else self._ulp

    def result(self, dtype: str, attributes: dict[str, Any]) -> tuple[str, ...]:
        """The names of the results' dtypes."""
        result = self._result(dtype, attributes) if callable(self._result) else self._result
        names = result if isinstance(result, tuple) else (result,)
        return tuple(dtype if name == "same" else name for name in names)

    def _varied(self, first: Sample, signs: bool) -> Iterable[Sample]:
        yield from _laid_out(first)
        if self.op.shape_rule in REDUCTIONS and first.attributes:
            # Over all axes, where a kernel may take the elements in the order of memory, or need them contiguous.
            yield from _laid_out(Sample(first.operands, {}))
        if not self.op.elementwise or self.op.attributes:
            return
        for shapes in _SHAPES[len(first.operands)]:
            yield Sample([maker.at(shape) for maker, shape in zip(first.operands, shapes, strict=True)], {})
        if first.operands[-1].dtypes[-1] != "bool" and first.operands[-1].varies:
            yield self._special(first, signs)

    def _special(self, first: Sample, signs: bool) -> Sample:
        values: list[float] = [*_SPECIAL, *self.near]
        varying = sum(maker.varies for maker in first.operands)
        combinations: list[tuple[float, ...]] = list(itertools.product(values, repeat=varying))
        grid = iter(np.array(combinations).T)
        count = len(combinations)
        operands = [
            _like(maker, exactly(next(grid))) if maker.varies else maker.at((count,)) for maker in first.operands
        ]
        return Sample(operands, {}, smooth=False, signs=signs)


def _like(maker: Maker, special: Maker) -> Maker:
    """The maker of special values, in the floating dtypes of ``maker``."""
    special.dtypes = tuple(name for name in FLOATS if name in maker.dtypes)
    special.name = f"special values beside {maker.name}"
    return special


def _laid_out(first: Sample) -> Iterable[Sample]:
    ranks = [len(maker.shape) for maker in first.operands]
    for layout, minimum_rank in (("transposed", 2), ("strided", 1), ("reversed", 1)):
        if any(rank >= minimum_rank for rank in ranks):
            yield Sample(first.operands, first.attributes, layout=layout, smooth=False)


def tensors(op: Any, hosts: Sequence[Array], device: Device, layout: str = "") -> list[Tensor]:
    """The operands as tensors on ``device``, with the memory layout ``layout``."""
    from ..dispatch.convert import asarray
    from ..plugins import host_backend

    operands = []
    for position, host in enumerate(hosts):
        if op.on_host(position):
            operands.append(asarray(host, device=host_backend().device_list()[0]))
        elif layout and host.ndim:
            operands.append(_lay_out(host, layout, device))
        else:
            operands.append(asarray(host, device=device))
    return operands


def _lay_out(host: Array, layout: str, device: Device) -> Tensor:
    from ..dispatch.convert import asarray
    from ..ops.manipulation import permute_dims

    if layout == "transposed":
        return permute_dims(asarray(host.T, device=device), tuple(range(host.ndim))[::-1])
    if layout == "strided":
        return asarray(np.repeat(host, 2, axis=-1), device=device)[..., ::2]
    return asarray(host[..., ::-1], device=device)[..., ::-1]


def call(op: Any, operands: Sequence[Any], attributes: dict[str, Any]) -> tuple[Any, ...]:
    """The results of an op, always as a tuple; a sequence operand is passed as separate elements of ``operands``."""
    if op.variadic:
        fixed = len(op.operands) - 1
        result = op(*operands[:fixed], list(operands[fixed:]), **attributes)
    else:
        result = op(*operands, **attributes)
    return tuple(result) if op.outputs is not None else (result,)
