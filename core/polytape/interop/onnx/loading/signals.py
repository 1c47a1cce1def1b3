"""Nodes for signals and spectra, and for quantized numbers."""

from __future__ import annotations

import math
from typing import Any

import polytape as pt

from .networks import conv, per_channel
from .registry import as_dtype, node

# --- windows and transforms -------------------------------------------------------------------------------------------


def _window(name: str, *coefficients: float) -> None:
    """A sum of cosines: its coefficients have alternating signs."""

    @node(name, host="size")
    def window(size: Any, *, output_datatype: int = 1, periodic: int = 1) -> Any:
        n = int(size)
        angle = pt.arange(n, dtype=pt.float64) * (2 * math.pi / (n if periodic else n - 1))
        terms = (a * (-1) ** k * pt.cos(k * angle) for k, a in enumerate(coefficients))
        return pt.astype(sum(terms), as_dtype(output_datatype))


_window("HannWindow", 0.5, 0.5)
_window("HammingWindow", 25 / 46, 21 / 46)
_window("BlackmanWindow", 0.42, 0.5, 0.08)


def _complex(x: Any) -> Any:
    """Pairs of numbers along the last axis, or single ones, as complex numbers."""
    return x[..., 0] + 1j * x[..., 1] if x.shape[-1] == 2 else x[..., 0]


def _pairs(x: Any) -> Any:
    return pt.stack([pt.real(x), pt.imag(x)], axis=-1)


@node("DFT", host="dft_length axis")
def _dft(x: Any, dft_length: Any = None, axis: Any = None, *, inverse: int = 0, onesided: int = 0, run: Any) -> Any:
    if axis is None:  # an attribute with the value 1 before version 20
        axis = -2 if run.opset >= 20 else 1
    place, n = int(axis) % x.ndim, None if dft_length is None else int(dft_length)
    if onesided and inverse:
        return pt.expand_dims(pt.fft.irfft(_complex(x), n=n, axis=place), -1)
    op = pt.fft.rfft if onesided else pt.fft.ifft if inverse else pt.fft.fft
    return _pairs(op(_complex(x), n=n, axis=place))


@node("STFT", host="frame_step frame_length")
def _stft(x: Any, frame_step: Any, window: Any = None, frame_length: Any = None, *, onesided: int = 1) -> Any:
    length = window.shape[0] if frame_length is None else int(frame_length)
    frames = pt.nn.windows(_complex(x), length, stride=int(frame_step), axes=1)
    if window is not None:
        frames = frames * window
    return _pairs((pt.fft.rfft if onesided else pt.fft.fft)(frames))


@node("MelWeightMatrix", host="bins length rate low high")
def _mel_weight_matrix(bins: Any, length: Any, rate: Any, low: Any, high: Any, *, output_datatype: int = 1) -> Any:
    """Triangles that overlap by half and are equally wide on the mel scale; their corners are points of a spectrum."""
    first, last = (2595 * math.log10(1 + float(hertz) / 700) for hertz in (low, high))
    mels = first + pt.arange(int(bins) + 2, dtype=pt.float64) * ((last - first) / (int(bins) + 2))
    corners = pt.floor(700 * (10 ** (mels / 2595) - 1) * (int(length) + 1) / int(rate))
    points = pt.reshape(pt.arange(int(length) // 2 + 1, dtype=pt.float64), (-1, 1))
    left, middle, right = corners[:-2], corners[1:-1], corners[2:]
    rising = (points - left) / pt.maximum(middle - left, 1)
    falling = (right - points) / pt.maximum(right - middle, 1)
    table = pt.where((points > middle) & (points < right), falling, 0)
    table = pt.where((points >= left) & (points < middle), rising, table)
    return pt.astype(pt.where(points == middle, 1, table), as_dtype(output_datatype))


# --- quantization -----------------------------------------------------------------------------------------------------


def _along(parameter: Any, x: Any, axis: int, block_size: int) -> Any:
    """A scale or zero point, one number, one per element of an axis or one per block of it, to broadcast with ``x``."""
    if parameter is None or parameter.ndim == 0 or parameter.size == 1:
        return parameter if parameter is None else pt.reshape(parameter, ())
    if block_size:
        axis %= x.ndim
        repeated = pt.repeat(parameter, block_size, axis=axis)
        return repeated[(slice(None),) * axis + (slice(x.shape[axis]),)]
    return pt.reshape(parameter, tuple(x.shape[i] if i == axis % x.ndim else 1 for i in range(x.ndim)))


def _quantized(x: Any, scale: Any, zero_point: Any, dtype: Any) -> Any:
    """``x / scale``, rounded to an even number if it lies halfway, limited to the range of an integer dtype."""
    limits = pt.iinfo(dtype)
    y = pt.round(x / scale)
    if zero_point is not None:
        y = y + pt.astype(zero_point, y.dtype)
    return pt.astype(pt.clip(y, limits.min, limits.max), dtype)


@node("QuantizeLinear")
def _quantize_linear(
    x: Any, scale: Any, zero_point: Any = None, *, axis: int = 1, block_size: int = 0, output_dtype: int = 0,
    precision: int = 0, saturate: int = 1,
) -> Any:  # fmt: skip
    dtype = zero_point.dtype if zero_point is not None else as_dtype(output_dtype) if output_dtype else pt.uint8
    scale, zero_point = (_along(p, x, axis, block_size) for p in (scale, zero_point))
    wide = pt.float32 if not precision else as_dtype(precision)
    return _quantized(pt.astype(x, wide), pt.astype(scale, wide), zero_point, dtype)


@node("DequantizeLinear")
def _dequantize_linear(
    x: Any, scale: Any, zero_point: Any = None, *, axis: int = 1, block_size: int = 0, output_dtype: int = 0
) -> Any:
    dtype = as_dtype(output_dtype) if output_dtype else scale.dtype
    return pt.astype(_shifted(x, _along(zero_point, x, axis, block_size)) * _along(scale, x, axis, block_size), dtype)


def _shifted(x: Any, zero_point: Any) -> Any:
    """``x - zero_point`` as int32."""
    x = pt.astype(x, pt.int32)
    return x if zero_point is None else x - pt.astype(zero_point, pt.int32)


@node("DynamicQuantizeLinear")
def _dynamic_quantize_linear(x: Any) -> tuple[Any, Any, Any]:
    low, high = pt.minimum(pt.min(x), 0), pt.maximum(pt.max(x), 0)
    scale = (high - low) / 255
    zero_point = pt.astype(pt.clip(pt.round(-low / scale), 0, 255), pt.uint8)
    return _quantized(x, scale, zero_point, pt.uint8), scale, zero_point


@node("MatMulInteger")
def _matmul_integer(a: Any, b: Any, a_zero_point: Any = None, b_zero_point: Any = None) -> Any:
    if a_zero_point is not None and a_zero_point.ndim == 1:  # one per row
        a_zero_point = pt.expand_dims(a_zero_point, -1)
    return _shifted(a, a_zero_point) @ _shifted(b, b_zero_point)


@node("QLinearMatMul")
def _qlinear_matmul(
    a: Any, a_scale: Any, a_zero_point: Any, b: Any, b_scale: Any, b_zero_point: Any, y_scale: Any, y_zero_point: Any
) -> Any:
    product = pt.astype(_matmul_integer(a, b, a_zero_point, b_zero_point), pt.float32)
    scale = pt.astype(a_scale, pt.float32) * pt.astype(b_scale, pt.float32)
    return _quantized(product * scale, pt.astype(y_scale, pt.float32), y_zero_point, y_zero_point.dtype)


@node("ConvInteger")
def _conv_integer(x: Any, w: Any, x_zero_point: Any = None, w_zero_point: Any = None, **how: Any) -> Any:
    if w_zero_point is not None and w_zero_point.size > 1:  # one per channel out
        w_zero_point = per_channel(w_zero_point, w.ndim - 1)
    return conv(_shifted(x, x_zero_point), _shifted(w, w_zero_point), **how)


@node("QLinearConv")
def _qlinear_conv(
    x: Any, x_scale: Any, x_zero_point: Any, w: Any, w_scale: Any, w_zero_point: Any, y_scale: Any, y_zero_point: Any,
    bias: Any = None, **how: Any,
) -> Any:  # fmt: skip
    y = _conv_integer(x, w, x_zero_point, w_zero_point, **how)
    rank = x.ndim - 2
    y = y if bias is None else y + per_channel(bias, rank)
    scale = x_scale * (per_channel(w_scale, rank) if w_scale.size > 1 else pt.reshape(w_scale, ()))
    return _quantized(pt.astype(y, pt.float32) * scale, y_scale, y_zero_point, y_zero_point.dtype)
