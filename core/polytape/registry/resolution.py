"""Resolution: what serves one op on operands of given types, ready to be called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .tensor_type import TensorType

if TYPE_CHECKING:
    from ..backend import Kernel

__all__ = ["Copying", "Guarded", "Resolution"]


class Resolution:
    """A memoised resolution.

    Attributes:
        fn: ``(*native arrays, **attributes)``; predicates, the shape rule of unchecked kernels and resolved
            attributes are folded in.
        shared_type: the type that all operands share; None where they differ.
        operand_types: per operand.
        result_type: the output's type (the first one's of an op with several); result_types: all of them.
        array_type: what ``fn`` should return; anything else is lifted.
        candidates: kernels in the order they are asked, the last one without a predicate or none.
        how: ``kernel``, ``body`` (decomposition) or ``host`` (fallback).
    """

    __slots__ = ("array_type", "candidates", "fn", "how", "operand_types", "result_type", "result_types", "shared_type")

    def __init__(
        self,
        fn: Any,
        shared_type: TensorType | None,
        operand_types: tuple[TensorType | None, ...],
        result_types: tuple[TensorType, ...],
        candidates: tuple[Kernel, ...],
        how: str,
    ) -> None:
        self.fn: Any = fn
        self.shared_type: TensorType | None = shared_type
        self.operand_types: tuple[TensorType | None, ...] = operand_types
        self.result_types: tuple[TensorType, ...] = result_types
        self.result_type: TensorType = result_types[0]
        self.array_type: Any = result_types[0].array_type
        self.candidates: tuple[Kernel, ...] = candidates
        self.how: str = how

    def __repr__(self) -> str:
        return f"Resolution({self.how}, {self.operand_types} -> {self.result_types})"

    def lift(self, result: Any) -> Any:
        """One output's native array, from whatever the kernel returned for it."""
        return result if type(result) is self.array_type else self.result_type.lift(result)

    def lift_all(self, results: Any) -> list[Any]:
        """The native arrays of an op with several outputs."""
        return [
            result if type(result) is tensor_type.array_type else tensor_type.lift(result)
            for result, tensor_type in zip(results, self.result_types, strict=True)
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

    __slots__ = ("fn", "operand_types", "written")

    def __init__(self, fn: Any, operand_types: tuple[TensorType | None, ...], written: tuple[int, ...]) -> None:
        self.fn: Any = fn
        self.operand_types: tuple[TensorType | None, ...] = operand_types
        self.written: tuple[int, ...] = written

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Call the kernel on copies."""
        return self.fn(*self.copies(arrays), **attributes)

    def copies(self, arrays: tuple[Any, ...]) -> list[Any]:
        """The operands, those that get written copied."""
        fresh = list(arrays)
        for position in self.written:
            tensor_type = self.operand_types[position]
            if tensor_type is not None:
                fresh[position] = tensor_type.backend.copy(arrays[position], tensor_type.device)
        return fresh
