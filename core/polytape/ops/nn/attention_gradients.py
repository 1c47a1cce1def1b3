"""The gradient of attention with respect to query, key and value at once, which share the weights of the values."""

from __future__ import annotations

from typing import NamedTuple

from ...dtypes import DType
from ...errors import ShapeError
from ...tensors.tensor import Tensor, TensorLike
from ..creation import zeros
from ..declaration import converted, op
from ..manipulation import astype
from ..products import matmul, matrix_transpose
from .attention import attention_dtype, attention_shape, attention_weights, scale_of, scores_gradient
from .norms import summed, widened

__all__: list[str] = []

Shape = tuple[int, ...]


class AttentionGradients(NamedTuple):
    """The gradients of attention.

    Attributes:
        query, key, value: with respect to these operands.
    """

    query: Tensor
    key: Tensor
    value: Tensor


def _dtypes(
    incoming: DType, query: DType, key: DType, value: DType, mask: DType | None = None
) -> tuple[DType, DType, DType]:
    dtype = attention_dtype(query, key, value, mask)
    return dtype, dtype, dtype


def _shapes(
    incoming: Shape, query: Shape, key: Shape, value: Shape, mask: Shape | None = None
) -> tuple[Shape, Shape, Shape]:
    expected = attention_shape(query, key, value, mask)
    if incoming != expected:
        raise ShapeError(
            "the incoming gradient has the wrong shape.",
            expected=f"the shape {expected} of the result",
            got=f"shape {incoming}",
            fix="broadcast it first",
        )
    return query, key, value


@op(
    dtype=_dtypes, shape=_shapes, promotes=("incoming", "query", "key", "value"), outputs=AttentionGradients,
    internal="the gradient of scaled_dot_product_attention",
)  # fmt: skip
def attention_gradient(
    incoming: TensorLike, query: TensorLike, key: TensorLike, value: TensorLike, mask: TensorLike | None = None, *,
    is_causal: bool = False, scale: float | None = None,
) -> AttentionGradients:  # fmt: skip
    """The gradients of scaled_dot_product_attention with respect to query, key and value.

    Args:
        incoming: floating[..., n, v], of the shape of the result; promoted with query, key and value.
        query, key, value, mask, is_causal, scale: as for `scaled_dot_product_attention`.
    Returns:
        Shapes and dtypes of query, key and value.
    Raises:
        ShapeError: shapes that do not fit. DTypeError: operands that are not real floating, or a mask of integers.
    Source:
        T. Dao, D. Fu, S. Ermon, A. Rudra, C. Re (2022), FlashAttention, NeurIPS, arXiv:2205.14135, appendix B.2.
    """
    dtype = converted(query).dtype
    g, q, k, v = [widened(x) for x in (incoming, query, key, value)]
    if k.shape[-2] == 0:
        return AttentionGradients(*[zeros(x.shape, dtype=dtype, device=q.device) for x in (q, k, v)])
    weights = attention_weights(q, k, mask, is_causal, scale)
    back = scores_gradient(g, weights, v) * scale_of(q, scale)
    gradients = (
        summed(matmul(back, k), q.shape),
        summed(matmul(matrix_transpose(back), q), k.shape),
        summed(matmul(matrix_transpose(weights), g), v.shape),
    )
    return AttentionGradients(*[y if y.dtype is dtype else astype(y, dtype) for y in gradients])
