"""Jacobians of what a tape has recorded: the backward pass, or the forward pass, on a whole basis at once."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ..dtypes import COMPLEX
from ..errors import DTypeError, ShapeError
from ..registry import tables
from ..tensors.node import Node, Tape
from ..tensors.tensor import Tensor, describe, operators
from .backward import backward
from .batching.mapping import batched
from .forward import push_forward
from .gradient_arguments import check_targets

__all__ = ["batch_rows", "columns", "connected_rows", "rows", "zeros"]


def _basis(x: Tensor) -> Tensor:
    """The basis of the space that ``x`` is in: [size, *shape]."""
    size = prod(x.shape)
    eye = tables.get_op("eye")(n_rows=size, dtype=x.dtype, device=x.device)
    result: Tensor = operators.reshape(eye, (size, *x.shape))
    return result


def rows(
    tape: Tape, targets: list[Any], sources: Sequence[Tensor], holomorphic: bool, chunk_size: int | None
) -> list[list[Tensor]]:
    """For each target the Jacobian by each source, by the backward pass; zeros where nothing is connected."""
    targets = check_targets(targets)
    found = connected_rows(tape, targets, sources, holomorphic, chunk_size)
    return [
        [zeros(y, x) if part is None else part for part, x in zip(parts, sources, strict=True)]
        for y, parts in zip(targets, found, strict=True)
    ]


def connected_rows(
    tape: Tape, targets: list[Tensor], sources: Sequence[Tensor], holomorphic: bool, chunk_size: int | None
) -> list[list[Tensor | None]]:
    """For each target the Jacobian by each source, of shape ``target.shape + source.shape``; None if unconnected."""
    nodes = [x.node for x in sources]
    found: list[list[Tensor | None]] = []
    for y in targets:
        complex_target = y.type.category == COMPLEX
        if complex_target:
            _check_holomorphic(y, sources, holomorphic)
        basis = _basis(y)
        parts = _pulled(tape, y, basis, nodes, chunk_size)
        if complex_target and any(x.type.category < COMPLEX for x in sources):
            imaginary = _pulled(tape, y, basis * 1j, nodes, chunk_size)
            parts = [
                _joined(a, b) if x.type.category < COMPLEX else a
                for a, b, x in zip(parts, imaginary, sources, strict=True)
            ]
        conj = tables.get_op("conj")
        if complex_target:
            parts = [
                conj(a) if a is not None and x.type.category == COMPLEX else a
                for a, x in zip(parts, sources, strict=True)
            ]
        found.append([None if a is None else operators.reshape(a, (*y.shape, *a.shape[1:])) for a in parts])
    return found


def _pulled(
    tape: Tape, y: Tensor, basis: Tensor, nodes: list[Node | None], chunk_size: int | None
) -> list[Tensor | None]:
    """The gradients for each row of ``basis`` as the weight of ``y``: [rows, *source.shape] per source."""
    return batched(lambda seed: backward(tape, [y], [seed], nodes, True), basis, chunk_size)


def _joined(real: Tensor | None, imag: Tensor | None) -> Tensor | None:
    if real is None or imag is None:
        return real
    result: Tensor = tables.get_op("complex")(real, imag)
    return result


def columns(
    tape: Tape, targets: list[Any], sources: Sequence[Tensor], holomorphic: bool, chunk_size: int | None
) -> list[list[Tensor]]:
    """For each target the Jacobian by each source, by forward mode; zeros where nothing is connected."""
    targets = check_targets(targets)
    nodes = [x.node for x in sources if x.node is not None]
    for target in targets:
        if target.type.category == COMPLEX:
            _check_holomorphic(target, sources, holomorphic)
    by_source: list[list[Tensor]] = []
    for index, x in enumerate(sources):

        def push(tangent: Tensor, index: int = index) -> list[Tensor | None]:
            tangents = [tangent if position == index else None for position in range(len(nodes))]
            return push_forward(tape, targets, nodes, tangents)

        basis = _basis(x)
        parts = batched(push, basis, chunk_size)
        if x.type.category == COMPLEX and any(target.type.category < COMPLEX for target in targets):
            imaginary = batched(push, basis * 1j, chunk_size)
            parts = [
                _joined(a, b) if target.type.category < COMPLEX else a
                for a, b, target in zip(parts, imaginary, targets, strict=True)
            ]
        by_source.append([zeros(t, x) if a is None else _last(a, t, x) for a, t in zip(parts, targets, strict=True)])
    return [list(row) for row in zip(*by_source, strict=True)]


def _last(columns: Tensor, target: Tensor, source: Tensor) -> Tensor:
    """[columns, *target.shape] as ``target.shape + source.shape``."""
    rank = len(columns.shape)
    moved = tables.get_op("permute_dims")(columns, (*range(1, rank), 0))
    result: Tensor = operators.reshape(moved, (*target.shape, *source.shape))
    return result


def zeros(target: Tensor, source: Tensor, first: int = 0) -> Tensor:
    """The Jacobian of a target that does not depend on the source, without the first axes of the source."""
    dtype = target.dtype if target.type.category == COMPLEX else source.dtype
    result: Tensor = tables.get_op("zeros")((*target.shape, *source.shape[first:]), dtype=dtype, device=source.device)
    return result


def _check_holomorphic(y: Tensor, sources: Sequence[Tensor], holomorphic: bool) -> None:
    if not holomorphic and any(x.type.category == COMPLEX for x in sources):
        raise DTypeError(
            f"the derivative of {describe(y)} by a complex tensor is not one complex number.",
            expected="a real result, real arguments, or holomorphic=True",
            got="a complex result of complex arguments",
            fix="pass holomorphic=True if f is; otherwise differentiate polytape.real(y) and polytape.imag(y)",
        )


def batch_rows(tape: Tape, y: Any, x: Tensor, chunk_size: int | None) -> Tensor | None:
    """The Jacobians of the elements along the first axis of ``y``, by those of ``x``: [n, *s, *t]; or None."""
    (target,) = check_targets([y])
    if not target.shape or not x.shape or target.shape[0] != x.shape[0]:
        raise ShapeError(
            f"batch_jacobian of {describe(target)} with respect to {describe(x)}.",
            expected="tensors with the same size along their first axis",
            got=f"shapes {target.shape} and {x.shape}",
            fix="use jacobian, or move the axis of the examples to the front",
        )
    if target.type.category == COMPLEX:
        raise DTypeError(
            f"batch_jacobian of {describe(target)}: it is complex.",
            expected="a real target",
            got=describe(target),
            fix="differentiate polytape.real(y) and polytape.imag(y)",
        )
    count, own = prod(target.shape[1:]), target.shape[1:]
    eye = tables.get_op("eye")(n_rows=count, dtype=target.dtype, device=target.device)
    seeds = operators.broadcast_to(operators.reshape(eye, (count, 1, *own)), (count, *target.shape))
    (part,) = _pulled(tape, target, seeds, [x.node], chunk_size)
    if part is None:
        return None
    moved = tables.get_op("permute_dims")(part, (1, 0, *range(2, len(part.shape))))
    result: Tensor = operators.reshape(moved, (*target.shape, *x.shape[1:]))
    return result
