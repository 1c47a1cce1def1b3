"""Ops of polytape that are several nodes of ONNX: what it computes less exactly, names otherwise, or restricts."""

from __future__ import annotations

from typing import Any

import numpy as np

from .nodes import Call, Nodes, entered

__all__: list[str] = []


@entered("not_equal")
def _not_equal(nodes: Nodes, call: Call, x1: str, x2: str) -> str:
    return nodes.node("Not", nodes.node("Equal", x1, x2))


@entered("fmod")
def _fmod(nodes: Nodes, call: Call, x1: str, x2: str) -> str:
    return nodes.node("Mod", x1, x2, fmod=1)


@entered("floor_divide")
def _floor_divide(nodes: Nodes, call: Call, x1: str, x2: str) -> str:
    if call.kind() == "f":
        return nodes.node("Floor", nodes.node("Div", x1, x2))
    # ONNX rounds quotients of integers towards 0, and Mod has the sign of the divisor.
    return nodes.node("Div", nodes.node("Sub", x1, nodes.node("Mod", x1, x2, fmod=0)), x2)


@entered("expm1")
def _expm1(nodes: Nodes, call: Call, x: str) -> str | None:
    """``exp(x) - 1``, which near 0 is ``2 t / (1 - t)`` with ``t = tanh(x / 2)``."""
    if call.kind() != "f":
        return None
    half, one, two = (nodes.constant(value, call.dtype) for value in (0.5, 1.0, 2.0))
    t = nodes.node("Tanh", nodes.node("Mul", x, half))
    near = nodes.node("Div", nodes.node("Mul", t, two), nodes.node("Sub", one, t))
    far = nodes.node("Sub", nodes.node("Exp", x), one)
    return nodes.node("Where", nodes.node("Less", nodes.node("Abs", x), one), near, far)


@entered("log1p")
def _log1p(nodes: Nodes, call: Call, x: str) -> str | None:
    """``log(u)`` with ``u = 1 + x``, corrected near 0 for the rounding of ``u``.

    Source:
        D. Goldberg (1991), ACM Computing Surveys 23 (1), theorem 4.
    """
    if call.kind() != "f":
        return None
    half, one = nodes.constant(0.5, call.dtype), nodes.constant(1.0, call.dtype)
    u = nodes.node("Add", one, x)
    far = nodes.node("Log", u)
    near = nodes.node("Div", nodes.node("Mul", far, x), nodes.node("Sub", u, one))
    near = nodes.node("Where", nodes.node("Equal", u, one), x, near)
    return nodes.node("Where", nodes.node("Less", nodes.node("Abs", x), half), near, far)


def _bitwise(name: str, op: str, logical: str) -> None:
    @entered(name)
    def bitwise(nodes: Nodes, call: Call, *operands: str) -> str:
        return nodes.node(logical if call.kind() == "b" else op, *operands)


_bitwise("bitwise_and", "BitwiseAnd", "And")
_bitwise("bitwise_or", "BitwiseOr", "Or")
_bitwise("bitwise_xor", "BitwiseXor", "Xor")
_bitwise("bitwise_invert", "BitwiseNot", "Not")


@entered("conv")
def _conv(nodes: Nodes, call: Call, x: str, w: str) -> str | None:
    """ONNX has channels first, weights [out, in / groups, *window], and no dilation of the operand."""
    given = call.attributes
    rank = len(call.shape) - 2
    if call.kind() != "f" or any(k != 1 for k in given["lhs_dilation"]) or 0 in (*call.shape, *call.shapes[0]):
        return None
    if any(k < 0 for pair in given["padding"] for k in pair):
        return None
    first = given["data_format"] == "channels_first"
    if not first:
        x = nodes.node("Transpose", x, perm=[0, rank + 1, *range(1, rank + 1)])
    w = nodes.node("Transpose", w, perm=[rank + 1, rank, *range(rank)])
    y = nodes.node(
        "Conv", x, w, strides=list(given["stride"]), dilations=list(given["rhs_dilation"]), group=given["groups"],
        pads=[a for a, _ in given["padding"]] + [b for _, b in given["padding"]],
    )  # fmt: skip
    return y if first else nodes.node("Transpose", y, perm=[0, *range(2, rank + 2), 1])


def _pool(name: str, op: str) -> None:
    @entered(name)
    def pool(nodes: Nodes, call: Call, x: str) -> str | None:
        given = call.attributes
        rank = len(call.shape)
        axes = [k % rank for k in given["axes"]]
        others = [k for k in range(rank) if k not in axes]
        padded: Any = given["padding"]
        if call.kind() != "f" or len(others) != 2 or 0 in call.shapes[0] or any(k < 0 for pair in padded for k in pair):
            return None
        order = [*others, *axes]
        options: dict[str, Any] = {"kernel_shape": list(given["size"]), "strides": list(given["stride"])}
        options["pads"] = [a for a, _ in padded] + [b for _, b in padded]
        if op == "MaxPool":
            options["dilations"] = list(given["dilation"])
        else:
            options["count_include_pad"] = int(given["count_include_pad"])
        y = nodes.node(op, nodes.node("Transpose", x, perm=order), **options)
        return nodes.node("Transpose", y, perm=[order.index(k) for k in range(rank)])


_pool("max_pool", "MaxPool")
_pool("avg_pool", "AveragePool")


@entered("remainder")
def _remainder(nodes: Nodes, call: Call, x1: str, x2: str) -> str:
    """The remainder with the sign of the divisor; ONNX has it for integers, and that of the dividend for both."""
    if call.kind() != "f":
        return nodes.node("Mod", x1, x2, fmod=0)
    zero = nodes.constant(0.0, call.dtype)
    r = nodes.node("Mod", x1, x2, fmod=1)
    signs = nodes.node("Xor", nodes.node("Less", r, zero), nodes.node("Less", x2, zero))
    other = nodes.node("And", signs, nodes.node("Not", nodes.node("Equal", r, zero)))
    return nodes.node("Where", other, nodes.node("Add", r, x2), r)


@entered("trunc")
def _trunc(nodes: Nodes, call: Call, x: str) -> str:
    if call.kind() != "f":
        return nodes.node("Identity", x)
    return nodes.node("Mul", nodes.node("Sign", x), nodes.node("Floor", nodes.node("Abs", x)))


@entered("floor", "ceil", "round")
def _rounded(nodes: Nodes, call: Call, x: str) -> str:
    names = {"floor": "Floor", "ceil": "Ceil", "round": "Round"}
    return nodes.node(names[call.name] if call.kind() == "f" else "Identity", x)


@entered("where")
def _where(nodes: Nodes, call: Call, condition: str, x1: str, x2: str) -> str:
    if call.dtype.kind != "b":
        return nodes.node("Where", condition, x1, x2)
    # onnxruntime 1.32 does not choose between bools.
    second = nodes.node("And", nodes.node("Not", condition), x2)
    return nodes.node("Or", nodes.node("And", condition, x1), second)


def _ordered(nodes: Nodes, call: Call, x: str, output: int) -> str | None:
    """The sorted values (0) or their positions (1); of equal values, ONNX puts the first one first."""
    axis = call.attributes["axis"]
    if not call.shape or call.kind() not in "fi" or axis is None:
        return None
    size = nodes.constant([call.shape[axis]], "int64")
    largest = int(call.attributes["descending"])
    return nodes.outputs("TopK", 2, x, size, axis=axis, largest=largest, sorted=1)[output]


@entered("argsort")
def _argsort(nodes: Nodes, call: Call, x: str) -> str | None:
    return _ordered(nodes, call, x, 1)


@entered("sort")
def _sort(nodes: Nodes, call: Call, x: str) -> str | None:
    return _ordered(nodes, call, x, 0)


@entered("slice_update")
def _slice_update(nodes: Nodes, call: Call, x: str, value: str) -> str:
    """Scattered into the flat operand, since the positions are known."""
    flat = nodes.constant([-1], "int64")
    if 0 in call.shapes[1]:
        return nodes.node("Identity", x)
    positions: Any = np.asarray(0)
    for size, count, start, step in zip(
        call.shape, call.shapes[1], call.attributes["start"], call.attributes["step"], strict=True
    ):
        along = start + step * np.arange(count)
        positions = positions[..., None] * size + along
    indices = nodes.constant(positions.reshape(-1), "int64")
    operands = nodes.node("Reshape", x, flat), indices, nodes.node("Reshape", value, flat)
    updated = nodes.node("ScatterElements", *operands, axis=0)
    return nodes.node("Reshape", updated, nodes.constant(call.shape, "int64"))
