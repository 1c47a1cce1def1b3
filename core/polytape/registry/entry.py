"""Entry: what resolution found for one op on operands of given Kinds, ready to be called."""

from __future__ import annotations

from typing import Any

from ..backend import Kernel
from .kinds import Kind

__all__ = ["Copying", "Entry", "Guarded"]


class Entry:
    """A memoised resolution.

    Attributes:
        fn: ``(*native arrays, **attributes)``; predicates, the shape rule of unchecked kernels and resolved
            attributes are folded in.
        key: the Kind shared by all operands that was resolved for; None for an entry of several Kinds.
        kinds: per operand.
        out: the output's Kind (the first one's of an op with several); outs: all of them.
        array_type: what ``fn`` should return; anything else is lifted.
        candidates: kernels in the order they are asked, the last one without a predicate or none.
        how: ``kernel``, ``body`` (decomposition) or ``host`` (fallback).
    """

    __slots__ = ("array_type", "candidates", "fn", "how", "key", "kinds", "out", "outs")

    def __init__(
        self,
        fn: Any,
        key: Kind | None,
        kinds: tuple[Kind | None, ...],
        outs: tuple[Kind, ...],
        candidates: tuple[Kernel, ...],
        how: str,
    ) -> None:
        self.fn: Any = fn
        self.key: Kind | None = key
        self.kinds: tuple[Kind | None, ...] = kinds
        self.outs: tuple[Kind, ...] = outs
        self.out: Kind = outs[0]
        self.array_type: Any = outs[0].array_type
        self.candidates: tuple[Kernel, ...] = candidates
        self.how: str = how

    def __repr__(self) -> str:
        return f"Entry({self.how}, {self.kinds} -> {self.outs})"

    def lift(self, result: Any) -> Any:
        """One output's native array, from whatever the kernel returned for it."""
        return result if type(result) is self.array_type else self.out.lift(result)

    def lift_all(self, results: Any) -> list[Any]:
        """The native arrays of an op with several outputs."""
        return [
            result if type(result) is kind.array_type else kind.lift(result)
            for result, kind in zip(results, self.outs, strict=True)
        ]


class Guarded:
    """Kernels with predicates, in order: the first whose predicate holds is called."""

    __slots__ = ("choices", "last")

    def __init__(self, choices: list[tuple[Any, Any]], last: Any) -> None:
        self.choices: list[tuple[Any, Any]] = choices
        self.last: Any = last

    def choose(self, *arrays: Any, **attributes: Any) -> Any:
        """The callable that serves these very operands."""
        for when, fn in self.choices:
            if when(*arrays, **attributes):
                return fn
        return self.last

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Call the kernel that serves these operands."""
        return self.choose(*arrays, **attributes)(*arrays, **attributes)


class Copying:
    """A kernel that writes operands, called where core does not own them: it gets fresh copies."""

    __slots__ = ("fn", "kinds", "written")

    def __init__(self, fn: Any, kinds: tuple[Kind | None, ...], written: tuple[int, ...]) -> None:
        self.fn: Any = fn
        self.kinds: tuple[Kind | None, ...] = kinds
        self.written: tuple[int, ...] = written

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Call the kernel on copies."""
        return self.fn(*self.copies(arrays), **attributes)

    def copies(self, arrays: tuple[Any, ...]) -> list[Any]:
        """The operands, those that get written copied."""
        fresh = list(arrays)
        for position in self.written:
            kind = self.kinds[position]
            if kind is not None:
                fresh[position] = kind.backend.copy(arrays[position], kind.device)
        return fresh
