"""Ops of polytape that are one node of ONNX, or a few casts around one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import numpy as np

__all__ = ["NODES", "Call", "Nodes", "entered", "written"]


class Nodes(Protocol):
    """What a function of the table writes nodes with. Values are names."""

    def node(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output; returns its name."""

    def outputs(self, op: str, count: int, *inputs: str, **attributes: Any) -> list[str]:
        """Add a node with several outputs; returns their names."""

    def constant(self, values: Any, dtype: Any = None) -> str:
        """Add a constant; returns its name."""

    def cast(self, x: str, dtype: Any) -> str:
        """Add a cast."""


class Call:
    """One call of an op.

    Attributes:
        name: of the op.
        attributes: all, with the op's defaults.
        dtypes, shapes: of the operands; None for one that is left out.
        dtype, shape: of the first output.
    """

    __slots__ = ("attributes", "dtype", "dtypes", "name", "shape", "shapes")

    def __init__(
        self,
        name: str,
        attributes: dict[str, Any],
        operands: Sequence[tuple[Any, Any]],
        dtype: Any,
        shape: tuple[int, ...],
    ) -> None:
        self.name = name
        self.attributes = attributes
        self.dtypes = [dtype for dtype, _ in operands]
        self.shapes = [shape for _, shape in operands]
        self.dtype = dtype
        self.shape = shape

    def kind(self) -> str:
        """The kind of the first operand's dtype: ``f``, ``i``, ``u`` or ``b``."""
        dtype = self.dtypes[0]
        return "f" if dtype.name == "bfloat16" else str(dtype.kind)

    def axes(self) -> list[int] | None:
        """The axes of a reduction, from 0; None for all."""
        axis = self.attributes["axis"]
        rank = len(self.shapes[0])
        if axis is None:
            return None
        return [k % rank for k in (axis if isinstance(axis, tuple) else (axis,))]


# Writes a call, returns the name of its output; or None, if this call needs the op's body.
Writer = Callable[..., str | None]
NODES: Final[dict[str, Writer]] = {}

SAME: Final = {
    "abs": "Abs", "add": "Add", "equal": "Equal", "identity": "Identity", "less": "Less", "greater": "Greater",
    "greater_equal": "GreaterOrEqual", "less_equal": "LessOrEqual", "logical_and": "And", "logical_not": "Not",
    "logical_or": "Or", "logical_xor": "Xor", "matmul": "MatMul", "maximum": "Max", "minimum": "Min",
    "multiply": "Mul", "negative": "Neg", "positive": "Identity", "power": "Pow", "stop_gradient": "Identity",
    "subtract": "Sub",
}  # fmt: skip
# Of floating operands only.
FLOATING: Final = {
    "acos": "Acos", "acosh": "Acosh", "asin": "Asin", "asinh": "Asinh", "atan": "Atan", "atanh": "Atanh",
    "cos": "Cos", "cosh": "Cosh", "divide": "Div", "erf": "Erf", "exp": "Exp",
    "isnan": "IsNaN", "isinf": "IsInf", "log": "Log", "mish": "Mish", "prelu": "PRelu", "reciprocal": "Reciprocal",
    "relu": "Relu", "sigmoid": "Sigmoid", "sign": "Sign", "sin": "Sin", "sinh": "Sinh",
    "softplus": "Softplus", "softsign": "Softsign", "sqrt": "Sqrt", "tan": "Tan", "tanh": "Tanh",
}  # fmt: skip


def _same(node: str, floating: bool) -> Writer:
    def write(nodes: Nodes, call: Call, *operands: str) -> str | None:
        # ONNX's logical ops take bools only, and its arithmetic no bools.
        logical = node in ("And", "Or", "Xor", "Not")
        if (floating and call.kind() != "f") or (logical and any(x.kind != "b" for x in call.dtypes)):
            return None
        return nodes.node(node, *operands)

    return write


NODES.update({name: _same(node, False) for name, node in SAME.items()})
NODES.update({name: _same(node, True) for name, node in FLOATING.items()})


def entered(*names: str) -> Callable[[Writer], Writer]:
    """Enter a function into the table under the names of ops."""

    def enter(function: Writer) -> Writer:
        NODES.update(dict.fromkeys(names, function))
        return function

    return enter


def written(nodes: Nodes, call: Call, operands: Sequence[str]) -> str | None:
    """The output of a call, or None if the table does not have it."""
    writer = NODES.get(call.name)
    return None if writer is None else writer(nodes, call, *operands)


# --- types and arrangements -------------------------------------------------------------------------------------------


@entered("astype")
def _astype(nodes: Nodes, call: Call, x: str) -> str:
    return nodes.cast(x, call.dtype)


@entered("reshape", "squeeze", "expand_dims")
def _reshape(nodes: Nodes, call: Call, x: str) -> str:
    return nodes.node("Reshape", x, nodes.constant(call.shape, "int64"), allowzero=1)


@entered("broadcast_to")
def _broadcast_to(nodes: Nodes, call: Call, x: str) -> str:
    return nodes.node("Expand", x, nodes.constant(call.shape, "int64"))


@entered("permute_dims")
def _permute_dims(nodes: Nodes, call: Call, x: str) -> str:
    rank = len(call.shape)
    return nodes.node("Transpose", x, perm=[k % rank for k in call.attributes["axes"]])


@entered("concat")
def _concat(nodes: Nodes, call: Call, *xs: str) -> str:
    axis = call.attributes["axis"]
    if axis is None:
        flat = nodes.constant([-1], "int64")
        return nodes.node("Concat", *[nodes.node("Reshape", x, flat) for x in xs], axis=0)
    return nodes.node("Concat", *xs, axis=axis)


@entered("slice")
def _slice(nodes: Nodes, call: Call, x: str) -> str:
    start, stop, step = (call.attributes[name] for name in ("start", "stop", "step"))
    if not start:
        return nodes.node("Identity", x)
    # ONNX counts a stop of -1 from the end; the least integer means that a range goes down to position 0.
    stop = [-(2**63) if b < 0 else b for b in stop]
    bounds = [nodes.constant(list(part), "int64") for part in (start, stop, range(len(start)), step)]
    return nodes.node("Slice", x, *bounds)


@entered("take")
def _take(nodes: Nodes, call: Call, x: str, indices: str) -> str:
    kept = call.dtypes[1].name in ("int32", "int64")
    return nodes.node("Gather", x, indices if kept else nodes.cast(indices, "int64"), axis=call.attributes["axis"] or 0)


@entered("scatter")
def _scatter(nodes: Nodes, call: Call, x: str, indices: str, values: str) -> str:
    rank, shape = len(call.shape), call.shapes[2]
    if 0 in shape:
        return nodes.node("Identity", x)
    axis = call.attributes["axis"] % rank
    aligned = [shape[axis] if k == axis else 1 for k in range(rank)]
    positions = nodes.node("Reshape", nodes.cast(indices, "int64"), nodes.constant(aligned, "int64"), allowzero=1)
    positions = nodes.node("Expand", positions, nodes.constant(shape, "int64"))
    mode = {"add": "add", "max": "max", "set": "none"}[call.attributes["mode"]]
    return nodes.node("ScatterElements", x, positions, values, axis=axis, reduction=mode)


# --- reductions -------------------------------------------------------------------------------------------------------


def _reduced(nodes: Nodes, op: str, call: Call, x: str) -> str:
    axes = call.axes()
    if axes == []:
        return x
    inputs = [x] if axes is None else [x, nodes.constant(axes, "int64")]
    return nodes.node(op, *inputs, keepdims=int(call.attributes["keepdims"]))


def _reduction(name: str, op: str, *, through: str = "") -> None:
    """A reduction, of bools through integers."""

    @entered(name)
    def reduce(nodes: Nodes, call: Call, x: str) -> str | None:
        if 0 in call.shapes[0]:
            return None
        between = through if call.kind() == "b" else ""
        return nodes.cast(_reduced(nodes, op, call, nodes.cast(x, between or call.dtype)), call.dtype)


_reduction("sum", "ReduceSum")
_reduction("prod", "ReduceProd")
_reduction("mean", "ReduceMean")
_reduction("max", "ReduceMax", through="int64")
_reduction("min", "ReduceMin", through="int64")


def _logical(name: str, op: str) -> None:
    @entered(name)
    def reduce(nodes: Nodes, call: Call, x: str) -> str | None:
        if 0 in call.shapes[0]:
            return None
        return nodes.cast(_reduced(nodes, op, call, nodes.cast(nodes.cast(x, "bool"), "int32")), "bool")


_logical("any", "ReduceMax")
_logical("all", "ReduceMin")


def _arg(name: str, op: str) -> None:
    @entered(name)
    def find(nodes: Nodes, call: Call, x: str) -> str:
        axis = call.attributes["axis"]
        x = nodes.cast(x, "int32") if call.kind() == "b" else x
        if axis is None:
            found = nodes.node(op, nodes.node("Reshape", x, nodes.constant([-1], "int64")), axis=0, keepdims=0)
            return nodes.node("Reshape", found, nodes.constant(call.shape, "int64"))
        return nodes.node(op, x, axis=axis, keepdims=int(call.attributes["keepdims"]))


_arg("argmax", "ArgMax")
_arg("argmin", "ArgMin")


def _along(name: str, op: str) -> None:
    @entered(name)
    def along(nodes: Nodes, call: Call, x: str) -> str | None:
        axis = call.attributes["axis"]
        return nodes.node(op, x, axis=axis) if type(axis) is int and call.kind() == "f" and call.shape else None


_along("softmax", "Softmax")
_along("log_softmax", "LogSoftmax")


@entered("cumulative_sum")
def _cumulative_sum(nodes: Nodes, call: Call, x: str) -> str | None:
    if call.attributes["include_initial"]:
        return None
    axis = nodes.constant(np.asarray(call.attributes["axis"] or 0), "int64")
    return nodes.node("CumSum", nodes.cast(x, call.dtype), axis)
