"""Nodes of sequences and optionals."""

from __future__ import annotations

from typing import Any

import polytape as pt

from .movement import parts
from .registry import constant, integer, node

__all__: list[str] = []


@node("SequenceConstruct")
def _sequence_construct(*xs: Any) -> list[Any]:
    return list(xs)


@node("SequenceEmpty")
def _sequence_empty(*, dtype: int = 1) -> list[Any]:
    return []


@node("SequenceInsert", host="position")
def _sequence_insert(xs: list[Any], x: Any, position: Any = None) -> list[Any]:
    place = len(xs) if position is None else position.item()
    return [*xs[:place], x, *xs[place:]]


@node("SequenceAt", host="position")
def _sequence_at(xs: list[Any], position: Any) -> Any:
    return pt.identity(xs[position.item()])


@node("SequenceLength", by_shape=True)
def _sequence_length(xs: list[Any]) -> Any:
    return constant(len(xs), pt.int64)


@node("SequenceMap")
def _sequence_map(*operands: Any, body: Any, run: Any) -> tuple[Any, ...]:
    """An operand that is a tensor is the same for all elements of the first sequence."""
    rows = [run(body, [x[i] if isinstance(x, list) else x for x in operands]) for i in range(len(operands[0]))]
    return tuple(list(column) for column in zip(*rows, strict=True))


@node("SplitToSequence", host="split")
def _split_to_sequence(x: Any, split: Any = None, *, axis: int = 0, keepdims: int = 1) -> list[Any]:
    if split is None:
        pieces = parts(x, [1] * x.shape[axis], axis, 0)
        return pieces if keepdims else [pt.squeeze(piece, axis) for piece in pieces]
    if split.ndim == 0:  # the size of each part; the last may be smaller
        return parts(x, [integer(split)] * -(-x.shape[axis] // integer(split)), axis, 0)
    return parts(x, split, axis, 0)


@node("OptionalHasElement", by_shape=True)
def _optional_has_element(x: Any = None) -> Any:
    return constant(x is not None)


@node("OptionalGetElement")
def _optional_get_element(x: Any) -> Any:
    return x if isinstance(x, list) else pt.identity(x)


@node("Optional")
def _optional(x: Any = None, *, type: Any = None) -> Any:
    return x
