"""Entry: what resolution found for one op on operands of given Kinds, ready to be called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..settings import NO_SCOPE, current_scope
from ..tensors.tensor import Tensor

if TYPE_CHECKING:
    from ..backend import Kernel
    from .kinds import Kind
    from .op import Op

__all__ = ["Entry"]


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
        return self.choose(*arrays, **attributes)(*arrays, **attributes)


class Unchecked:
    """A kernel that cannot see a bad shape itself: the op's shape rule runs first and hands it the outputs' spec."""

    __slots__ = ("fn", "op", "outs")

    def __init__(self, fn: Any, op: Op, outs: tuple[Kind, ...]) -> None:
        self.fn: Any = fn
        self.op: Op = op
        self.outs: tuple[Kind, ...] = outs

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        shapes = self.op.output_shapes(arrays, attributes)
        spec = tuple([(shape, kind.dtype) for shape, kind in zip(shapes, self.outs, strict=True)])
        return self.fn(*arrays, spec=spec, **attributes)


class Copying:
    """A kernel that writes operands, called where core does not own them: it gets fresh copies."""

    __slots__ = ("fn", "kinds", "written")

    def __init__(self, fn: Any, kinds: tuple[Kind | None, ...], written: tuple[int, ...]) -> None:
        self.fn: Any = fn
        self.kinds: tuple[Kind | None, ...] = kinds
        self.written: tuple[int, ...] = written

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        return self.fn(*self.copies(arrays), **attributes)

    def copies(self, arrays: tuple[Any, ...]) -> list[Any]:
        """The operands, those that get written copied."""
        fresh = list(arrays)
        for position in self.written:
            kind = self.kinds[position]
            if kind is not None:
                fresh[position] = kind.backend.copy(arrays[position], kind.device)
        return fresh


class Body:
    """An op's body as a kernel: wraps native arrays, runs the ops it is made of, unwraps."""

    __slots__ = ("kinds", "op")

    def __init__(self, op: Op, kinds: tuple[Kind | None, ...]) -> None:
        self.op: Op = op
        self.kinds: tuple[Kind | None, ...] = kinds

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        operands = [
            None if kind is None else Tensor(array, kind, None) for array, kind in zip(arrays, self.kinds, strict=True)
        ]
        token = current_scope.set(NO_SCOPE)
        try:
            result = self.op.run_body(operands, attributes)
        finally:
            current_scope.reset(token)
        if isinstance(result, Tensor):
            return result.array
        return tuple([one.array for one in result])
