"""Defects like real ones of PyTorch's MPS, JAX, CuPy and Numba, planted in NumPy's kernels: the kit catches each.

Each entry names the report, says what went wrong there, and plants the same kind of fault. The named check must fail
with a text that names the op, the backend and the kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt

VALUE = "check_value_dtype_and_shape"
NUMPY = {kernel.op: kernel.fn for kernel in pt.get_backend("numpy").all_kernels()}


def integers_only_int32(x: Any, *, axis: Any = None, dtype: Any, include_initial: bool = False) -> Any:
    if x.dtype.kind in "iu" and x.dtype != np.int32 and not include_initial:
        return x.astype(dtype)
    return NUMPY["cumulative_sum"](x, axis=axis, dtype=dtype, include_initial=include_initial)


def counted_in_int8(x: Any, *, axis: Any = None, dtype: Any, include_initial: bool = False) -> Any:
    narrow = np.dtype("int8") if x.dtype == bool else dtype
    return NUMPY["cumulative_sum"](x, axis=axis, dtype=narrow, include_initial=include_initial).astype(dtype)


def cast_at_the_end(x: Any, *, axis: Any = None, dtype: Any, include_initial: bool = False) -> Any:
    own = dtype if x.dtype.kind not in "iu" or dtype.kind in "iu" else x.dtype
    return NUMPY["cumulative_sum"](x, axis=axis, dtype=own, include_initial=include_initial).astype(dtype)


def product_in_uint8(x: Any, *, axis: Any = None, dtype: Any, include_initial: bool = False) -> Any:
    own = x.dtype if x.dtype.kind == "u" else dtype
    return NUMPY["cumulative_prod"](x, axis=axis, dtype=own, include_initial=include_initial).astype(dtype)


def lowest_index(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    y = np.asarray(NUMPY["argmax"](x, axis=axis, keepdims=keepdims))
    return np.full_like(y, np.iinfo("int64").min) if x.dtype.kind in "iu" else y


def needs_contiguous(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    if axis is None and not x.flags.c_contiguous:
        raise RuntimeError("view size is not compatible with input tensor's size and stride")
    return NUMPY["argmax"](x, axis=axis, keepdims=keepdims)


def skips_nan(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    filled = np.where(x != x, -np.inf, x) if x.dtype.kind == "f" else x
    return NUMPY["argmax"](filled, axis=axis, keepdims=keepdims)


def first_image_only(x: Any, w: Any, *, groups: int, **attributes: Any) -> Any:
    y = NUMPY["conv"](x, w, groups=groups, **attributes)
    return y if groups == 1 or len(y) < 2 or x.dtype != np.float32 else np.broadcast_to(y[:1], y.shape).copy()


def swapped_strides(x: Any, w: Any, *, stride: Any, **attributes: Any) -> Any:
    return NUMPY["conv"](x, w, stride=stride[::-1], **attributes)


def pads_not_counted(x: Any, *, count_include_pad: bool, **attributes: Any) -> Any:
    return NUMPY["avg_pool"](x, count_include_pad=False, **attributes)


def accumulates_by_difference(x: Any, *, axis: int = -1) -> Any:
    def step(a: Any, b: Any) -> Any:
        low, high = np.minimum(a, b), np.maximum(a, b)
        return high + np.log1p(np.exp(low - high))

    rows = np.moveaxis(x, axis, 0)
    y = rows.copy()
    for k in range(1, len(rows)):
        y[k] = step(y[k - 1], rows[k])
    return np.moveaxis(y, 0, axis)


def stops_at_nan(x: Any, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    if x.dtype.kind != "f" or x.ndim != 1 or not np.isnan(x).any() or descending:
        return NUMPY["sort"](x, axis=axis, descending=descending)
    at = np.flatnonzero(np.isnan(x))
    pieces = [np.sort(part) for part in np.split(np.delete(x, at), at - np.arange(len(at)))]
    return np.concatenate([pieces[0], *[np.append(x[k], piece) for k, piece in zip(at, pieces[1:], strict=True)]])


def unsorted_values(x: Any) -> Any:
    values, vectors = NUMPY["eigh"](x)
    return values[..., ::-1].copy(), vectors[..., ::-1].copy()


def nan_for_zero(x: Any) -> Any:
    values, vectors = NUMPY["eigh"](x)
    return (values * np.nan, vectors * np.nan) if not x.any() and x.size else (values, vectors)


def nan_first(x1: Any, x2: Any, *, side: str = "left") -> Any:
    y = NUMPY["searchsorted"](x1, x2, side=side)
    return np.where(np.isnan(x2), 0, y) if x2.dtype == np.float32 else y


def by_bits(x: Any, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    if x.dtype != np.float64:
        return NUMPY["argsort"](x, axis=axis, descending=descending)
    bits = x.view("int64")
    return NUMPY["argsort"](np.where(bits < 0, ~bits ^ np.int64(-(2**63)), bits), axis=axis, descending=descending)


def hardware_quotient(x1: Any, x2: Any) -> Any:
    y = NUMPY["floor_divide"](x1, x2)
    return np.where(x2 == 0, np.where(x1 == 0, -1, -2), y).astype(y.dtype) if y.dtype.kind == "i" else y


def zero_sign_lost(x1: Any, x2: Any) -> Any:
    y = NUMPY["floor_divide"](x1, x2)
    return np.where(y == 0, 0, y).astype(y.dtype)


def second_for_nan(x1: Any, x2: Any) -> Any:
    return np.where(x1 < 0, 0, np.where(x1 > 0, 1, x2)).astype(x1.dtype)


def signs(x: Any) -> Any:
    return NUMPY["sign"](x) if x.dtype.kind != "f" else np.where(x > 0, 1, np.where(x < 0, -1, 0)).astype(x.dtype)


def nan_at_zero(x: Any) -> Any:
    y = np.vectorize(lambda z: _digamma(float(z)), otypes=["float64"])(x).astype(x.dtype)
    return np.where(x == 0, np.nan, y).astype(x.dtype)


def _digamma(z: float) -> float:
    from polytape.testing.cases.special.gamma import CASES

    row = next(case for case in CASES if str(case) == "digamma")
    return float(row.reference(np.asarray(z)))


def reference_of(op: str, x: Any, **attributes: Any) -> Any:
    from polytape.testing import case_of

    return case_of(op).reference(x.astype("float64"), **attributes)


def in_single_precision(x: Any, *, n: int = 0) -> Any:
    return reference_of("polygamma", x, n=n).astype("float32").astype(x.dtype)


def nan_at_infinity(x: Any, *, n: int = 0) -> Any:
    return np.where(np.isinf(x), np.nan, reference_of("polygamma", x, n=n)).astype(x.dtype)


def unguarded(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    highest = x.max(axis, keepdims=True)
    y = np.log(np.exp(x - highest).sum(axis, keepdims=True)) + highest
    return y if keepdims else y.reshape(x.max(axis).shape)


def drops_negative(data: Any, segment_ids: Any, *, num_segments: int) -> Any:
    kept = segment_ids >= 0
    return NUMPY["segment_sum"](data[kept], segment_ids[kept], num_segments=num_segments)


def memory_order(x: Any) -> Any:
    return np.negative(np.ravel(x, order="K")).reshape(x.shape)


BUGS: list[tuple[str, str, str, Callable[..., Any]]] = [
    # the report; what went wrong; the op; the kernel
    ("pytorch/pytorch#98191", "argmax of integers was -2**63 on MPS", "argmax", lowest_index),
    ("pytorch/pytorch#160740", "argmax over all axes failed on MPS for strided operands", "argmax", needs_contiguous),
    ("pytorch/pytorch#90635", "cumsum of all integers but int32 summed nothing on MPS", "cumulative_sum",
     integers_only_int32),
    ("pytorch/pytorch#96614", "cumsum of bools overflowed at 128 on MPS", "cumulative_sum", counted_in_int8),
    ("pytorch/pytorch#100764", "unary ops read elements in the order of memory on MPS", "negative", memory_order),
    ("pytorch/pytorch#188335", "grouped convolution was wrong for batches above 1 in float32 on MPS", "conv",
     first_image_only),
    ("pytorch/pytorch#83522", "conv mixed up unequal strides and paddings on MPS (the fix)", "conv", swapped_strides),
    ("pytorch/pytorch#94348", "avg_pool ignored count_include_pad on MPS (the fix)", "avg_pool", pads_not_counted),
    ("pytorch/pytorch#52213", "logcumsumexp of two -inf was NaN", "logcumsumexp", accumulates_by_difference),
    ("cupy/cupy#3324", "NaN kept its place and split what sort ordered", "sort", stops_at_nan),
    ("cupy/cupy#2485", "eigh did not sort the eigenvalues", "eigh", unsorted_values),
    ("cupy/cupy#6539", "eigh of a matrix of zeros was NaN", "eigh", nan_for_zero),
    ("numba/numba#5788", "argmax skipped NaN", "argmax", skips_nan),
    ("numba/numba#5985", "floor_divide was wrong about zeros", "floor_divide", zero_sign_lost),
    ("numba/numba#9592", "cumprod of unsigned integers kept the narrow dtype and wrapped", "cumulative_prod",
     product_in_uint8),
    ("numba/numba#10156", "searchsorted put a float32 NaN first instead of last", "searchsorted", nan_first),
    ("jax-ml/jax#39109", "heaviside of NaN was its second operand", "heaviside", second_for_nan),
    ("jax-ml/jax#23504", "sign of NaN was 0 in Pallas", "sign", signs),
    ("jax-ml/jax#37991", "cumsum with a dtype cast the sums instead of the operand", "cumulative_sum",
     cast_at_the_end),
    ("jax-ml/jax#38261", "digamma of 0 was NaN instead of -inf", "digamma", nan_at_zero),
    ("jax-ml/jax#17738", "polygamma in float64 had the digits of float32", "polygamma", in_single_precision),
    ("jax-ml/jax#38608", "polygamma of infinity was NaN instead of 0", "polygamma", nan_at_infinity),
    ("jax-ml/jax#6443", "argsort put -0.0 before 0.0, although they are equal", "argsort", by_bits),
    ("jax-ml/jax#37819", "an integer divided by 0 was -2, or -1 for 0 // 0", "floor_divide", hardware_quotient),
    ("jax-ml/jax#1624", "logsumexp of -inf alone was NaN", "logsumexp", unguarded),
    ("jax-ml/jax#17387", "segment_sum dropped negative ids where indexing counts from the end", "segment_sum",
     drops_negative),
]  # fmt: skip


@pytest.mark.parametrize(("op", "fn"), [bug[2:] for bug in BUGS], ids=[bug[0] for bug in BUGS])
def test_the_kit_catches_a_bug_like_a_past_one(failure_of: Any, op: str, fn: Callable[..., Any]) -> None:
    text = failure_of(op, fn, VALUE)
    assert "on faulty" in text and f"Kernel({op!r}, {fn.__name__}, faulty:*" in text, text


def test_each_report_is_listed_once_and_says_what_went_wrong() -> None:
    reports = [bug[0] for bug in BUGS]
    assert len(set(reports)) == len(BUGS) >= 20
    owners = {report.partition("/")[0] for report in reports}
    assert owners == {"pytorch", "cupy", "numba", "jax-ml"}


@pytest.mark.parametrize("op", sorted({bug[2] for bug in BUGS}))
def test_the_check_passes_without_the_bug(failure_of: Any, op: str) -> None:
    assert failure_of(op, None, VALUE) == ""
