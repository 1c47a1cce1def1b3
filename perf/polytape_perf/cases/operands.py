"""The operands of ops at larger sizes than those of the kit's rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from polytape.testing.cases.linalg.factorizations import positive_definite, separated
from polytape.testing.makers import (
    Maker,
    anything,
    booleans,
    counts,
    exactly,
    floats,
    integers,
    numbers,
    reals,
)
from polytape.testing.samples import Sample

__all__ = ["SAMPLES", "SIDES", "operands_of"]

SIDES: Final = {"medium": 100, "large": 1000}  # rows and columns of an operand

Build = Callable[[int], Sample]


def operands_of(op: str, first: Sample, side: int) -> Sample | None:
    """The sample of an op with matrices of this side; None if there is none.

    Args:
        first: the row's first sample, whose operands grow if they all have one shape.
    """
    if op in SAMPLES:
        return SAMPLES[op](side)
    grown = [maker for maker in first.operands if not maker.name.startswith("exactly")]
    shape = {1: (side * side,), 2: (side, side)}.get(len(grown[0].shape)) if grown else None
    if shape is None or len({maker.shape for maker in grown}) > 1:
        return None
    return Sample([maker.at(shape) if maker in grown else maker for maker in first.operands], first.attributes)


def _at(*operands: Maker, **attributes: Any) -> Sample:
    return Sample(operands, attributes)


def _cubic(side: int) -> int:
    """The side of a matrix whose decomposition takes about as long as an op on a matrix of the other side."""
    return 32 if side == 100 else 256


def _positions(count: int, below: int, *shape: int) -> Maker:
    """Integers from 0, repeated, in no order."""
    return exactly((np.arange(count) * 7919 % below).reshape(shape or (count,)), "int64")


def _sorted(count: int, below: int) -> Maker:
    return exactly(np.sort(np.arange(count) * 7919 % below), "int64")


def _key(*parts: Any) -> Any:
    """The template of a key, as `polytape.ops.keys` makes it."""
    from polytape.ops import keys

    return keys.split_key(parts)[0]


_STATE: Final = exactly([123456789012345, 7], "uint64")
_SHORT_STATE: Final = exactly([24, 7], "uint64")


def _parameters(side: int) -> Maker:
    return exactly(np.linspace(0.5, 12.0, 10 * side), "float32")


def _trials(side: int) -> Maker:
    return exactly(np.arange(10 * side) % 40 + 1, "float32")


def _conv(side: int) -> Sample:
    images = (8, 12, 12, 4) if side == 100 else (32, 28, 28, 8)
    return _at(counts(*images), counts(3, 3, images[-1], 8), **_WINDOW, padding=((1, 1), (1, 1)))


def _conv_weight(side: int) -> Sample:
    images = (8, 12, 12, 4) if side == 100 else (32, 28, 28, 8)
    gradient = (*images[:3], 8)
    return _at(counts(*gradient), counts(*images), window=(3, 3), **_WINDOW, padding=((1, 1), (1, 1)))


_WINDOW: Final[dict[str, Any]] = {
    "stride": (1, 1), "lhs_dilation": (1, 1), "rhs_dilation": (1, 1), "groups": 1, "data_format": "channels_last",
}  # fmt: skip


_SLIDING: Final[dict[str, Any]] = {"stride": (1, 1), "dilation": (1, 1), "axes": (0, 1)}


def _pool_gradient(side: int) -> Sample:
    x = (np.arange(side * side) * 7919 % 1009).reshape(side, side).astype("f4")
    pairs = {"size": (2,), "stride": (2,), "padding": ((0, 0),), "dilation": (1,), "axes": (1,)}
    y = x.reshape(side, side // 2, 2).max(-1)
    return _at(floats(side, side // 2), exactly(x), exactly(y), **pairs)


def _pool(make: Callable[..., Maker], **attributes: Any) -> Build:
    def build(side: int) -> Sample:
        images = (8, 12, 12, 8) if side == 100 else (32, 60, 60, 8)
        axes = {"size": (2, 2), "stride": (2, 2), "padding": ((0, 0), (0, 0)), "axes": (1, 2)}
        return _at(make(*images), **axes, **attributes)

    return build


SAMPLES: Final[dict[str, Build]] = {
    "arange": lambda s: _at(start=0, stop=s * s, step=1),
    "linspace": lambda s: _at(start=-1.0, stop=2.0, num=s * s),
    "eye": lambda s: _at(n_rows=s),
    "full": lambda s: _at(shape=(s, s), fill_value=2.5),
    "bitcast": lambda s: _at(exactly(np.linspace(-2, 2, s * s), "float32"), dtype="int32"),
    "prod": lambda s: _at(floats(s, s, low=0.99, high=1.01), axis=1),
    "cumulative_prod": lambda s: _at(floats(s, s, low=0.99, high=1.01), axis=-1),
    "other_products": lambda s: _at(floats(s, s // 10, low=0.99, high=1.01)),
    "cumulative_prod_gradient": lambda s: _at(floats(s, s // 10), floats(s, s // 10, low=0.99, high=1.01)),
    "concat": lambda s: _at(anything(s // 2, s), anything(s // 2, s)),
    "reshape": lambda s: _at(anything(s, s), shape=(s // 2, 2 * s)),
    "broadcast_to": lambda s: _at(anything(1, s), shape=(s, s)),
    "permute_dims": lambda s: _at(anything(s, s // 10, 10), axes=(2, 0, 1)),
    "slice": lambda s: _at(anything(s, s), start=(1, s - 1), stop=(s, 0), step=(1, -2)),
    "slice_update": lambda s: _at(anything(s, s), anything(s // 2, s), start=(0, 0), step=(2, 1)),
    "getitem": lambda s: _at(anything(s, s), key=_key(slice(1, None), 0)),
    "setitem": lambda s: _at(anything(s, s), anything(s - 1, s), key=_key(slice(1, None))),
    "scatter_add": lambda s: _at(
        numbers(s, s), _positions(s, s // 2), key=_key([0]), shape=(s // 2, s)
    ),
    "take": lambda s: _at(anything(s, s), _positions(s, s), axis=0),
    "scatter": lambda s: _at(numbers(s, s), exactly(np.arange(s)[::-1].copy(), "int64"), numbers(s, s)),
    "take_along_axis": lambda s: _at(anything(s, s), _positions(s * s, s, s, s)),
    "add_along_axis": lambda s: _at(numbers(s, s), _positions(s * s, s, s, s), size=s),
    "segment_sum": lambda s: _at(numbers(s, s), _positions(s, s // 4), num_segments=s // 4),
    "set_rows": lambda s: _at(floats(s, s), exactly(np.arange(0, s, 2), "int64"), floats(s // 2, s)),
    "flat_part": lambda s: _at(floats(s * s), start=3, shape=(s // 2, s)),
    "one_hot": lambda s: _at(_positions(s, s), num_classes=s),
    "nonzero": lambda s: _at(anything(s, s), size=s * s),
    "isin": lambda s: _at(anything(s, s), anything(20)),
    "searchsorted": lambda s: _at(exactly(np.linspace(-2, 2, s), "float32"), floats(s, s).of("float32")),
    "matmul": lambda s: _at(counts(_cubic(s), _cubic(s)), counts(_cubic(s), _cubic(s))),
    "convolve": lambda s: _at(counts(s * s // 10), counts(30)),
    "cholesky": lambda s: _at(positive_definite(_cubic(s), _cubic(s))),
    **{
        op: lambda s: _at(separated(_cubic(s), _cubic(s)))
        for op in ("qr", "svd", "lu_factor", "eig", "inv", "slogdet")
    },
    "eigh": lambda s: _at(positive_definite(_cubic(s), _cubic(s))),
    "det": lambda s: _at(separated(_cubic(s) // 4, _cubic(s) // 4)),  # of a larger one, it is no float32
    "solve": lambda s: _at(separated(_cubic(s), _cubic(s)), floats(_cubic(s), 4)),
    "solve_triangular": lambda s: _at(separated(_cubic(s), _cubic(s)), floats(_cubic(s), 4)),
    "windows": lambda s: _at(anything(s, s), size=(3, 3), **_SLIDING),
    "conv": _conv,
    "conv_weight_gradient": _conv_weight,
    "max_pool": _pool(reals, dilation=(1, 1)),
    "avg_pool": _pool(numbers, count_include_pad=False),
    "batch_norm": lambda s: _at(floats(s, s), floats(s), floats(s), momentum=0.75, axis=-1, epsilon=1e-3),
    "batch_norm_gradient": lambda s: _at(floats(s, s), floats(s, s), axis=-1, epsilon=1e-3),
    "layer_norm_gradients": lambda s: _at(floats(s, s), floats(s, s), floats(s)),
    "sparse_softmax_cross_entropy_with_logits": lambda s: _at(integers(s, high=s - 1), floats(s, s)),
    "softmax_cross_entropy_gradient": lambda s: _at(floats(s), integers(s, high=s - 1), floats(s, s)),
    "scaled_dot_product_attention": lambda s: _at(*_attention(s)),
    "attention_gradient": lambda s: _at(floats(4, s // 2, 16), *_attention(s)),
    "masked_scale": lambda s: _at(floats(s, s), booleans(s, s)),
    "fold": lambda s: _at(counts(s // 2 - 2, s // 2 - 2, 3, 3), sizes=(s // 2, s // 2), **_SLIDING),
    "max_pool_gradient": _pool_gradient,
    # Their references draw number by number in Python.
    "random_bits": lambda s: _at(_STATE, n=10 * s),
    "random_permutation": lambda s: _at(_STATE, n=10 * s),
    "random_uniform": lambda s: _at(_STATE, shape=(10, s), dtype="float32"),
    "random_normal": lambda s: _at(_STATE, shape=(10, s), dtype="float32"),
    "random_integers": lambda s: _at(_STATE, low=-5, high=11, shape=(10, s), dtype="int32"),
    "random_mask": lambda s: _at(_STATE, rate=0.2, shape=(10, s)),
    "random_gamma": lambda s: _at(_SHORT_STATE, _parameters(s)),
    "random_poisson": lambda s: _at(_SHORT_STATE, _parameters(s)),
    "random_binomial": lambda s: _at(_SHORT_STATE, _trials(s), exactly(0.25, "float32")),
    "random_von_mises": lambda s: _at(_SHORT_STATE, _parameters(s)),
}  # fmt: skip


def _attention(side: int) -> list[Maker]:
    return [floats(4, side // 2, 16), floats(4, side // 2, 16), floats(4, side // 2, 16)]
