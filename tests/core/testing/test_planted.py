"""Defects planted in the kernels of each family, and the check of the kit that catches each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt

VALUE = "check_value_dtype_and_shape"
STAY = "check_operands_stay"
ERRORS = "check_errors"
LARGE = "check_large_operands"
BLOCK = 16384  # elements

NUMPY = {kernel.op: kernel.fn for kernel in pt.get_backend("numpy").all_kernels()}


def given(op: str, **fixed: Any) -> Callable[..., Any]:
    """NumPy's kernel, which ignores what the caller says of these attributes."""

    def ignores(*arrays: Any, **attributes: Any) -> Any:
        return NUMPY[op](*arrays, **{**attributes, **fixed})

    return ignores


def after(op: str, change: Callable[[Any], Any]) -> Callable[..., Any]:
    """NumPy's kernel, whose result is changed."""

    def changes(*arrays: Any, **attributes: Any) -> Any:
        y = NUMPY[op](*arrays, **attributes)
        return np.asarray(change(y)).astype(y.dtype)

    return changes


def by(formula: Callable[..., Any]) -> Callable[..., Any]:
    """A formula whose result gets the dtype of its first operand."""

    def computes(*arrays: Any, **attributes: Any) -> Any:
        return np.asarray(formula(*arrays, **attributes)).astype(arrays[0].dtype)

    return computes


# --- sorting and cumulative -------------------------------------------------------------------------------------------


def unstable_descending(x: Any, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    order = NUMPY["argsort"](x, axis=axis)
    return np.flip(order, axis) if descending else order


def smallest_first(x: Any, *, k: int, axis: int = -1, largest: bool = True) -> Any:
    values, order = NUMPY["top_k"](x, k=k, axis=axis, largest=largest)
    return np.flip(values, axis), np.flip(order, axis)


def overlooks_nan(x: Any, *, k: int, axis: int = -1, largest: bool = True) -> Any:
    if x.ndim == 1 and largest and 0 < k < x.size:
        bound = np.partition(x, x.size - k)[x.size - k]
        found = (x >= bound).nonzero()[0]
        if len(found) == k:
            found = found[np.argsort(-x[found], kind="stable")]
            return x[found], found
    return NUMPY["top_k"](x, k=k, axis=axis, largest=largest)


def other_side(x1: Any, x2: Any, *, side: str = "left") -> Any:
    return NUMPY["searchsorted"](x1, x2, side="right" if side == "left" else "left")


def no_initial(x: Any, *, axis: Any = None, dtype: Any, include_initial: bool = False) -> Any:
    return NUMPY["cumulative_prod"](x, axis=axis, dtype=dtype)


def maximum_without_nan(x: Any, *, axis: int = -1) -> Any:
    return np.fmax.accumulate(x, axis)


# --- movement ---------------------------------------------------------------------------------------------------------


def adds_always(x: Any, indices: Any, values: Any, *, axis: int = 0, mode: str = "add") -> Any:
    return NUMPY["scatter"](x, indices, values, axis=axis, mode="add" if mode == "max" else mode)


def clips_indices(x: Any, indices: Any, *, axis: Any = None) -> Any:
    return np.take(x, indices.astype("int64"), axis, mode="clip")


def empties_are_zero(data: Any, segment_ids: Any, *, num_segments: int) -> Any:
    y = NUMPY_OR_BODY_SEGMENT_MAX(data, segment_ids, num_segments)
    return np.where(np.isinf(y), 0, y).astype(data.dtype) if data.dtype.kind == "f" else y


def NUMPY_OR_BODY_SEGMENT_MAX(data: Any, segment_ids: Any, num_segments: int) -> Any:
    lowest = -np.inf if data.dtype.kind == "f" else np.iinfo(data.dtype).min
    y = np.full((num_segments, *data.shape[1:]), lowest, data.dtype)
    np.maximum.at(y, segment_ids.astype("int64"), data)
    return y


def repeats_the_edge(x: Any, *, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    mode = "symmetric" if mode == "reflect" else mode
    return NUMPY["pad"](x, pad_width=pad_width, mode=mode, constant_values=constant_values)


def shifts_in_zeros(x: Any, *, shift: Any, axis: Any = None) -> Any:
    y = np.array(NUMPY["roll"](x, shift=shift, axis=axis))
    if axis is None and shift > 0:
        y.reshape(-1)[:shift] = 0
    return y


# --- linear algebra and fft -------------------------------------------------------------------------------------------


def reads_the_upper_triangle(x: Any) -> Any:
    return NUMPY["eigh"](np.triu(x) + np.triu(x, 1).swapaxes(-1, -2))  # without the conjugate


def without_pivots(x1: Any, x2: Any) -> Any:
    return NUMPY["solve"](x1.swapaxes(-1, -2), x2)


def without_row_exchanges(x: Any) -> Any:
    return np.abs(NUMPY["det"](x)).astype(x.dtype)


def ascending(x: Any, *, full_matrices: bool = True) -> Any:
    u, s, vh = NUMPY["svd"](x, full_matrices=full_matrices)
    return u, s[..., ::-1].copy(), vh


def overflowing_norm(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    real = x.real.dtype
    return np.sqrt(np.sum((x * x.conj()).real, axis, keepdims=keepdims, dtype=real)).astype(real)


# --- special functions ------------------------------------------------------------------------------------------------


def reference_of(op: str, *arrays: Any) -> Any:
    from polytape.testing import case_of
    from polytape.testing.compare import widen

    return np.asarray(case_of(op).reference(*map(widen, arrays)))


def tail_of_ndtr(x: Any) -> Any:
    return np.log(reference_of("ndtr", x).astype(x.dtype))


def clips_labels(labels: Any, logits: Any) -> Any:
    last = max(logits.shape[-1] - 1, 0) if logits.ndim else 0
    return NUMPY["sparse_softmax_cross_entropy_with_logits"](labels.clip(0, last), logits)


def by_cancellation(x: Any) -> Any:
    return 1 - reference_of("erf", x).astype(x.dtype)


def inner_erfinv(x: Any) -> Any:
    return np.where(np.abs(x) == 1, np.nan, reference_of("erfinv", x)).astype(x.dtype)


# --- convolution, pools, norms ----------------------------------------------------------------------------------------


def flipped(x: Any, w: Any, **attributes: Any) -> Any:
    return NUMPY["conv"](x, np.flip(w, tuple(range(w.ndim - 2))), **attributes)


def pads_with_zeros(x: Any, *, padding: Any, axes: Any, **attributes: Any) -> Any:
    pairs = dict(zip(axes, padding, strict=True))
    wide = np.pad(x, [pairs.get(axis, (0, 0)) for axis in range(x.ndim)])
    return NUMPY["max_pool"](wide, padding=((0, 0),) * len(axes), axes=axes, **attributes)


def sees_the_next_token(
    query: Any, key: Any, value: Any, mask: Any = None, *, is_causal: bool = False, scale: Any = None
) -> Any:
    if not is_causal:
        return NUMPY["scaled_dot_product_attention"](query, key, value, mask, scale=scale)
    seen = np.tri(query.shape[-2], key.shape[-2], 1, dtype=bool)
    return NUMPY["scaled_dot_product_attention"](query, key, value, seen, scale=scale)


def small_first(x: Any, weight: Any = None, *, axis: Any = -1, epsilon: float = 1e-6) -> Any:
    return NUMPY["rms_norm"](x, weight, axis=axis, epsilon=epsilon * epsilon)


# --- bits, random, complex --------------------------------------------------------------------------------------------


def as_in_c(x1: Any, x2: Any) -> Any:
    bits = 8 * x1.dtype.itemsize
    return np.left_shift(x1, (x2 & (bits - 1)).astype(x2.dtype))


def fills_with_zeros(x1: Any, x2: Any) -> Any:
    unsigned = x1.view(f"u{x1.dtype.itemsize}") if x1.dtype.kind == "i" else x1
    y = NUMPY["bitwise_right_shift"](unsigned, x2.astype(unsigned.dtype) if x2.dtype.kind == "i" else x2)
    return y.view(x1.dtype)


def one_is_drawn(state: Any, *, shape: Any, dtype: Any, device: Any) -> Any:
    y = NUMPY["random_uniform"](state, shape=shape, dtype=dtype, device=device)
    return (y * (1 + np.finfo(y.dtype).eps)).astype(y.dtype)


def with_bias(state: Any, *, low: int, high: int, shape: Any, dtype: Any, device: Any) -> Any:
    bits = NUMPY["random_bits"](state, n=int(np.prod(shape)), device=device).astype("int64")
    return (low + bits % (high - low)).astype(dtype).reshape(shape)


def overflowing_abs(x: Any) -> Any:
    return np.sqrt(x.real**2 + x.imag**2).astype(x.real.dtype) if x.dtype.kind == "c" else np.abs(x)


def half_away(x: Any) -> Any:
    return np.copysign(np.floor(np.abs(x) + 0.5), x).astype(x.dtype) if x.dtype.kind == "f" else NUMPY["round"](x)


def truncated(x1: Any, x2: Any) -> Any:
    return np.fmod(x1, np.where((x2 == 0) & (x1.dtype.kind in "iu"), 1, x2)).astype(x1.dtype)


def drops_nan(x: Any, min: Any = None, max: Any = None) -> Any:
    y = x if min is None else np.fmax(x, min)
    return (y if max is None else np.fmin(y, max)).astype(x.dtype)


def itself(x: Any) -> Any:
    return x


# --- what checks beside the values catch ------------------------------------------------------------------------------


def view(x: Any, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    x.sort(axis)
    return x


def accepts_any_width(x: Any, *, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    try:
        return NUMPY["pad"](x, pad_width=pad_width, mode=mode, constant_values=constant_values)
    except ValueError:
        return x.copy()


def seeded_by_time(state: Any, *, n: int, device: Any) -> Any:
    return np.random.default_rng().permutation(n)


def forgets_the_last_block(x: Any) -> Any:
    y = np.zeros_like(x)
    for start in range(0, x.size if x.size <= BLOCK else x.size - BLOCK, BLOCK):
        y.reshape(-1)[start : start + BLOCK] = np.tanh(x.reshape(-1)[start : start + BLOCK])
    return y


def starts_each_block_anew(x: Any, *, axis: Any = None, dtype: Any, include_initial: bool = False) -> Any:
    if x.ndim != 1 or x.size <= BLOCK:
        return NUMPY["cumulative_sum"](x, axis=axis, dtype=dtype, include_initial=include_initial)
    return np.concatenate([np.cumsum(x[k : k + BLOCK], dtype=dtype) for k in range(0, x.size, BLOCK)])


def wraps_the_position(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    return np.asarray(NUMPY["argmax"](x, axis=axis, keepdims=keepdims)).astype("uint16").astype("int64")


def takes_the_number_for_true(condition: Any, x1: Any, x2: Any) -> Any:
    return np.where(condition, x1, x2 if x2.ndim or condition.size <= BLOCK else x1)


DEFECTS: list[tuple[str, str, Callable[..., Any], str]] = [
    # what is wrong, the op, the kernel, the check that catches it
    ("equal elements reversed by a descending sort", "argsort", unstable_descending, VALUE),
    ("the smallest of the largest first", "top_k", smallest_first, VALUE),
    ("the other side of equal elements", "searchsorted", other_side, VALUE),
    ("no initial element", "cumulative_prod", no_initial, VALUE),
    ("NaN not carried on", "cumulative_max", maximum_without_nan, VALUE),
    ("sorted in place", "sort", view, STAY),
    ("a mode of scatter ignored", "scatter", adds_always, VALUE),
    ("indices clipped", "take", clips_indices, VALUE),
    ("0 for a segment without rows", "segment_max", empties_are_zero, VALUE),
    ("the edge repeated by reflection", "pad", repeats_the_edge, VALUE),
    ("wrong widths accepted", "pad", accepts_any_width, ERRORS),
    ("elements lost by a roll", "roll", shifts_in_zeros, VALUE),
    ("the other triangle read", "eigh", reads_the_upper_triangle, VALUE),
    ("the transposed system solved", "solve", without_pivots, VALUE),
    ("the sign of row exchanges lost", "det", without_row_exchanges, VALUE),
    ("singular values in ascending order", "svd", ascending, VALUE),
    ("the upper factor never computed", "cholesky", given("cholesky", upper=False), VALUE),
    ("the unit diagonal read", "solve_triangular", given("solve_triangular", unit_diagonal=False), VALUE),
    ("squares that overflow", "euclidean_norm", overflowing_norm, VALUE),
    ("an inverse transform that is not scaled", "ifft", given("ifft", norm="forward"), VALUE),
    ("a requested length ignored", "rfft", given("rfft", n=None), VALUE),
    ("a complementary function by cancellation", "erfc", by_cancellation, VALUE),
    ("the logarithm of a probability that underflows", "log_ndtr", tail_of_ndtr, VALUE),
    ("NaN at the ends of the domain", "erfinv", inner_erfinv, VALUE),
    ("0 log 0 is NaN", "xlogy", by(lambda x1, x2: x1 * np.log(x2)), VALUE),
    ("a convolution instead of a correlation", "conv", flipped, VALUE),
    ("a dilation ignored", "conv", given("conv", rhs_dilation=(1, 1)), VALUE),
    ("padding that wins over negative numbers", "max_pool", pads_with_zeros, VALUE),
    ("a mask that shows the next token", "scaled_dot_product_attention", sees_the_next_token, VALUE),
    ("another epsilon", "rms_norm", small_first, VALUE),
    ("the biased variance", "var", given("var", correction=0.0), VALUE),
    ("shifts by the count modulo the width", "bitwise_left_shift", as_in_c, VALUE),
    ("zeros shifted into negative numbers", "bitwise_right_shift", fills_with_zeros, VALUE),
    ("the lane of random bits ignored", "random_bits", given("random_bits", lane=0), VALUE),
    ("random numbers up to 1", "random_uniform", one_is_drawn, VALUE),
    ("random integers by another formula", "random_integers", with_bias, VALUE),
    ("another permutation in each call", "random_permutation", seeded_by_time, STAY),
    ("a modulus that overflows", "abs", overflowing_abs, VALUE),
    ("the conjugate forgotten", "conj", itself, VALUE),
    ("halves rounded away from 0", "round", half_away, VALUE),
    ("the sign of the dividend", "remainder", truncated, VALUE),
    ("NaN clipped", "clip", drops_nan, VALUE),
    ("a diagonal ignored", "tril", given("tril", k=0), VALUE),
    ("the last block left out", "tanh", forgets_the_last_block, LARGE),
    ("each block summed for itself", "cumulative_sum", starts_each_block_anew, LARGE),
    ("a missing class taken for the last", "sparse_softmax_cross_entropy_with_logits", clips_labels, ERRORS),
    ("NaN overlooked beside equal elements", "top_k", overlooks_nan, VALUE),
    ("a position of 16 bits", "argmax", wraps_the_position, LARGE),
    ("another way for a number beside a large operand", "where", takes_the_number_for_true, LARGE),
]  # fmt: skip


@pytest.mark.parametrize(("op", "fn", "check"), [defect[1:] for defect in DEFECTS], ids=[d[0] for d in DEFECTS])
def test_the_kit_catches_a_defect(failure_of: Any, op: str, fn: Callable[..., Any], check: str) -> None:
    text = failure_of(op, fn, check)
    assert "on faulty" in text and f"Kernel({op!r}, {fn.__name__}, faulty:*" in text, text
