"""The table of ONNX's ops: which function computes a node, and what of its operands it needs on the host."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

import polytape as pt

from ..package import package

__all__ = ["OPS", "Entry", "Run", "as_dtype", "constant", "integer", "integers", "node", "same"]

Values = list[Any]


class Run(Protocol):
    """What a function with a parameter `run` gets: the interpreter, in the middle of a node."""

    outputs: int  # how many outputs the node has, unused ones in between included
    opset: int  # the version of ONNX's own ops that the model uses

    def __call__(self, graph: Any, operands: Values) -> Values:
        """Run a subgraph, which sees the names around the node."""

    def host(self, x: Any) -> Any:
        """The values of a tensor that the node needs in Python.

        Raises:
            Needed: it depends on an argument of the trace that is open.
        """

    def constant_output(self, graph: Any, position: int) -> bool | None:
        """The value of a bool output that a subgraph's nodes do not change: True, False, or None if it is unknown.

        An output that is the subgraph's input at the same position plus one, as the condition of a loop, is True.
        """


class Entry(NamedTuple):
    """How a node is computed.

    Attributes:
        function: ``(*operands, **attributes) -> output or tuple of outputs``. Attributes bear ONNX's names; one that
            became an operand in a later version is passed by keyword to that parameter.
        host: the parameters that the function takes as NumPy arrays, since they determine shapes or positions.
        reads: the parameters whose values determine a shape, so that a graph cannot have them as inputs.
        by_shape: the outputs depend on the shapes of the operands only.
        runs: the function takes the interpreter as `run`.
    """

    function: Callable[..., Any]
    host: frozenset[int]
    reads: frozenset[int]
    by_shape: bool
    runs: bool


OPS: Final[dict[str, Entry]] = {}


def node(
    *names: str, host: str = "", reads: str = "", by_shape: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function into the table under ONNX's names of ops."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        parameters = list(inspect.signature(function).parameters)
        on_host, read = (frozenset(map(parameters.index, words.split())) for words in (host, reads))
        for name in names:
            assert name not in OPS, name
            OPS[name] = Entry(function, on_host, read, by_shape, "run" in parameters)
        return function

    return enter


def same(table: dict[str, Callable[..., Any]]) -> None:
    """Enter ops of polytape whose operands are those of the nodes, which have no attributes."""
    for name, op in table.items():
        assert name not in OPS, name
        OPS[name] = Entry(op, frozenset(), frozenset(), False, False)


def as_dtype(code: int) -> Any:
    """The dtype that a number of ONNX's enumeration means."""
    return np.dtype(package("helper").tensor_dtype_to_np_dtype(code))


def constant(values: Any, dtype: Any = None) -> pt.Tensor:
    """A tensor on the current device, with the dtype of the array ``values``."""
    return pt.asarray(np.asarray(values, dtype))


def integers(values: Any) -> list[int]:
    """Python integers from what a node has read on the host: an array, a list, or one number."""
    return [int(n) for n in np.asarray(values).reshape(-1)]


def integer(value: Any) -> int:
    """The only integer of an array, or a number."""
    (result,) = integers(value)
    return result
