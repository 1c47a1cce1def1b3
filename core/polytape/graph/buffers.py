"""Where a graph's intermediate results are stored: in operands out of use, and in arrays that are kept between runs.

    before                        after
    b = exp(a)                    b = exp(a, out=a)
    c = square(b)                 c = square(b, out=b0)
    d = sum(c)                    d = sum(c)

Allocating 4 KB takes 150 ns, a third of the time of the ufunc that fills it.
"""

from __future__ import annotations

import math
from typing import Any, Final

from ..registry.resolution import Copying, Guarded
from ..registry.tensor_type import TensorType
from ..tensors.symbol import Symbol
from .ir import Equation, Graph
from .scalars import Scalars

__all__ = ["Scratch", "alternatives", "last_uses", "owned", "reusable", "uncopied"]

LARGEST: Final = 65536  # bytes that a graph keeps between its runs


def reusable(graph: Graph, dead_after: list[list[Symbol]], scalars: Scalars) -> list[Symbol | None]:
    """For each equation, the temporary that its kernel may write its result into, or None.

    An equation whose result has axes may overwrite an operand that it is the last to use. One whose result is 0-d
    overwrites a temporary that went out of use earlier: with 0-d arrays, NumPy takes 750 ns if operand and result
    overlap, 240 ns if they do not, and 460 ns for a new result.

    No other array shares memory with these buffers: each was allocated by a kernel, and has been read only by kernels
    whose results do not alias their operands. The 0-d temporaries are removed from ``dead_after``, since they are kept
    for reuse; those that are held as scalars cannot be written.
    """
    unshared: dict[Symbol, TensorType] = {}
    spare_scalars: list[Symbol] = []
    buffers: list[Symbol | None] = []
    for position, equation in enumerate(graph.equations):
        if equation in scalars.operators:
            buffers.append(None)
            continue
        if not fresh(equation):
            for symbol in equation.symbols():
                unshared.pop(symbol, None)
            buffers.append(None)
            continue
        output, types = equation.outputs[0], equation.resolution.result_types
        unused = [x for x in (dead_after[position] if output.shape else spare_scalars) if x in unshared]
        matching = [x for x in unused if x.shape == output.shape and unshared[x] is types[0]]
        buffers.append(matching[0] if matching and accepts_out(equation) else None)
        if buffers[-1] in spare_scalars:
            spare_scalars.remove(matching[0])
        unshared.update([pair for pair in zip(equation.outputs, types, strict=True) if pair[0] not in scalars.held])
        zero_d = [x for x in dead_after[position] if not x.shape and x in unshared]
        spare_scalars += zero_d
        dead_after[position] = [x for x in dead_after[position] if x not in zero_d]
    return buffers


def last_uses(graph: Graph) -> list[list[Symbol]]:
    """For each equation, the symbols that no later equation needs, so that their memory can be freed."""
    # Arguments, variables and constants are held elsewhere.
    needed = {*graph.results(), *(x.symbol for x in graph.inputs())}
    dead_after: list[list[Symbol]] = []
    for equation in reversed(graph.equations):
        symbols = [symbol for symbol in dict.fromkeys((*equation.outputs, *equation.symbols())) if symbol not in needed]
        needed.update(symbols)
        dead_after.append(symbols)
    return dead_after[::-1]


def owned(graph: Graph, dead_after: list[list[Symbol]]) -> set[Equation]:
    """The equations whose kernel may write into its operands themselves, instead of into copies: see `uncopied`.

    These are temporaries that nothing needs afterwards and that share no memory with others; see `reusable`. If
    predicates choose the kernel, they are the operands that any of the kernels writes.
    """
    unshared: set[Symbol] = set()
    found: set[Equation] = set()
    for equation, dead in zip(graph.equations, dead_after, strict=True):
        kernels = alternatives(equation.resolution.fn)
        operands = list(equation.operands)
        written = {operands[k] for kernel in kernels if type(kernel) is Copying for k in kernel.written}
        if written and all(x in dead and x in unshared and operands.count(x) == 1 for x in written):
            found.add(equation)
        if fresh(equation):
            unshared.update(equation.outputs)
        else:
            unshared.difference_update(equation.symbols())
    return found


def alternatives(fn: Any) -> list[Any]:
    """The kernels that a resolution's function may call."""
    return [*(kernel for _, kernel in fn.choices), fn.last] if type(fn) is Guarded else [fn]


def uncopied(fn: Any) -> Any:
    """A resolution's function, with kernels that write into their operands themselves, not into copies."""
    if type(fn) is Guarded:
        return Guarded([(when, uncopied(kernel)) for when, kernel in fn.choices], uncopied(fn.last))
    return fn.fn if type(fn) is Copying else fn


class Scratch:
    """Arrays that a graph keeps between its runs, for results that nothing outside a run refers to.

    Only vectors: a kernel may choose the order in which it stores the elements of a matrix, and a sum depends on it.
    Only in the host's memory, where a kernel has finished when it returns. Runs at the same time use different arrays.

    Attributes:
        number: for each result that is written into an array of its own, the number of this array.
        private: these results, and those that overwrite them.
        free: the arrays of runs that have ended.
    """

    def __init__(self, graph: Graph, buffers: list[Symbol | None]) -> None:
        self.number: dict[Symbol, int] = {}
        self.private: set[Symbol] = set()
        self.free: list[tuple[Any, ...]] = []
        self.types: list[tuple[TensorType, tuple[int, ...]]] = []
        shared = {x for equation in graph.equations if not fresh(equation) for x in equation.symbols()}
        shared.update(graph.results())
        left = LARGEST
        for tensor_type, chain in overwritten(graph, buffers):
            shape = chain[0].shape
            nbytes = math.prod(shape) * tensor_type.dtype.itemsize
            backend = tensor_type.backend
            if backend.host and backend.streams is None and nbytes <= left and shared.isdisjoint(chain):
                left -= nbytes
                self.number[chain[0]] = len(self.types)
                self.types.append((tensor_type, shape))
                self.private.update(chain)

    def allocate(self) -> tuple[Any, ...]:
        """The arrays for a run."""
        return tuple([x.backend.empty(shape, x.dtype, x.device) for x, shape in self.types])


def overwritten(graph: Graph, buffers: list[Symbol | None]) -> list[tuple[TensorType, list[Symbol]]]:
    """The vectors that kernels can write into a given array, each with the results that overwrite it."""
    chains: list[tuple[TensorType, list[Symbol]]] = []
    chain_of: dict[Symbol, list[Symbol]] = {}
    for equation, buffer in zip(graph.equations, buffers, strict=True):
        output = equation.outputs[0] if equation.outputs else None
        if output is None:
            continue
        if buffer is None and len(output.shape) == 1 and accepts_out(equation):
            chain_of[output] = [output]
            chains.append((equation.resolution.result_types[0], chain_of[output]))
        elif buffer in chain_of:
            chain_of[output] = chain_of[buffer]
            chain_of[output].append(output)
    return chains


def fresh(equation: Equation) -> bool:
    """Whether the results never share memory with an operand, and no operand is written."""
    kernels = equation.resolution.candidates
    return len(kernels) == 1 and kernels[0].fresh and not kernels[0].writes


def accepts_out(equation: Equation) -> bool:
    """Whether the kernel writes its only result into an array that it is given."""
    return (
        fresh(equation)
        and equation.resolution.candidates[0].out
        and not equation.attributes
        and len(equation.outputs) == 1
    )
