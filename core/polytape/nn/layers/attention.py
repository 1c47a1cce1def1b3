"""Attention."""

from __future__ import annotations

import math
from typing import ClassVar, Unpack

from ... import dtypes
from ...dispatch.convert import asarray
from ...ops.logic import logical_and, where
from ...ops.nn import attention
from ...ops.rearranging import expand_dims
from ...tensors.tensor import Tensor, TensorLike
from ...tensors.variable import Variable
from ..initializers import Transposed
from .dense import features, positive
from .weights import WeightLayer, WeightOptions

__all__ = ["MultiHeadAttention"]


class MultiHeadAttention(WeightLayer):
    """Attention of several heads, each with its own projection of queries, keys and values.

    The weights are those of ``torch.nn.MultiheadAttention``, see `polytape.nn.multi_head_attention`.

    Args:
        num_heads: a divisor of the number of features.
        use_bias: whether the projections have biases.
        options: as for `Dense`.

    The call takes ``layer(query, key=None, value=None, mask=None, is_causal=False, query_mask=None, key_mask=None)``:
    query floating[..., n, e], key and value floating[..., m, e] (default: the query, and the key), mask
    bool[..., num_heads, n, m], True where a query may see a key, or floating, which is added. The masks of steps,
    bool[..., n] and bool[..., m] (default: the query's, if the key is the query), are False where a step is padding,
    which sees nothing and is not seen. The result is floating[..., n, e].

    Attributes:
        in_weight: [3 * e, e]: the projections of queries, keys and values, one below the other.
        out_weight: [e, e].
        in_bias: [3 * e], or None.
        out_bias: [e], or None.

    Raises:
        SettingError: ``num_heads`` is not a positive integer. ShapeError: at the call, if it is no divisor of e.
    Source:
        A. Vaswani et al. (2017), Attention is all you need, NeurIPS, arXiv:1706.03762.
    """

    in_weight: Variable
    out_weight: Variable
    in_bias: Variable | None = None
    out_bias: Variable | None = None

    mask_argument: ClassVar[str] = "query_mask"

    def __init__(self, num_heads: int, *, use_bias: bool = True, **options: Unpack[WeightOptions]) -> None:
        super().__init__(options)
        self.num_heads, self.use_bias = positive("num_heads", num_heads), use_bias

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the weights for a query of this shape."""
        width = features(self, shape)
        self._make("in_weight", (3 * width, width), "glorot_uniform", wrap=Transposed)
        self._make("out_weight", (width, width), "glorot_uniform", wrap=Transposed)
        if self.use_bias:
            self._make("in_bias", (3 * width,), "zeros")
            self._make("out_bias", (width,), "zeros")

    def call(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        mask: TensorLike | None = None,
        is_causal: bool = False,
        query_mask: TensorLike | None = None,
        key_mask: TensorLike | None = None,
    ) -> Tensor:
        """The result; see the class."""
        if key is None:
            key, key_mask = query, query_mask if key_mask is None else key_mask
        for steps, axes in ((query_mask, (-3, -1)), (key_mask, (-3, -2))):
            if steps is not None:
                mask = _combined(mask, expand_dims(steps, axis=axes))
        return attention.multi_head_attention(
            query, key, key if value is None else value, self.in_weight, self.out_weight, self.in_bias, self.out_bias,
            mask, num_heads=self.num_heads, is_causal=is_causal,
        )  # fmt: skip


def _combined(mask: TensorLike | None, seen: Tensor) -> TensorLike:
    """A mask of scores, restricted to where ``seen`` is True."""
    if mask is None:
        return seen
    given = asarray(mask)
    return logical_and(given, seen) if given.dtype is dtypes.bool_ else where(seen, given, -math.inf)
