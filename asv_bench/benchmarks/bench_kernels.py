"""Kernels by family and size, called as ops: 1,000 elements show the overhead, 1,000,000 the kernel itself."""

from __future__ import annotations

import math

import numpy as np

import polytape as pt

from .common import DEVICES, OnDevice, check

SIZES = (1_000, 1_000_000)
SAMPLING = "1: calls per sample fixed by size"


def softmax(x):
    """NumPy's softmax over the last axis, in float64."""
    e = np.exp(x.astype("f8") - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def square_side(size):
    """The side of a square matrix of about ``size`` elements."""
    return int(size**0.5)


# op -> (polytape's call, NumPy's)
ELEMENTWISE = {
    "add": (lambda x: x + x, lambda x: x + x),
    "multiply scalar": (lambda x: x * 2.0, lambda x: x * 2),
    "exp": (pt.exp, np.exp),
    "tanh": (pt.tanh, np.tanh),
    "log1p": (pt.log1p, np.log1p),
    "x ** 5": (lambda x: x**5, lambda x: x**5),
    "sigmoid": (pt.nn.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
    "silu": (pt.nn.silu, lambda x: x / (1 + np.exp(-x))),
    "softplus": (pt.nn.softplus, lambda x: np.logaddexp(x, 0)),
    "gelu": (pt.nn.gelu, lambda x: x * np.vectorize(lambda v: 0.5 * math.erfc(-v / math.sqrt(2)))(x)),
    "lgamma": (pt.special.lgamma, np.vectorize(math.lgamma)),
}
REDUCTION = {
    "sum": (pt.sum, np.sum),
    "max": (pt.max, np.max),
    "argmax": (pt.argmax, np.argmax),
    "vector_norm": (pt.linalg.vector_norm, lambda x: np.linalg.norm(x.astype("f8"))),
    "cumulative_sum": (pt.cumulative_sum, lambda x: np.cumsum(x.astype("f8"))),
    "top_k": (lambda x: pt.top_k(x, 5)[0], lambda x: np.sort(x)[:-6:-1]),
}
MATRIX = {"matmul": (lambda x: pt.matmul(x, x), lambda x: x @ x), "transposed": (pt.matrix_transpose, np.transpose)}
ROWS = {
    "softmax": (lambda x: pt.nn.softmax(x), softmax),
    "layer_norm": (
        lambda x: pt.nn.layer_norm(x),
        lambda x: (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5),
    ),
}
MANIPULATION = {
    "slice": (lambda x: x[10:-10:2], lambda x: x[10:-10:2]),
    "concat": (lambda x: pt.concat([x, x]), lambda x: np.concatenate([x, x])),
}


class _Family(OnDevice):
    """Each op of a family on each size; a subclass defines the ops and the shape."""

    cases = None
    shape = staticmethod(lambda size: (size,))
    param_names = ("device", "op", "size")

    def prepare(self, device, op, size):
        host = np.random.default_rng(0).uniform(0.5, 1.5, self.shape(size)).astype("f4")
        self.x = pt.asarray(host, device=device)
        self.call, reference = self.cases[op]
        check([self.call(self.x)], [reference(host)], rtol=1e-3, atol=1e-3)
        self.calls = max(1, 1_000_000 // size // 10)

    def time_op(self, device, op, size):
        call, x = self.call, self.x
        for _ in range(self.calls):
            call(x)

    time_op.version = SAMPLING


class Elementwise(_Family):
    """One pass over memory, or one function per element."""

    cases = ELEMENTWISE
    params = (DEVICES, tuple(ELEMENTWISE), SIZES)


class Reduction(_Family):
    """Sums and extrema over all elements."""

    cases = REDUCTION
    params = (DEVICES, tuple(REDUCTION), SIZES)


class Matrix(_Family):
    """Square matrices of about ``size`` elements."""

    shape = staticmethod(lambda size: (square_side(size), square_side(size)))
    cases = MATRIX
    params = (DEVICES, tuple(MATRIX), SIZES)


class Rows(_Family):
    """Softmax over rows of 100 elements."""

    shape = staticmethod(lambda size: (size // 100, 100))
    cases = ROWS
    params = (DEVICES, tuple(ROWS), SIZES)


class Manipulation(_Family):
    """Ops that copy elements without computing anything."""

    cases = MANIPULATION
    params = (DEVICES, tuple(MANIPULATION), SIZES)
