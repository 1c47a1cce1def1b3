"""Attention."""

from __future__ import annotations

import math
from typing import Any

from ... import dtypes
from ...dtypes import DType
from ...errors import DTypeError, ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import divide
from ..creation import arange, zeros
from ..declaration import converted, op
from ..exponential import exp
from ..logic import equal, less_equal, where
from ..manipulation import astype, concat, identity, permute_dims, reshape, stop_gradient
from ..products import matmul, matrix_transpose
from ..reduction import max, sum
from ..trigonometric import cos, sin
from .norms import summed, widened

__all__ = ["multi_head_attention", "rotary_embedding", "scaled_dot_product_attention"]

Shape = tuple[int, ...]


def attention_dtype(query: DType, key: DType, value: DType, mask: DType | None = None) -> DType:
    """The dtype rule of attention."""
    if mask is not None and dtypes.category(mask) not in (dtypes.BOOL, dtypes.FLOATING):
        raise DTypeError(
            "the mask has the wrong dtype.",
            expected="bool, or a floating dtype for a mask that is added",
            got=str(mask),
            fix="compare it, for example mask != 0",
        )
    return dtype_rules.same_real_floating(query)


def attention_shape(query: Shape, key: Shape, value: Shape, mask: Shape | None = None) -> Shape:
    """The shape rule of attention."""
    short = any(len(shape) < 2 for shape in (query, key, value))
    if short or query[-1] != key[-1] or key[-2] != value[-2]:
        raise ShapeError(
            "query, key and value do not match.",
            expected="query[..., n, d], key[..., m, d] and value[..., m, v]",
            got=f"query {query}, key {key} and value {value}",
            fix="check which axis is the sequence",
        )
    lead = shape_rules.broadcast(query[:-2], key[:-2], value[:-2])
    scores = (*lead, query[-2], key[-2])
    if mask is not None and shape_rules.broadcast(mask, scores) != scores:
        raise ShapeError(
            "the mask does not match the scores.",
            expected=f"a shape that broadcasts to {scores}",
            got=f"shape {mask}",
            fix="insert an axis of size 1 for the heads",
        )
    return (*lead, query[-2], value[-1])


@op(dtype=attention_dtype, shape=attention_shape, promotes=("query", "key", "value"))
def scaled_dot_product_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    mask: TensorLike | None = None,
    *,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """``softmax(scale * query @ key^T + mask) @ value``; a query that may see no key gives 0.

    Args:
        query: floating[..., n, d].
        key: floating[..., m, d].
        value: floating[..., m, v].
        mask: bool[..., n, m]: True where a query may see a key; or floating, which is added. It is broadcast.
        is_causal: whether query i sees only the keys 0 to i, in addition to the mask.
        scale: default: 1 / sqrt(d).
    Returns:
        floating[..., n, v].
    Raises:
        ShapeError: sizes that differ, or leading axes that do not broadcast. DTypeError: operands that are not real
            floating, or a mask of integers.
    Source:
        A. Vaswani et al. (2017), Attention is all you need, NeurIPS, arXiv:1706.03762.
    """
    dtype = converted(query).dtype
    q, k, v = [widened(x) for x in (query, key, value)]
    if k.shape[-2] == 0:
        shape = attention_shape(q.shape, k.shape, v.shape)
        return zeros(shape, dtype=dtype, device=q.device)
    y = matmul(attention_weights(q, k, mask, is_causal, scale), v)
    return y if y.dtype is dtype else astype(y, dtype)


@scaled_dot_product_attention.gradient("query", "key", "value")
def _attention_back(
    g: Tensor, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, is_causal: bool, scale: float | None
) -> tuple[Tensor, ...]:
    from .attention_gradients import attention_gradient  # this family is loaded only when it is used

    return attention_gradient(g, query, key, value, mask, is_causal=is_causal, scale=scale)


@scaled_dot_product_attention.gradient("mask")
def _attention_back_of_mask(
    g: Tensor, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, is_causal: bool, scale: float | None
) -> Tensor | None:
    if mask.dtype is dtypes.bool_:
        return None
    if key.shape[-2] == 0:
        return zeros(mask.shape, dtype=mask.dtype, device=mask.device)
    q, k, v, incoming = [widened(x) for x in (query, key, value, g)]
    back = scores_gradient(incoming, attention_weights(q, k, mask, is_causal, scale), v)
    return astype(summed(back, mask.shape), mask.dtype)


def attention_weights(q: Tensor, k: Tensor, mask: TensorLike | None, is_causal: bool, scale: float | None) -> Tensor:
    """The weights [..., n, m] of the values for each query."""
    n, m = q.shape[-2], k.shape[-2]
    scores = matmul(q * scale_of(q, scale), matrix_transpose(k))
    if mask is not None:
        boolean = converted(mask).dtype is dtypes.bool_
        scores = where(mask, scores, -math.inf) if boolean else scores + astype(mask, scores.dtype)
    if is_causal:
        positions = arange(m, device=q.device)
        seen = less_equal(positions, reshape(arange(n, device=q.device), (n, 1)))
        scores = where(seen, scores, -math.inf)
    return _softmax(scores)


def scale_of(q: Tensor, scale: float | None) -> float:
    """The factor of the scores."""
    return 1.0 / math.sqrt(q.shape[-1] or 1) if scale is None else scale


def scores_gradient(g: Tensor, weights: Tensor, v: Tensor) -> Tensor:
    """The gradient of the scores, from that of the result: the gradient of a softmax."""
    back = matmul(g, matrix_transpose(v))
    return weights * (back - sum(back * weights, -1, keepdims=True))


def _softmax(scores: Tensor) -> Tensor:
    """softmax, but 0 in a row of which all elements are -inf."""
    top = stop_gradient(max(scores, -1, keepdims=True))
    e = exp(scores - where(equal(top, -math.inf), 0, top))
    total = sum(e, -1, keepdims=True)
    return divide(e, where(equal(total, 0), 1, total))


def _head(x: TensorLike, part: int, weight: Tensor, bias: TensorLike | None, num_heads: int) -> Tensor:
    """The queries, keys or values of all heads: the projection by one third of the weights."""
    width = weight.shape[-1]
    rows = slice(part * width, (part + 1) * width)
    projected = matmul(x, matrix_transpose(weight[rows]))
    if bias is not None:
        projected = projected + identity(bias)[rows]
    return _swapped(reshape(projected, (*projected.shape[:-1], num_heads, width // num_heads)))


def multi_head_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    in_weight: TensorLike,
    out_weight: TensorLike,
    in_bias: TensorLike | None = None,
    out_bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    *,
    num_heads: int,
    is_causal: bool = False,
) -> Tensor:
    """Attention of several heads, each with its own projection of queries, keys and values.

    The weights are those of ``torch.nn.MultiheadAttention``: a projection is ``x @ weight^T + bias``.

    Args:
        query: floating[..., n, e].
        key, value: floating[..., m, e].
        in_weight: floating[3 * e, e]: the projections of queries, keys and values, one below the other.
        out_weight: floating[e, e].
        in_bias: floating[3 * e]; default: 0.
        out_bias: floating[e]; default: 0.
        mask: bool[..., num_heads, n, m], or floating, as for `scaled_dot_product_attention`; it is broadcast.
        num_heads: a divisor of e.
        is_causal: as for `scaled_dot_product_attention`.
    Returns:
        floating[..., n, e].
    Raises:
        ShapeError: sizes that do not match, or e is not a multiple of ``num_heads``.
    Source:
        A. Vaswani et al. (2017), Attention is all you need, NeurIPS, arXiv:1706.03762.
    """
    in_weight = identity(in_weight)
    width = in_weight.shape[-1]
    if in_weight.shape != (3 * width, width) or num_heads < 1 or width % num_heads:
        raise ShapeError(
            "the weights do not match the heads.",
            expected="in_weight[3 * e, e], with e a multiple of num_heads",
            got=f"in_weight {in_weight.shape} and {num_heads} heads",
            fix="stack the three weights, of shape (e, e), along axis 0",
        )
    heads = [_head(x, part, in_weight, in_bias, num_heads) for part, x in enumerate((query, key, value))]
    y = _swapped(scaled_dot_product_attention(heads[0], heads[1], heads[2], mask, is_causal=is_causal))
    y = matmul(reshape(y, (*y.shape[:-2], width)), matrix_transpose(identity(out_weight)))
    return y if out_bias is None else y + out_bias


def _swapped(x: Tensor) -> Tensor:
    """``x`` with the axes -3 and -2 exchanged."""
    return permute_dims(x, (*range(x.ndim - 3), x.ndim - 2, x.ndim - 3, x.ndim - 1))


def rotary_embedding(
    x: TensorLike, positions: TensorLike | None = None, *, base: float = 10000.0, interleaved: bool = False
) -> Tensor:
    """Pairs of features rotated by angles that grow with the position: ``position * base ** (-2 * i / d)`` for pair i.

    Args:
        x: floating[..., n, d], with an even d.
        positions: real[..., n], broadcast; default: 0 to n - 1.
        base: of the wavelengths.
        interleaved: whether pair i is the features 2 * i and 2 * i + 1; otherwise i and i + d / 2.
    Returns:
        Shape and dtype of ``x``.
    Raises:
        ShapeError: d is odd, or the positions do not broadcast.
    Source:
        J. Su et al. (2021), RoFormer, arXiv:2104.09864.
    """
    x = identity(x)
    if x.ndim < 2 or x.shape[-1] % 2:
        raise ShapeError(
            "the features cannot be paired.",
            expected="x[..., n, d] with an even d",
            got=f"shape {x.shape}",
            fix="rotate an even number of features",
        )
    wide = widened(x)
    n, half = x.shape[-2], x.shape[-1] // 2
    place: Any = arange(n, device=x.device) if positions is None else positions
    place = astype(place, wide.dtype)
    exponents = arange(half, dtype=wide.dtype, device=x.device) * (-math.log(base) / (half or 1))
    angles = reshape(place, (*place.shape, 1)) * exp(exponents)
    c, s = cos(angles), sin(angles)
    first, second = (slice(0, None, 2), slice(1, None, 2)) if interleaved else (slice(0, half), slice(half, None))
    a, b = wide[..., first], wide[..., second]
    turned = [a * c - b * s, b * c + a * s]
    if interleaved:
        turned = [reshape(part, (*part.shape, 1)) for part in turned]
    y = reshape(concat(turned, axis=-1), x.shape)
    return y if y.dtype is x.dtype else astype(y, x.dtype)
