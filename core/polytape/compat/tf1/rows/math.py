"""Elementwise arithmetic, comparisons, reductions and numbers."""

from __future__ import annotations

__all__ = ["ROWS"]

ROWS = """
abs(x, name=None):
    pt.abs(numeric(x))
acos(x, name=None):
    pt.acos(floating(x))
acosh(x, name=None):
    pt.acosh(floating(x))
add(x, y, name=None):
    pt.add(*map(numeric, same(x, y)))
angle(input, name=None):
    pt.angle(tensor(input))
asin(x, name=None):
    pt.asin(floating(x))
asinh(x, name=None):
    pt.asinh(floating(x))
atan(x, name=None):
    pt.atan(floating(x))
atan2(y, x, name=None):
    pt.atan2(*map(real, same(y, x)))
atanh(x, name=None):
    pt.atanh(floating(x))
betainc(a, b, x, name=None):
    pt.special.betainc(*map(real, same(a, b, x)))
ceil(x, name=None):
    pt.ceil(real(x))
complex(real, imag, name=None):
    complex_of(real, imag)
conj(x, name=None):
    pt.conj(tensor(x))
cos(x, name=None):
    pt.cos(floating(x))
cosh(x, name=None):
    pt.cosh(floating(x))
digamma(x, name=None):
    pt.special.digamma(real(x))
div(x, y, name=None):
    quotient(x, y)
equal(x, y, name=None):
    pt.equal(*same(x, y))
erf(x, name=None):
    pt.special.erf(real(x))
erfc(x, name=None):
    pt.special.erfc(real(x))
exp(x, name=None):
    pt.exp(floating(x))
expm1(x, name=None):
    pt.expm1(floating(x))
floor(x, name=None):
    pt.floor(real(x))
floor_div(x, y, name=None):
    pt.floor_divide(*same(x, y))
floordiv(x, y, name=None):
    pt.floor_divide(*same(x, y))
floormod(x, y, name=None):
    pt.remainder(*same(x, y))
greater(x, y, name=None):
    pt.greater(*map(numeric, same(x, y)))
greater_equal(x, y, name=None):
    pt.greater_equal(*map(numeric, same(x, y)))
igamma(a, x, name=None):
    pt.special.gammainc(*map(real, same(a, x)))
igammac(a, x, name=None):
    pt.special.gammaincc(*map(real, same(a, x)))
imag(input, name=None):
    pt.imag(tensor(input))
is_finite(x, name=None):
    pt.isfinite(real(x))
is_inf(x, name=None):
    pt.isinf(real(x))
is_nan(x, name=None):
    pt.isnan(real(x))
less(x, y, name=None):
    pt.less(*map(numeric, same(x, y)))
less_equal(x, y, name=None):
    pt.less_equal(*map(numeric, same(x, y)))
lgamma(x, name=None):
    pt.special.lgamma(real(x))
log(x, name=None):
    pt.log(floating(x))
log1p(x, name=None):
    pt.log1p(floating(x))
log_sigmoid(x, name=None):
    pt.nn.log_sigmoid(real(x))
logical_and(x, y, name=None):
    pt.logical_and(logical(x), logical(y))
logical_not(x, name=None):
    pt.logical_not(logical(x))
logical_or(x, y, name=None):
    pt.logical_or(logical(x), logical(y))
logical_xor(x, y, name="LogicalXor"):
    pt.logical_xor(logical(x), logical(y))
maximum(x, y, name=None):
    pt.maximum(*map(numeric, same(x, y)))
minimum(x, y, name=None):
    pt.minimum(*map(numeric, same(x, y)))
mod(x, y, name=None):
    pt.remainder(*same(x, y))
multiply(x, y, name=None):
    pt.multiply(*map(numeric, same(x, y)))
negative(x, name=None):
    pt.negative(numeric(x))
not_equal(x, y, name=None):
    pt.not_equal(*same(x, y))
polygamma(a, x, name=None):
    polygamma_of(a, x)
pow(x, y, name=None):
    pt.power(*map(numeric, powers(x, y)))
real(input, name=None):
    pt.real(tensor(input))
realdiv(x, y, name=None):
    pt.divide(*map(floating, same(x, y)))
reciprocal(x, name=None):
    pt.reciprocal(floating(x))
rint(x, name=None):
    pt.round(real(x))
round(x, name=None):
    pt.round(numeric(x))
rsqrt(x, name=None):
    pt.rsqrt(floating(x))
saturate_cast(value, dtype, name=None):
    saturated(tensor(value), lookup(dtype))
scalar_mul(scalar, x):
    pt.multiply(*same(x, scalar))
sigmoid(x, name=None):
    pt.nn.sigmoid(floating(x))
sign(x, name=None):
    pt.sign(numeric(x))
sin(x, name=None):
    pt.sin(floating(x))
sinh(x, name=None):
    pt.sinh(floating(x))
sqrt(x, name=None):
    pt.sqrt(floating(x))
square(x, name=None):
    pt.square(numeric(x))
squared_difference(x, y, name=None):
    pt.square(pt.subtract(*map(numeric, same(x, y))))
subtract(x, y, name=None):
    pt.subtract(*map(numeric, same(x, y)))
tan(x, name=None):
    pt.tan(floating(x))
tanh(x, name=None):
    pt.tanh(floating(x))
truediv(x, y, name=None):
    pt.divide(*divisible(x, y))
truncatediv(x, y, name=None):
    truncated_quotient(*same(x, y))
truncatemod(x, y, name=None):
    pt.fmod(*same(x, y))
zeta(x, q, name=None):
    pt.special.zeta(*map(real, same(x, q)))
accumulate_n(inputs, shape=None, tensor_dtype=None, name=None):
    total(inputs)
add_n(inputs, name=None):
    total(inputs)
arg_max(input, dimension, output_type=tf.int64, name=None):
    pt.argmax(tensor(input), axis=integer(dimension)).astype(lookup(output_type))
arg_min(input, dimension, output_type=tf.int64, name=None):
    pt.argmin(tensor(input), axis=integer(dimension)).astype(lookup(output_type))
argmax(input, axis=None, name=None, dimension=None, output_type=tf.int64):
    pt.argmax(tensor(input), axis=integer(first(axis, dimension, 0))).astype(lookup(output_type))
argmin(input, axis=None, name=None, dimension=None, output_type=tf.int64):
    pt.argmin(tensor(input), axis=integer(first(axis, dimension, 0))).astype(lookup(output_type))
count_nonzero(input_tensor, axis=None, keepdims=None, dtype=tf.int64, name=None, reduction_indices=None,
    keep_dims=None):
    pt.count_nonzero(tensor(input_tensor), axis=axes(axis, reduction_indices), keepdims=either(keepdims, keep_dims))
    .astype(lookup(dtype))
cumprod(x, axis=0, exclusive=False, reverse=False, name=None):
    cumulative(pt.cumulative_prod, numeric(x), integer(axis), exclusive, reverse)
cumsum(x, axis=0, exclusive=False, reverse=False, name=None):
    cumulative(pt.cumulative_sum, numeric(x), integer(axis), exclusive, reverse)
lbeta(x, name="lbeta"):
    log_beta(real(x))
reduce_all(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    pt.all(logical(input_tensor), axis=axes(axis, reduction_indices), keepdims=either(keepdims, keep_dims))
reduce_any(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    pt.any(logical(input_tensor), axis=axes(axis, reduction_indices), keepdims=either(keepdims, keep_dims))
reduce_logsumexp(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    pt.special.logsumexp(real(input_tensor), axis=axes(axis, reduction_indices), keepdims=either(keepdims, keep_dims))
reduce_max(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    pt.max(numeric(input_tensor), axis=axes(axis, reduction_indices), keepdims=either(keepdims, keep_dims))
reduce_mean(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    mean_of(numeric(input_tensor), axes(axis, reduction_indices), either(keepdims, keep_dims))
reduce_min(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    pt.min(numeric(input_tensor), axis=axes(axis, reduction_indices), keepdims=either(keepdims, keep_dims))
reduce_prod(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    reduced(pt.prod, numeric(input_tensor), axes(axis, reduction_indices), either(keepdims, keep_dims))
reduce_sum(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    reduced(pt.sum, numeric(input_tensor), axes(axis, reduction_indices), either(keepdims, keep_dims))
bincount(arr, weights=None, minlength=None, maxlength=None, dtype=tf.int32):
    counts(arr, weights, minlength, maxlength, lookup(dtype))
to_bfloat16(x, name="ToBFloat16"):
    pt.astype(tensor(x), lookup("bfloat16"))
to_double(x, name="ToDouble"):
    pt.astype(tensor(x), lookup("float64"))
to_float(x, name="ToFloat"):
    pt.astype(tensor(x), lookup("float32"))
to_int32(x, name="ToInt32"):
    pt.astype(tensor(x), lookup("int32"))
to_int64(x, name="ToInt64"):
    pt.astype(tensor(x), lookup("int64"))
cast(x, dtype, name=None):
    pt.astype(tensor(x), lookup(dtype))
"""
