"""Resolution: how one op runs on operands of given types, ready to be called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .tensor_type import TensorType

if TYPE_CHECKING:
    from ..backend import Kernel

__all__ = ["Copying", "Guarded", "Resolution"]


class Resolution:
    """What runs an op on operands of given types; the op memoises it.

    Attributes:
        fn: ``(*native arrays, **attributes)``; it includes the predicates, the shape rule of an unchecked kernel and
            the resolved attributes.
        shared_type: the type that all operands share; None if they differ.
        operand_types: the type of each operand; None for an operand left out.
        result_type: the type of the output, or of the first of several. result_types: the types of all outputs.
        array_type: the native array type that ``fn`` should return; `lift` converts anything else.
        candidates: the kernels that may run, in the order in which they are tried; only the last may lack a predicate.
        how: ``kernel``, ``widened`` (a kernel for wider dtypes between casts), ``body`` (decomposition) or ``host``
            (fallback).
        native_indexing: whether the only candidate is a kernel that declares it; see `polytape.backend.Kernel`.
    """

    __slots__ = (
        "array_type", "candidates", "fn", "how", "native_indexing", "operand_types", "result_type", "result_types",
        "shared_type",
    )  # fmt: skip

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
        self.native_indexing: bool = False

    def __repr__(self) -> str:
        return f"Resolution({self.how}, {self.operand_types} -> {self.result_types})"

    def lift(self, result: Any) -> Any:
        """The native array of an op's output, converted from what the kernel returned if necessary."""
        return result if type(result) is self.array_type else self.result_type.lift(result)

    def lift_all(self, results: Any) -> list[Any]:
        """The native arrays of all outputs of an op with several, as `lift`.

        Raises:
            ValueError: the kernel has returned another number of results.
        """
        arrays: list[Any] = list(results)
        if len(arrays) != len(self.result_types):
            raise ValueError(f"a kernel returned {len(arrays)} results for {len(self.result_types)} outputs")
        for position, tensor_type in enumerate(self.result_types):
            if type(arrays[position]) is not tensor_type.array_type:
                arrays[position] = tensor_type.lift(arrays[position])
        return arrays


class Guarded:
    """Kernels with predicates, in order: the first whose predicate is true is called, else ``last``."""

    __slots__ = ("choices", "last")

    def __init__(self, choices: list[tuple[Any, Any]], last: Any) -> None:
        self.choices: list[tuple[Any, Any]] = choices
        self.last: Any = last

    def choose(self, *arrays: Any, **attributes: Any) -> Any:
        """The function to call for these operands."""
        for when, fn in self.choices:
            if when(*arrays, **attributes):
                return fn
        return self.last

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Call the kernel that serves these operands."""
        return self.choose(*arrays, **attributes)(*arrays, **attributes)


class Copying:
    """A kernel that writes operands, called on copies because core does not own the originals.

    `state.update` calls ``fn`` on a variable's own buffer if the kernel is ``atomic``, except the first time.
    """

    __slots__ = ("atomic", "called", "fn", "operand_types", "written")

    def __init__(
        self, fn: Any, operand_types: tuple[TensorType | None, ...], written: tuple[int, ...], atomic: bool
    ) -> None:
        self.fn: Any = fn
        self.atomic: bool = atomic
        self.called: bool = False
        self.operand_types: tuple[TensorType | None, ...] = operand_types
        self.written: tuple[int, ...] = written

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Call the kernel on copies."""
        return self.fn(*self.copies(arrays), **attributes)

    def copies(self, arrays: tuple[Any, ...]) -> list[Any]:
        """The operands, with copies in place of those that the kernel writes."""
        result = list(arrays)
        for position in self.written:
            tensor_type = self.operand_types[position]
            if tensor_type is not None:
                result[position] = tensor_type.backend.copy(arrays[position], tensor_type.device)
        return result
