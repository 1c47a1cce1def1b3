"""The table of ONNX ops: which function computes a node, and what of its operands it reads on the host."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

import polytape as pt

__all__ = ["OPS", "Entry", "Run", "as_dtype", "node", "same"]

Values = list[Any]


class Run(Protocol):
    """What a function with a parameter `run` gets: the interpreter, in the middle of a node."""

    outputs: int  # how many outputs the node has, unused ones in between included

    def __call__(self, graph: Any, operands: Values) -> Values:
        """Run a subgraph, which sees the names around the node."""

    def known(self, x: Any) -> Any:
        """``x``, with the note that it depends on no input of the outermost graph."""

    def host(self, x: Any) -> Any:
        """The values of a tensor that the node needs in Python."""


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


OPS: dict[str, Entry] = {}


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


def as_dtype(code: int) -> np.dtype[Any]:
    """The dtype that a number of ONNX's enumeration means."""
    from onnx.helper import tensor_dtype_to_np_dtype

    return np.dtype(tensor_dtype_to_np_dtype(code))


def constant(values: Any, dtype: Any = None) -> pt.Tensor:
    """A tensor on the current device, with the dtype of the array ``values``."""
    return pt.asarray(np.asarray(values, dtype))
