"""Ops as calls of the public API, with NumPy's results beside them: what the gate sees of the kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

import polytape as pt

from .case import Call, Case, check, numbers

__all__ = ["CASES"]


def _op(op: Callable[[Any], Any], reference: Callable[[Any], Any], *shape: int) -> Callable[[str], Call]:
    def make(device: str) -> Call:
        host = numbers(*shape)
        x = pt.asarray(host, device=device)
        check(op(x), reference(host.astype("f8")))
        return lambda: op(x)

    return make


def _gelu(x: Any) -> Any:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def _softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _normalised(x: Any) -> Any:
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)


def _convolution(device: str) -> Call:
    images, weights = numbers(8, 8, 8, 4), numbers(3, 3, 4, 4)
    x, w = pt.asarray(images, device=device), pt.asarray(weights, device=device)

    def call() -> Any:
        return pt.nn.conv2d(x, w, padding="valid")

    windows = np.lib.stride_tricks.sliding_window_view(images.astype("f8"), (3, 3), (1, 2))
    check(call(), np.einsum("bhwcij,ijco->bhwo", windows, weights))
    return call


CASES: Final = (
    Case("elementwise/exp_1000", _op(lambda x: pt.exp(x), np.exp, 1_000), panel=True),
    Case("elementwise/gelu_1000", _op(lambda x: pt.nn.gelu(x, approximate=True), _gelu, 1_000), panel=True),
    Case("elementwise/add_100000", _op(lambda x: x + x, lambda x: x + x, 100_000), panel=True),
    Case("reduction/sum_100000", _op(lambda x: pt.sum(x), np.sum, 100_000), panel=True),
    Case("reduction/max_rows", _op(lambda x: pt.max(x, axis=-1), lambda x: x.max(-1), 100, 100), panel=True),
    Case("rows/softmax", _op(lambda x: pt.nn.softmax(x), _softmax, 100, 100), panel=True),
    Case("rows/layer_norm", _op(lambda x: pt.nn.layer_norm(x), _normalised, 100, 100), panel=True),
    Case("matrix/matmul", _op(lambda x: pt.matmul(x, x), lambda x: x @ x, 100, 100), panel=True),
    Case("matrix/conv2d", _convolution, panel=True),
    Case("indexing/sort", _op(lambda x: pt.sort(x), np.sort, 10_000), panel=True),
)
