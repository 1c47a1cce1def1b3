"""The sixty rows of op_table.py: an op as an expression of polytape and one of torch, and its operands by size.

Images have their channels last in polytape and first in torch: each library's own default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["ROWS", "SIZES", "Row"]

SIZES = (10, 1_000, 1_000_000)
Operands = dict[str, Any]


class Row(NamedTuple):
    """One op.

    Attributes:
        ours, theirs: the call as an expression of ``pt`` and of ``torch`` and ``F``, with the operands by name.
        operands: the function ``(size, rng) -> {name: array}``; arrays named ``t_...`` are torch's own form of those
            named without it.
        sources: the operands to which gradients are computed; "" for an op without a gradient.
    """

    ours: str
    theirs: str
    operands: Callable[[int, Any], Operands]
    sources: str = "x"


def floats(rng: Any, *shape: int) -> Any:
    """Standard normal numbers."""
    return rng.standard_normal(shape).astype("f4")


def vector(n: int, rng: Any) -> Operands:
    """One vector."""
    return {"x": floats(rng, n)}


def vectors(n: int, rng: Any) -> Operands:
    """Two vectors, and a mask."""
    return {"x": floats(rng, n), "y": floats(rng, n), "c": rng.random(n) < 0.5}


def positive(n: int, rng: Any) -> Operands:
    """A vector of numbers from 0.5 to 1.5, and one of exponents."""
    return {"x": rng.uniform(0.5, 1.5, n).astype("f4"), "y": floats(rng, n)}


def distinct(n: int, rng: Any) -> Operands:
    """A vector without equal elements, whose gradients depend on the order that a sort leaves them in."""
    return {"x": (rng.permutation(n) / n).astype("f4")}


def near_one(n: int, rng: Any) -> Operands:
    """A vector whose product neither overflows nor vanishes."""
    return {"x": (1.0 + 1e-4 * rng.standard_normal(n)).astype("f4")}


def sides(n: int) -> tuple[int, int]:
    """Rows and columns of a matrix with n elements."""
    return {10: (2, 5), 1_000: (10, 100), 1_000_000: (1_000, 1_000)}[n]


def matrix(n: int, rng: Any) -> Operands:
    """A matrix, and indices of its elements along the last axis, of its rows, and of segments of its rows."""
    rows, columns = sides(n)
    return {
        "x": floats(rng, rows, columns),
        "inside": rng.integers(0, columns, (rows, columns)),
        "labels": rng.integers(0, columns, rows),
        "picked": rng.integers(0, rows, rows),
        "segments": np.sort(rng.integers(0, rows, rows)),
        "rows": rows,
    }


def normalised(n: int, rng: Any) -> Operands:
    """A matrix with a weight, a bias and moving averages per column."""
    _, columns = sides(n)
    averages = {"mean": np.zeros(columns, "f4"), "variance": np.ones(columns, "f4")}
    return matrix(n, rng) | averages | {"w": floats(rng, columns), "b": floats(rng, columns)}


def square(n: int, rng: Any) -> Operands:
    """A well-conditioned square matrix and a second matrix."""
    side = {10: 3, 1_000: 32, 1_000_000: 1_000}[n]
    return {"x": floats(rng, side, side) + side * np.eye(side, dtype="f4"), "y": floats(rng, side, side)}


def image(n: int, rng: Any) -> Operands:
    """Images, weights of a convolution and of a depthwise one, in both data formats."""
    batch, side, channels = {10: (1, 3, 1), 1_000: (2, 8, 8), 1_000_000: (16, 32, 64)}[n]
    x, w = floats(rng, batch, side, side, channels), floats(rng, 3, 3, channels, channels)
    d = floats(rng, 3, 3, channels, 1)
    return {
        "x": x, "t_x": x.transpose(0, 3, 1, 2).copy(), "w": w, "t_w": w.transpose(3, 2, 0, 1).copy(),
        "d": d, "t_d": d.transpose(2, 3, 0, 1).copy(), "channels": channels,
    }  # fmt: skip


def heads(n: int, rng: Any) -> Operands:
    """Query, key and value of an attention."""
    shape = {10: (1, 1, 5, 2), 1_000: (1, 2, 16, 32), 1_000_000: (8, 8, 256, 64)}[n]
    return {name: floats(rng, *shape) for name in ("x", "y", "z")}


ROWS: dict[str, Row] = {
    # Elementwise
    "add": Row("pt.add(x, y)", "torch.add(x, y)", vectors, "x y"),
    "multiply": Row("pt.multiply(x, y)", "torch.mul(x, y)", vectors, "x y"),
    "divide": Row("pt.divide(y, x)", "torch.div(y, x)", positive, "x y"),
    "maximum": Row("pt.maximum(x, y)", "torch.maximum(x, y)", vectors, "x y"),
    "where": Row("pt.where(c, x, y)", "torch.where(c, x, y)", vectors, "x y"),
    "clip": Row("pt.clip(x, -1.0, 1.0)", "torch.clamp(x, -1.0, 1.0)", vector),
    "x ** 3": Row("x ** 3", "x ** 3", vector),
    "x ** y": Row("x ** y", "x ** y", positive, "x y"),
    "sqrt": Row("pt.sqrt(x)", "torch.sqrt(x)", positive),
    "exp": Row("pt.exp(x)", "torch.exp(x)", vector),
    "log": Row("pt.log(x)", "torch.log(x)", positive),
    "log1p": Row("pt.log1p(x)", "torch.log1p(x)", positive),
    "sin": Row("pt.sin(x)", "torch.sin(x)", vector),
    "tanh": Row("pt.tanh(x)", "torch.tanh(x)", vector),
    "abs": Row("pt.abs(x)", "torch.abs(x)", vector),
    "erf": Row("pt.special.erf(x)", "torch.erf(x)", vector),
    "lgamma": Row("pt.special.lgamma(x)", "torch.lgamma(x)", positive),
    "relu": Row("pt.nn.relu(x)", "F.relu(x)", vector),
    "leaky_relu": Row("pt.nn.leaky_relu(x)", "F.leaky_relu(x)", vector),
    "elu": Row("pt.nn.elu(x)", "F.elu(x)", vector),
    "sigmoid": Row("pt.nn.sigmoid(x)", "torch.sigmoid(x)", vector),
    "softplus": Row("pt.nn.softplus(x)", "F.softplus(x)", vector),
    "silu": Row("pt.nn.silu(x)", "F.silu(x)", vector),
    "gelu": Row("pt.nn.gelu(x)", "F.gelu(x)", vector),
    # Reductions and cumulative ops
    "sum": Row("pt.sum(x)", "torch.sum(x)", vector),
    "sum, axis 0": Row("pt.sum(x, axis=0)", "torch.sum(x, 0)", matrix),
    "mean, last axis": Row("pt.mean(x, axis=-1)", "torch.mean(x, -1)", matrix),
    "max": Row("pt.max(x)", "torch.max(x)", vector),
    "max, last axis": Row("pt.max(x, axis=-1)", "torch.amax(x, -1)", matrix),
    "argmax, last axis": Row("pt.argmax(x, axis=-1)", "torch.argmax(x, -1)", matrix, ""),
    "prod": Row("pt.prod(x)", "torch.prod(x)", near_one),
    "var, last axis": Row("pt.var(x, axis=-1)", "torch.var(x, -1, correction=0)", matrix),
    "logsumexp": Row("pt.special.logsumexp(x, axis=-1)", "torch.logsumexp(x, -1)", matrix),
    "vector_norm": Row("pt.linalg.vector_norm(x)", "torch.linalg.vector_norm(x)", vector),
    "cumulative_sum": Row("pt.cumulative_sum(x)", "torch.cumsum(x, 0)", vector),
    "cumulative_prod": Row("pt.cumulative_prod(x)", "torch.cumprod(x, 0)", near_one),
    # Linear algebra
    "matmul": Row("pt.matmul(x, y)", "torch.matmul(x, y)", square, "x y"),
    "solve": Row("pt.linalg.solve(x, y)", "torch.linalg.solve(x, y)", square, "x y"),
    "inv": Row("pt.linalg.inv(x)", "torch.linalg.inv(x)", square),
    "lu_factor": Row("pt.linalg.lu_factor(x)[0]", "torch.linalg.lu_factor(x)[0]", square),
    # Moving elements
    "concat": Row("pt.concat([x, y])", "torch.cat([x, y])", vectors, "x y"),
    "stack": Row("pt.stack([x, y])", "torch.stack([x, y])", vectors, "x y"),
    "x[1:-1]": Row("x[1:-1]", "x[1:-1]", vector),
    "take rows": Row("pt.take(x, picked, axis=0)", "torch.index_select(x, 0, picked)", matrix),
    "take_along_axis": Row("pt.take_along_axis(x, inside)", "torch.gather(x, -1, inside)", matrix),
    "segment_sum": Row(
        "pt.segment_sum(x, segments, num_segments=rows)",
        "torch.zeros(x.shape).index_add(0, segments, x)",
        matrix,
    ),
    "pad": Row("pt.pad(x, 1)", "F.pad(x, (1, 1, 1, 1))", matrix),
    "roll": Row("pt.roll(x, 3)", "torch.roll(x, 3)", vector),
    "sort": Row("pt.sort(x)", "torch.sort(x)[0]", distinct),
    "top 5": Row("pt.top_k(x, 5)[0]", "torch.topk(x, 5)[0]", distinct),
    # Neural networks
    "softmax": Row("pt.nn.softmax(x)", "torch.softmax(x, -1)", matrix),
    "log_softmax": Row("pt.nn.log_softmax(x)", "torch.log_softmax(x, -1)", matrix),
    "cross entropy": Row(
        "pt.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=x)",
        "F.cross_entropy(x, labels, reduction='none')",
        matrix,
    ),
    "layer_norm": Row("pt.nn.layer_norm(x, w, b)", "F.layer_norm(x, w.shape, w, b)", normalised, "x w b"),
    "batch_norm": Row(
        "pt.nn.batch_norm(x, mean, variance, w, b, training=True)[0]",
        "F.batch_norm(x, mean, variance, w, b, training=True, eps=1e-3)",
        normalised,
        "x w b",
    ),
    "conv2d": Row("pt.nn.conv2d(x, w, padding='same')", "F.conv2d(x, w, padding=1)", image, "x w"),
    "depthwise_conv2d": Row(
        "pt.nn.depthwise_conv2d(x, d, padding='same')", "F.conv2d(x, d, padding=1, groups=channels)", image, "x d"
    ),
    "max_pool": Row("pt.nn.max_pool(x, 2)", "F.max_pool2d(x, 2)", image),
    "avg_pool": Row("pt.nn.avg_pool(x, 2)", "F.avg_pool2d(x, 2)", image),
    "attention": Row(
        "pt.nn.scaled_dot_product_attention(x, y, z)", "F.scaled_dot_product_attention(x, y, z)", heads, "x y z"
    ),
}
